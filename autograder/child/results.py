"""What comes back from a submission's process, as the trusted side hands it on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from autograder.child.messages import Raised
from autograder.child.rich import Shown
from autograder.child.wire import Trouble


@dataclass(frozen=True)
class Printed:
    """What was written to the standard streams, cut to 64 KiB each.

    Attributes:
        stdout: Standard output.
        stderr: Standard error.
    """

    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True)
class Loss:
    """Why a submission's process is gone.

    Attributes:
        trouble: It died, had no end, or broke the conversation.
        message: A line for the student.
        by_clock: Whether the clock on the wall ended it, which another load could change.
    """

    trouble: Trouble
    message: str
    by_clock: bool = False


class ChildLostError(Exception):
    """A submission's process is gone; start another one and replay the other cells.

    Attributes:
        loss: Why it is gone.
    """

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.message)
        self.loss = loss


@dataclass(frozen=True)
class CellRun:
    """How one cell went.

    Attributes:
        cell: Its id.
        raised: The error it ended with.
        loss: Set when the process did not survive the cell.
        result: What its last line showed.
        rich: Other forms of that: a picture, HTML that is not harmless yet.
        shown: What it showed before, in the same forms.
        printed: What it wrote.
        dropped: Bytes it wrote past what is kept in memory.
        seconds: How long it took.
    """

    cell: str
    raised: Raised | None = None
    loss: Loss | None = None
    result: str = ""
    rich: Shown = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    printed: Printed = Printed()
    dropped: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the cell ran to its end."""
        return self.raised is None and self.loss is None


@dataclass(frozen=True)
class Served:
    """How serving began.

    Attributes:
        socket: Path of the Unix socket that leads to the app.
        raised: What kept the app from starting.
    """

    socket: Path
    raised: Raised | None = None


@dataclass(frozen=True)
class Called:
    """What a function gave back: a JSON value, or an error.

    Attributes:
        value: What it returned.
        raised: What it raised.
    """

    value: JsonValue = None
    raised: Raised | None = None
