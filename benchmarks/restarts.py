"""Kill the grader again and again: is anything lost, changed, or graded twice?

A class of lab 01, made from its corpus, is graded once undisturbed and once by a grader that is
ended by SIGKILL at random moments and started again each time. Prints how far each grader came,
how many rows of the final gradebook differ from the undisturbed one's (scores, cells, comments,
flags; not time stamps), how many marked notebooks differ in a mark or an outcome, and how many
submissions were run again although they had been graded. All three should be 0; the exit code
is 1 if one is not.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from autograder.corpus import Submission, read_corpus
from autograder.course import Course, Lab
from autograder.trial import Trial, killed_after, run_again

COURSE = Course.find(Path(__file__).parent)
SEED = ("--seed", "1")
CATCHING_UP = 0.25
"""Share of the graders that are killed before they come further than the one before."""


def class_of(size: int, lab: Lab) -> dict[str, Submission]:
    """Return what each student of a class hands in; endless loops only take time."""
    corpus = [one for one in read_corpus(COURSE, lab) if "endless" not in one.name]
    return {f"student{n:04}": one for n, one in enumerate(islice(cycle(corpus), size))}


def disturbed(
    trial: Trial, *, kills: int, size: int, pause: float, moments: random.Random
) -> list[list[dict[str, Any]]]:
    """Grade with interruptions and return what each grader said, the last one's included.

    Args:
        trial: The class.
        kills: How many graders are killed.
        size: Size of the class.
        pause: Seconds between two submissions, within which the moment of a kill is drawn.
        moments: Draws the moments.
    """
    runs: list[list[dict[str, Any]]] = []
    done = 0
    for _ in track(range(kills), "Killing"):
        catching_up = moments.random() < CATCHING_UP
        lines = moments.randrange(done + (1 if catching_up else 2 * size // kills + 1))
        process = trial.start(*SEED)
        runs.append(killed_after(lines, process, seconds=moments.random() * pause))
        done = max(done, len(runs[-1]))
    last = trial.grade(*SEED)
    return [*runs, list(last.lines.values())]


def told(trial: Trial, student: str) -> list[tuple[str, float, list[tuple[str, str]]]]:
    """Return marks and outcomes of a marked notebook."""
    return [
        (record.task, record.points, [(test.id, test.outcome) for test in record.tests])
        for record in trial.records(student)
    ]


def without_time(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return a gradebook's rows without their time stamps."""
    return {
        student: {key: value for key, value in row.items() if key != "timestamp"}
        for student, row in rows.items()
    }


def main() -> int:
    """Grade both ways, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7, help="draws the moments")
    options = parser.parse_args()
    console = Console()
    lab = COURSE.lab("lab01")
    class_ = class_of(options.students, lab)
    with tempfile.TemporaryDirectory(prefix="restarts-") as parent:
        calm = Trial.of(Path(parent) / "calm", COURSE, lab, class_)
        storm = Trial.of(Path(parent) / "storm", COURSE, lab, class_)
        begun = time.perf_counter()
        expected = calm.grade(*SEED)
        seconds = time.perf_counter() - begun
        console.print(f"undisturbed: {len(expected.lines)} submissions in {seconds:.0f} s")
        runs = disturbed(
            storm,
            kills=options.kills,
            size=options.students,
            pause=seconds / options.students,
            moments=random.Random(options.seed),  # noqa: S311 - moments, not secrets
        )
        ours, theirs = without_time(storm.rows()), without_time(calm.rows())
        rows = [name for name in class_ if ours.get(name) != theirs[name]]
        notebooks = [name for name in class_ if told(storm, name) != told(calm, name)]
    twice = run_again(runs)
    graded = [sum(line["status"] == "graded" for line in run) for run in runs]
    console.print(f"kills: {options.kills}; submissions graded by each grader: {graded}")
    console.print(f"rows that differ: {len(rows)} of {len(class_)} {rows[:5]}")
    console.print(f"notebooks that differ: {len(notebooks)} of {len(class_)} {notebooks[:5]}")
    console.print(f"graded twice: {len(twice)} {twice[:5]}")
    return 1 if rows or notebooks or twice else 0


if __name__ == "__main__":
    raise SystemExit(main())
