"""What came of one submission: data that travels and is stored."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.checks.records import CheckResult
from autograder.child.results import CellRun

SUBMISSION_SECONDS = 120.0
"""How long a whole submission may take, its cells run again after a loss included."""


@dataclass(frozen=True)
class Judged:
    """What came of one submission.

    Attributes:
        checks: The verdict of each check, by its cell's id, in the order of the notebook.
        cells: How each of the submission's own cells went, by the cell's id.
        losses: A line for each time that the process was lost.
        sandbox: Name of the sandbox's level.
        seed: What the tests' values were drawn from; given again, it replays the verdicts.
        overtime: Whether the time for the submission was used up before its end.
        late: The checks whose verdict hangs on a deadline, by their cells' ids.
        by_clock: Those among them for which the clock ended a cell, the check or the notebook.
        doubt: Why a person should look at the verdicts; empty if nobody needs to.
    """

    checks: dict[str, CheckResult]
    cells: dict[str, CellRun]
    losses: tuple[str, ...]
    sandbox: str
    seed: int
    overtime: bool = False
    late: frozenset[str] = frozenset()
    by_clock: frozenset[str] = frozenset()
    doubt: str = ""

    @property
    def score(self) -> float:
        """Points over all checks."""
        return sum(check.points for check in self.checks.values())
