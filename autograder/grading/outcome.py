"""What grading one submission came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from autograder.checks.records import CheckResult


class Status(StrEnum):
    """Whether a mark can be taken as it is."""

    GRADED = "graded"
    CACHED = "cached"
    """Nothing has changed since it was graded, so nothing was run again."""
    REVIEW = "review"
    """The submission could not be read or run: a person should look at it."""


@dataclass(frozen=True, kw_only=True)
class Graded:
    """The outcome for one submission.

    Attributes:
        student: Whose it is.
        score: The mark, as nbgrader exports it.
        max_score: Points of the lab.
        status: Whether a person should look at it.
        checks: The verdict of each check cell, in the order of the notebook.
        altered: What the submission changed that it should not have.
        message: One line for the student and the instructor, where there is something to say.
        seconds: How long grading took.
        lab: Name of the lab.
        sandbox: Name of the sandbox's level.
        seed: What the tests' values were drawn from; given again, it replays the verdicts.
        penalty: Points taken away for lateness; `score` is without them.
    """

    student: str
    score: float
    max_score: float
    status: Status = Status.GRADED
    checks: tuple[CheckResult, ...] = ()
    altered: tuple[str, ...] = ()
    message: str = ""
    seconds: float = 0.0
    lab: str = ""
    sandbox: str = ""
    seed: int = 0
    penalty: float = 0.0
