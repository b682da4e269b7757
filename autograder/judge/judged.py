"""What came of one submission: data that travels and is stored."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.checks.records import CheckResult
from autograder.child.results import CellRun
from autograder.child.wire import Trouble

OVERTIME = "Its time was used up before the end of the notebook."
_MAY_HAVE_RUN = "In the student's own kernel it may have run to its end."
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
    def reason(self) -> str:
        """Why a person should look at the submission; empty if nobody needs to.

        A mark that was lost to time, or to what the sandbox withholds, may be no fault of the
        student's. What is said here is the submission's own word, and earns nothing.
        """
        if self.overtime or self.doubt:
            return " ".join(filter(None, (OVERTIME if self.overtime else "", self.doubt)))
        whole = all(check.all_pass for check in self.checks.values())
        for cell, run in self.cells.items():
            if run.loss is not None and run.loss.trouble is Trouble.ENDLESS:
                return f"{run.loss.message} {_MAY_HAVE_RUN}"
            if run.raised is not None and run.raised.withheld and not whole:
                return (
                    f"Cell {cell} ended with {run.raised.type}; while it was graded it may have "
                    f"lacked {run.raised.withheld}. {_MAY_HAVE_RUN}"
                )
        return ""

    @property
    def score(self) -> float:
        """Points over all checks."""
        return sum(check.points for check in self.checks.values())
