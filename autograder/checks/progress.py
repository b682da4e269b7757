"""How far a student is with a lab: its tasks, marks and skills on one page."""

from __future__ import annotations

import re
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
    """

    lab: str = ""
    tasks: dict[str, float] = field(default_factory=dict)
    results: dict[str, CheckResult] = field(default_factory=dict)

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

    def note(self, result: CheckResult) -> None:
        """Remember the latest result of a task."""
        self.lab = self.lab or result.lab
        self.tasks.setdefault(result.task, result.max_points)
        self.results[result.task] = result

    @property
    def points(self) -> float:
        """Points so far."""
        return sum(result.points for result in self.results.values())

    @property
    def max_points(self) -> float:
        """Points of the whole lab."""
        return sum(self.tasks.values())

    def skills(self) -> dict[str, tuple[int, int]]:
        """Return for each skill how many of its tests pass, and how many were tried."""
        counts: dict[str, tuple[int, int]] = {}
        for test in (test for result in self.results.values() for test in result.tests):
            passed, tried = counts.get(test.skill, (0, 0))
            counts[test.skill] = (passed + (test.outcome is Outcome.PASSED), tried + 1)
        counts.pop("", None)
        return counts
