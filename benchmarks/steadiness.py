"""Grade the same submissions again and again on a busy machine: is every verdict the same?

A class made from a lab's corpus is graded several times, each time uncached, with other values
drawn and with every core kept busy by processes that only compute. Prints for each run how long
it took and how many marks and outcomes differ from the first run's, and then which. The exit
code is 1 if one differs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from rich.console import Console

from autograder.corpus import Submission, read_corpus
from autograder.course import Course, Lab
from autograder.trial import Trial

COURSE = Course.find(Path(__file__).parent)
CORES = len(os.sched_getaffinity(0))
Verdicts = dict[tuple[str, str], str]
"""The mark of each student, and the outcome of each of his tests."""


def class_of(size: int, lab: Lab) -> dict[str, Submission]:
    """Return what each student of a class hands in."""
    corpus = [one for one in read_corpus(COURSE, lab) if one.kind != "unreadable"]
    return {f"{one.name}-{n:03}": one for n, one in enumerate(islice(cycle(corpus), size))}


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep cores busy meanwhile."""
    working = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)
    ]
    try:
        yield
    finally:
        for process in working:
            process.kill()
            process.wait()


def verdicts(trial: Trial, seed: int) -> Verdicts:
    """Grade a class from nothing."""
    ran = trial.grade("--no-cache", "--seed", str(seed))
    found: Verdicts = {(name, "mark"): str(line["score"]) for name, line in ran.lines.items()}
    for student in ran.lines:
        for check in trial.records(student):
            found |= {(student, test.id): test.outcome.value for test in check.tests}
    return found


def main() -> int:
    """Grade, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lab", default="lab01")
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--busy", type=int, default=CORES, help="processes that only compute")
    options = parser.parse_args()
    console = Console()
    lab = COURSE.lab(options.lab)
    differing: set[tuple[str, str]] = set()
    first: Verdicts = {}
    with tempfile.TemporaryDirectory(prefix="steadiness-") as parent, busy(options.busy):
        trial = Trial.of(Path(parent) / "class", COURSE, lab, class_of(options.students, lab))
        for number in range(1, options.runs + 1):
            begun = time.perf_counter()
            found = verdicts(trial, seed=number)
            seconds = time.perf_counter() - begun
            first = first or found
            other = {key for key in first.keys() | found.keys() if first.get(key) != found.get(key)}
            differing |= other
            console.print(f"run {number}: {seconds:.0f} s, {len(other)} of {len(first)} differ")
    console.print(
        f"{options.runs} runs of {options.students} submissions of {lab.name}, "
        f"{options.busy} busy processes: {len(differing)} verdicts are not the same in all of them"
    )
    for student, what in sorted(differing):
        console.print(f"{student} {what}", markup=False)
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
