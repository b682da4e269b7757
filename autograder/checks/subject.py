"""What is being checked, as a check sees it: an address to talk to.

In a notebook the subject is the app in the student's own kernel (`notebook.KernelSubject`);
in grading it is an app in a sandbox. Checks cannot tell the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class NotServed(AssertionError):
    """The submission's app cannot be talked to; the message tells the student why."""


@dataclass(frozen=True)
class Endpoint:
    """Where a served app listens.

    Attributes:
        base_url: Address of the app without a trailing slash, such as `http://127.0.0.1:8000`.
        uds: Path of the Unix socket that leads there, if it is not reached by TCP.
    """

    base_url: str
    uds: str | None = None


class Subject(Protocol):
    """A submission under check."""

    def open(self) -> Endpoint:
        """Serve the app and say where.

        Raises:
            NotServed: There is no app, or it failed to start.
        """

    def take_errors(self) -> list[str]:
        """Return what the app raised while it answered since the last call, each in a line."""

    def close(self) -> None:
        """Stop serving; harmless when nothing was served."""
