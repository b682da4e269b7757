"""How long a check waits. A deadline ends a wait; it never decides a mark by itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Deadlines:
    """Limits in seconds.

    Attributes:
        wait: For one answer, or one gate.
        again: The same, once a wait of the cell has been in vain: what blocks one test mostly
            blocks its siblings, and right ones need a small part of it.
        cell: For a whole check cell; tests not begun by then count as failed.
    """

    wait: float
    again: float
    cell: float


CELL_PROCESSOR_SECONDS = 10.0
"""Processor time that one cell of a submission may take, on a busy machine too."""
CELL_SECONDS = 30.0
"""How long one cell may take altogether: one that only waits takes no processor time."""
IN_A_NOTEBOOK = Deadlines(wait=2.0, again=1.0, cell=10.0)
ON_A_BUSY_MACHINE = Deadlines(wait=8.0, again=4.0, cell=25.0)
"""In a notebook, when a wait was in vain and the kernel had waited for a processor meanwhile."""
WHILE_GRADING = Deadlines(wait=10.0, again=2.0, cell=25.0)
"""The cell's limit stays below nbgrader's own (30 s), which would throw away the whole cell."""


def while_grading(wait: float) -> Deadlines:
    """Return the deadlines of grading with another wait for one answer or gate."""
    return replace(WHILE_GRADING, wait=wait, again=min(wait, WHILE_GRADING.again))


@dataclass
class Countdown:
    """The time that is left for a check cell."""

    seconds: float
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Seconds until the time is used up; negative afterwards."""
        return self._end - time.monotonic()

    @property
    def over(self) -> bool:
        """Whether the time is used up."""
        return self.left <= 0
