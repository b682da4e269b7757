"""Are the gates right every time, while both cores are busy with something else?

Tries every right and every wrong design of `gate_designs.py` many times at its gate, while two
processes that only burn time compete for the processor. Apps, upstream and tests share one
process, which is harder than in the grader, where the app has a process of its own.

    python benchmarks/gates.py [--runs 100] [--delays 20] [--json results.json]

Right designs run one after the other, at the deadline of grading. Wrong ones stand still until
the deadline, so they get a shorter one and several of them wait side by side.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx2
from gate_designs import PATTERNS, Design, Pause, app_of, at_its_gate
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from autograder.checks.gates import Deadline, GateClosed, within
from classroom.serving import BackgroundServer
from classroom.upstream import WHILE_GRADING, Upstream

FOR_WRONG_ONES = Deadline(seconds=1.0)
SIDE_BY_SIDE = 4
BARS = {"at_most": 0.99}
"""The share of wrong tries that must be caught, where it is not all of them."""


@dataclass
class Row:
    """The tries of one design.

    Attributes:
        pattern: The gate.
        design: The design's name.
        is_right: Whether it ought to pass.
        sentence: A part of the sentence that a wrong one ought to be told.
        seconds: How long each try took.
        told: What each failed try was told.
    """

    pattern: str
    design: str
    is_right: bool
    sentence: str = ""
    seconds: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def as_it_should(self) -> int:
        """How many tries ended as they ought to."""
        return len(self.seconds) - len(self.told) if self.is_right else len(self.told)

    @property
    def with_sentence(self) -> int:
        """How many failed tries were told the sentence that is meant for them."""
        return sum(self.sentence in told for told in self.told)

    @property
    def holds(self) -> bool:
        """Whether enough tries ended as they ought to."""
        bar = 1.0 if self.is_right else BARS.get(self.pattern, 1.0)
        return self.as_it_should >= bar * len(self.seconds)


def _burn(parent: int) -> None:
    while os.getppid() == parent:
        sum(range(10_000))


@contextmanager
def busy_cores(how_many: int) -> Iterator[None]:
    """Keep processes running that do nothing but compute; end them on leaving."""
    context = multiprocessing.get_context("spawn")
    burners = [
        context.Process(target=_burn, args=(os.getpid(),), daemon=True) for _ in range(how_many)
    ]
    for burner in burners:
        burner.start()
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.join()


def random_pause(most_ms: float) -> Pause:
    """Return a function that draws a delay in seconds; every other one is none."""
    drawn = random.Random(1)  # noqa: S311 - delays, not secrets
    return lambda: drawn.choice((0.0, drawn.uniform(0, most_ms / 1000)))


async def tries(
    row: Row, design: Design, upstream: Upstream, *, runs: int, pause: Pause, bar: Progress
) -> None:
    """Try one design at its gate, `runs` times in a row, on one served app."""

    async def wait_before_sending(_request: httpx2.Request) -> None:
        await asyncio.sleep(pause())

    hooks = {"request": [wait_before_sending]}
    task = bar.add_task(f"{row.pattern}: {row.design}", total=runs)
    deadline = WHILE_GRADING if row.is_right else FOR_WRONG_ONES
    with BackgroundServer(app_of(design, pause)) as server, within(deadline):
        async with httpx2.AsyncClient(
            base_url=server.url,
            timeout=None,
            event_hooks=hooks,
            verify=False,
        ) as client:
            for run in range(runs):
                begun = time.perf_counter()
                try:
                    key = f"{row.design}-{run}-"
                    await at_its_gate(row.pattern, client, upstream, key)
                except GateClosed as closed:
                    row.told.append(str(closed))
                row.seconds.append(time.perf_counter() - begun)
                bar.advance(task)
    bar.remove_task(task)


async def measure(*, runs: int, only: str, delays: float) -> list[Row]:
    """Try every design and return what happened.

    Args:
        runs: How many times each.
        only: A part of the gates' names.
        delays: The longest random delay in client, app and upstream, in milliseconds.
    """
    pause = random_pause(delays)
    slots = asyncio.Semaphore(SIDE_BY_SIDE)
    console = Console(stderr=True)
    with (
        Upstream(delay=pause) as upstream,
        upstream.in_environment(),
        Progress(console=console) as bar,
    ):
        right, wrong = [], []
        for name, pattern in PATTERNS.items():
            if only in name:
                right += [(Row(name, d.__name__, is_right=True), d) for d in pattern.right]
                wrong += [
                    (Row(name, design.__name__, is_right=False, sentence=sentence), design)
                    for design, sentence in pattern.wrong
                ]
        for row, design in right:
            await tries(row, design, upstream, runs=runs, pause=pause, bar=bar)

        async def in_a_slot(row: Row, design: Design) -> None:
            async with slots:
                await tries(row, design, upstream, runs=runs, pause=pause, bar=bar)

        await asyncio.gather(*(in_a_slot(row, design) for row, design in wrong))
    return [row for row, _ in right + wrong]


def table(rows: list[Row]) -> Table:
    """Return the results as a table."""
    drawn = Table("gate", "design", "ought to", "did", "told why", "median", "slowest", "")
    for row in rows:
        drawn.add_row(
            row.pattern,
            row.design,
            "pass" if row.is_right else "fail",
            f"{row.as_it_should} of {len(row.seconds)}",
            "" if row.is_right else f"{row.with_sentence} of {len(row.told)}",
            f"{statistics.median(row.seconds) * 1000:.0f} ms",
            f"{max(row.seconds) * 1000:.0f} ms",
            "ok" if row.holds else "NOT RIGHT",
        )
    return drawn


def as_json(rows: list[Row], options: argparse.Namespace) -> str:
    """Return the results as JSON, with what they were measured on."""
    measured = [
        {
            **{k: v for k, v in asdict(row).items() if k not in {"seconds", "told"}},
            "as_it_should": row.as_it_should,
            "with_sentence": row.with_sentence,
            "median_ms": round(statistics.median(row.seconds) * 1000, 1),
            "slowest_ms": round(max(row.seconds) * 1000, 1),
            "holds": row.holds,
        }
        for row in rows
    ]
    about = {
        "runs": options.runs,
        "burners": options.burners,
        "longest_delay_ms": options.delays,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "deadline_right_s": WHILE_GRADING.seconds,
        "deadline_wrong_s": FOR_WRONG_ONES.seconds,
    }
    return json.dumps({"about": about, "rows": measured}, indent=2)


def main() -> int:
    """Run the benchmark; return 1 if a gate was wrong too often."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100, help="tries of each design")
    parser.add_argument("--burners", type=int, default=2, help="processes that compete")
    parser.add_argument("--delays", type=float, default=0, help="longest random delay, in ms")
    parser.add_argument("--only", default="", help="part of a gate's name")
    parser.add_argument("--json", type=Path, help="file for the results; printed otherwise")
    options = parser.parse_args()
    with busy_cores(options.burners):
        rows = asyncio.run(measure(runs=options.runs, only=options.only, delays=options.delays))
    Console(width=110).print(table(rows))
    results = as_json(rows, options)
    if options.json:
        options.json.write_text(results + "\n", encoding="utf-8")
    else:
        print(results)
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
