"""Plain `nbgrader autograde` with the engine and without, in one run on the same submissions.

A class is made from lab 01's corpus. Each way grades one submission and then the class, as a
user would by the command; the difference is what a further submission costs, without the start
of nbgrader. `--json FILE` keeps the numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

from nbgrader.api import Gradebook  # type: ignore[import-untyped]
from rich.console import Console
from rich.table import Table

from autograder.corpus import Submission, read_corpus
from autograder.course import Course

COURSE = Course.find(Path(__file__).resolve().parent)
LAB = COURSE.lab("lab01")
NBGRADER = Path(sys.executable).with_name("nbgrader")
WAITS = {"wrong-endless-loop", "wrong-list-is-endless"}
"""Submissions that use up a time limit, which is not the same everywhere."""
CENT = 0.005


@dataclass(frozen=True)
class Way:
    """One way of grading: its name, whether it uses the engine, what else is on the line."""

    name: str
    engine: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """Seconds of the command for one submission and for the class, and per further submission."""

    one: float
    whole: float
    further: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=16)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plugin-") as folder:
        found = dict(measured(Path(folder), options.students))
    stock = found["stock"]
    table = Table(
        "way",
        "one s",
        "class s",
        "further s",
        "times as fast",
        title=f"{options.students} students",
    )
    for name, times in found.items():
        ratio = f"{stock.further / times.further:.1f} (class {stock.whole / times.whole:.1f})"
        table.add_row(name, *(f"{value:.2f}" for value in asdict(times).values()), ratio)
    Console().print(table)
    if options.json:
        told = {name: asdict(times) for name, times in found.items()}
        options.json.write_text(json.dumps(told), encoding="utf-8")


def measured(folder: Path, students: int) -> Iterator[tuple[str, Measured]]:
    """Yield each way with its times; all of them give the same marks."""
    one, whole = folder / "one", folder / "whole"
    readable = [
        submission
        for submission in read_corpus(COURSE, LAB)
        if submission.kind != "unreadable" and submission.name not in WAITS
    ]
    handed_in = list(islice(cycle(readable), students))
    make(one, handed_in[:1])
    make(whole, handed_in)
    ways = (
        Way("stock", "stock"),
        Way("engine, cold"),
        Way("engine, all verdicts known", options=("--force",)),
    )
    for way in ways:
        if not way.options:
            clear(one)
            clear(whole)
        first, all_ = grade(one, way), grade(whole, way)
        found = marks(whole)
        wrong = [
            submission.name
            for number, submission in enumerate(handed_in)
            if abs(found[f"s{number:04}"] - submission.points) > CENT
        ]
        assert not wrong, f"{way.name}: wrong marks for {wrong}"
        yield way.name, Measured(first, all_, (all_ - first) / max(1, students - 1))


def make(folder: Path, submissions: list[Submission]) -> None:
    """Make a course in which these have been handed in."""
    for name in ("solutions", "labs"):
        shutil.copytree(COURSE.root / name / LAB.name, folder / name / LAB.name)
    shutil.copy(COURSE.root / "nbgrader_config.py", folder)
    for number, submission in enumerate(submissions):
        submission.write(folder / "submitted" / f"s{number:04}" / LAB.name, COURSE, LAB)


def clear(folder: Path) -> None:
    """Forget what was graded, and enter the lab in a new gradebook."""
    for name in ("autograded", ".autograder"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "gradebook.db").unlink(missing_ok=True)
    run(folder, "generate_assignment", LAB.name, "--force")


def grade(folder: Path, way: Way) -> float:
    """Grade a course, and return the seconds that the command took."""
    begun = time.perf_counter()
    run(folder, "autograde", LAB.name, *way.options, engine=way.engine)
    return time.perf_counter() - begun


def run(folder: Path, *arguments: str, engine: str = "") -> None:
    """Run a command of nbgrader."""
    env = os.environ | {"AUTOGRADER_ENGINE": engine}
    subprocess.run([NBGRADER, *arguments], cwd=folder, env=env, check=True, capture_output=True)


def marks(folder: Path) -> dict[str, float]:
    """Return everybody's mark."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        return {row.student.id: row.score for row in gradebook.assignment_submissions(LAB.name)}


if __name__ == "__main__":
    main()
