"""How far a student is with a lab: its tasks, marks and skills on one page."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from autograder.checks.records import CheckResult, Outcome

USAGE = "%lab LAB TASK=POINTS ..."


class BadLabLine(ValueError):
    """The line that names a lab's tasks cannot be read."""


@dataclass
class Progress:
    """What the checks of one lab said last, in this session.

    Attributes:
        lab: Short name of the lab.
        tasks: What each task is worth, in the order of the lab.
        results: The latest result of each task that was checked.
        runs: For each of them, which run of the task's cell was checked.
    """

    lab: str = ""
    tasks: dict[str, float] = field(default_factory=dict)
    results: dict[str, CheckResult] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)

    def name_tasks(self, line: str) -> None:
        """Take the lab's name and its tasks from a line such as `lab01 t1=4 t2=4`.

        Raises:
            BadLabLine: The line does not follow `USAGE`.
        """
        lab, *entries = line.split() or [""]
        tasks = dict(entry.partition("=")[::2] for entry in entries)
        if not lab or not all(re.fullmatch(r"\d+(\.\d+)?", points) for points in tasks.values()):
            raise BadLabLine(f"This line cannot be read: %lab {line}. It reads {USAGE}.")
        if lab != self.lab:
            self.results.clear()
        self.lab, self.tasks = lab, {task: float(points) for task, points in tasks.items()}

    def note(self, result: CheckResult, run: int = 0) -> None:
        """Remember the latest result of a task, and which run of its cell was checked."""
        self.lab = self.lab or result.lab
        self.tasks.setdefault(result.task, result.max_points)
        self.results[result.task] = result
        self.runs[result.task] = run

    def points(self, stale: Collection[str] = ()) -> float:
        """Return the points so far, without tasks whose result is no longer true."""
        return sum(result.points for task, result in self.results.items() if task not in stale)

    @property
    def max_points(self) -> float:
        """Points of the whole lab."""
        return sum(self.tasks.values())

    def skills(self, stale: Collection[str] = ()) -> dict[str, tuple[int, int]]:
        """Return for each skill how many of its tests pass, and how many were tried."""
        counts: dict[str, tuple[int, int]] = {}
        true = [result for task, result in self.results.items() if task not in stale]
        for test in (test for result in true for test in result.tests):
            passed, tried = counts.get(test.skill, (0, 0))
            counts[test.skill] = (passed + (test.outcome is Outcome.PASSED), tried + 1)
        counts.pop("", None)
        return counts
