"""What a check says about a submission: data that travels, is stored and is rendered.

A check cell yields one `CheckResult` with one `TestRecord` per test. JSON is their first
form; the table in the notebook, the terminal view and nbgrader's feedback only render them.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from autograder.checks.scoring import as_number


def task_title(task: str) -> str:
    """Return a task's name as people say it: `Task 2` for `t2`, `Exercise 1` for `x1`."""
    named = re.fullmatch(r"([tx])(\d+)", task)
    if named is None:
        return f"Task {task}"
    return f"{'Task' if named[1] == 't' else 'Exercise'} {named[2]}"


class Outcome(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"
    """Not run, because a test that it builds on has failed; its points are lost."""


class Frozen(BaseModel):
    """A value that never changes once made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Exchange(Frozen):
    """One request and what came back, as HTTP people read them; long texts are already cut."""

    request: str
    """Request line, interesting headers, blank line, body."""
    response: str | None = None
    """Status line, interesting headers, blank line, body; None when nothing came back."""


class Difference(Frozen):
    """Where an answer departs from what was expected."""

    where: str
    """A status, a header, a place in a body such as `agents[0].name`, or just `The value`."""
    got: str
    expected: str

    @property
    def wanted(self) -> str:
        """Where it is and what was expected there, as plain text."""
        if self.where == "The value":
            return self.expected
        return f"{self.where.replace('`', '')}: {self.expected}"


class TestRecord(Frozen):
    """The verdict on one test.

    A hidden test carries only its meaning, outcome, points and hint: no exchange, no
    difference, no message, and an id that does not show parameters.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name

    id: str
    """`t1.test_creating_answers_201`; parametrized tests add `[parameters]`."""
    meaning: str
    """One sentence: the test's docstring."""
    outcome: Outcome
    points: float
    """Points earned, a share of the cell's points."""
    max_points: float
    skill: str = ""
    hidden: bool = False
    message: str = ""
    """What went wrong, in a sentence for the student; empty when passed."""
    sent_and_got: tuple[Exchange, ...] = ()
    """The requests of this test, oldest first; the last one is what the failure is about."""
    difference: Difference | None = None
    raised: str = ""
    """The submission's own error while it answered, with the student's own line."""
    hint: str = ""
    """The latest hint that failed attempts at this very test have opened."""
    earlier_hints: tuple[str, ...] = ()
    """Those that were opened before it."""
    seconds: float = 0.0

    @property
    def balance(self) -> str:
        """What the test brought or cost of the points of the cell, with its sign: `+0.57`."""
        sign = "+" if self.outcome is Outcome.PASSED else "\N{MINUS SIGN}"
        return f"{sign}{as_number(self.max_points)}"

    @property
    def hints(self) -> tuple[str, ...]:
        """Every hint so far, oldest first."""
        return (*self.earlier_hints, self.hint) if self.hint else ()


class CheckResult(Frozen):
    """The verdict of one check cell."""

    lab: str
    task: str
    max_points: float
    """What the cell is worth; 0 for an exercise in a lesson, which counts nowhere."""
    points: float
    """The cell's mark: exactly `max_points` when every test passed, else cut to two decimals."""
    tests: tuple[TestRecord, ...] = Field(default=())
    printed: str = ""
    """What the submission wrote to its streams while visible tests ran, cut to a few lines."""
    problem: str = ""
    """Why no test could run at all (no app, a start-up error), in a sentence."""
    cause: str = ""
    """What is known to have gone wrong before any test, where tests fail: the answer's cell
    raised, the app was made anew."""
    deadline: str = ""
    """What is lost here to a deadline, and how that was found; empty if nothing is."""
    seed: int = 0
    """What the tests' values were drawn from; the same seed replays the verdict."""
    schema_version: Literal[1] = 1

    @property
    def counts(self) -> bool:
        """Whether the cell is worth points."""
        return self.max_points > 0

    @property
    def passing(self) -> int:
        """How many tests pass."""
        return sum(test.outcome is Outcome.PASSED for test in self.tests)

    @property
    def all_pass(self) -> bool:
        """Whether there are tests and every one passes."""
        return bool(self.tests) and self.passing == len(self.tests)

    @property
    def footer(self) -> str:
        """What the points are, in a line: those of the visible tests, until the lab is marked."""
        hidden = any(test.hidden for test in self.tests)
        if not self.counts or hidden or self.problem or not self.tests:
            return ""
        said = f"All {len(self.tests)} visible tests pass. " if self.all_pass else ""
        return (
            f"{said}Hidden tests follow when your work is marked. To run them yourself, "
            f"give `autograder check {self.lab}` in a terminal."
        )

    @property
    def score(self) -> str:
        """The mark in words, or how many tests pass where there are no marks."""
        if self.counts:
            return f"{as_number(self.points)} of {as_number(self.max_points)} points"
        return f"{self.passing} of {len(self.tests)} tests pass"
