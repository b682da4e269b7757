"""One check cell to run against one submission."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from autograder.checks.cell import CheckCell
from autograder.checks.deadlines import IN_A_NOTEBOOK, Deadlines
from autograder.checks.records import CheckResult
from autograder.checks.subject import Subject
from autograder.checks.verdict import Findings
from classroom.upstream import Upstream


class Part(StrEnum):
    """Which of a cell's tests a job is about."""

    WHOLE = "whole"
    VISIBLE = "visible"
    HIDDEN = "hidden"


def say_nothing(_sentence: str) -> None:
    """Take no notice."""


def not_counted(_age: float) -> float:
    """Say that nobody waited: where nobody counts it, a wait is judged once."""
    return 0.0


def no_upstream() -> Upstream:
    """Refuse: the job has no outside world."""
    raise RuntimeError("This check asks for `upstream`, but its job brings none.")


@dataclass
class Job:
    """One cell to run against one submission.

    A cell may be done in two jobs, its visible tests first and its hidden ones later, in another
    process of the submission: what hidden tests send is then never where a student can look.

    Attributes:
        cell: Which of the collected cells.
        subject: The submission.
        deadlines: How long to wait.
        upstream: Returns the outside world that the submission talks to, started if need be.
        blocked: Why no test may run (a task that has to be done first); empty if they may.
        seed: What the values that tests draw are drawn from; the same seed gives the same test.
        failed_before: How often each test has failed before, by its id; opens the next hint.
        take_printed: Returns what the submission wrote to its streams since the last call.
        starved: Returns how many seconds the app and the judge have waited for a processor since
            the job was made; the figure may be as many seconds old as is said.
        enough: Share of a wait in vain that they have to have waited for one, before the wait may
            be the machine's fault.
        notice: Told what a test is waiting for, when a wait grows long. Must not block.
        part: Which of the cell's tests to run.
        before: What an earlier job found out about the cell's other tests.
        findings: What this job and the one before found out, once it is done.
        result: The verdict on all of these tests, once the job is done.
    """

    cell: CheckCell
    subject: Subject
    deadlines: Deadlines = IN_A_NOTEBOOK
    upstream: Callable[[], Upstream] = no_upstream
    blocked: str = ""
    seed: int = field(default_factory=lambda: secrets.randbits(32))
    failed_before: Mapping[str, int] = field(default_factory=dict)
    take_printed: Callable[[], str] = str
    starved: Callable[[float], float] = not_counted
    enough: float = math.inf
    notice: Callable[[str], None] = say_nothing
    part: Part = Part.WHOLE
    before: Findings = field(default_factory=Findings)
    findings: Findings = field(default_factory=Findings)
    result: CheckResult | None = None

    @property
    def kept_waiting(self) -> bool:
        """Whether the machine may have cost points, being busy; known once the job is done."""
        late = self.findings.out_of_time and self.starved(0) > self.deadlines.cell * self.enough
        return late or self.findings.kept_waiting
