"""What is being checked, as a check sees it: an address to talk to.

In a notebook the subject is the app in the student's own kernel (`kernel.KernelSubject`);
in grading it is an app in a sandbox. Checks cannot tell the difference: whatever they ask of
a subject and whatever comes back is bytes, JSON or a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

CAUGHT = "(your own `except` caught this)"
"""What ends the line of an error that the submission's own code swallowed."""


class NotServed(AssertionError):
    """The submission's app cannot be talked to; the message tells the student why."""


class NotThere(AssertionError):
    """The submission has no function, dependency or file of that name."""


class NoAnswer(AssertionError):
    """The submission gave no usable answer; the message tells the student what happened.

    Attributes:
        stood_still: Whether a wait ran into its deadline.
    """

    def __init__(self, sentence: str, *, stood_still: bool = False) -> None:
        super().__init__(sentence)
        self.stood_still = stood_still


@dataclass(frozen=True)
class Endpoint:
    """Where a served app listens.

    Attributes:
        base_url: Address of the app without a trailing slash, such as `http://127.0.0.1:8000`.
        uds: Path of the Unix socket that leads there, if it is not reached by TCP.
    """

    base_url: str
    uds: str | None = None


@dataclass(frozen=True)
class Returned:
    """What a function of the submission gave back.

    Attributes:
        value: The JSON value that it returned.
        raised: Name of the error's class, if it raised; else empty.
        message: The error's message.
        where: The student's own line that led to it, such as `line 3: assert a == b`.
    """

    value: Any = None
    raised: str = ""
    message: str = ""
    where: str = ""


class Subject(Protocol):
    """A submission under check. Every method may block, and is called from any thread."""

    def open(self, environment: Mapping[str, str] | None = None) -> Endpoint:
        """Serve the app, anew if it is served already, and say where.

        Args:
            environment: Variables for as long as it is served.

        Raises:
            NotServed: There is no app, or it failed to start.
        """

    def call(self, name: str, *arguments: Any, wait: float) -> Returned:
        """Call a function by its name; one that is `async` is awaited.

        Args:
            name: The function.
            *arguments: JSON values.
            wait: Seconds until it counts as endless.

        Raises:
            NotThere: There is no such function.
            NotServed: It did not end, or took the process down.
        """

    def run_test(self, name: str, url: str, *, wait: float) -> Returned:
        """Run a test that the student wrote, with a client of the app at an address.

        Args:
            name: The test function; it takes the client.
            url: The app's address.
            wait: Seconds until it counts as endless.

        Raises:
            NotThere: There is no such test.
            NotServed: It did not end, or took the process down.
        """

    def override(self, dependency: str, spec: Any) -> None:
        """Put a messenger in the place of a dependency, until `restore`.

        Args:
            dependency: Name of the function or class that routes depend on.
            spec: What the messenger asks; see `classroom.messenger`.

        Raises:
            NotThere: There is no such dependency.
        """

    def restore(self) -> None:
        """Take all messengers away."""

    def read(self, name: str) -> bytes:
        """Return a file that the submission wrote.

        Raises:
            NotThere: There is none of that name.
        """

    def take_errors(self, *, since: float) -> list[str]:
        """Return what the app raised while it answered, each in a line; they are then forgotten.

        Args:
            since: What it raised before that, as `time.monotonic` counts, is left out.
        """

    def routes(self) -> list[str] | None:
        """Return the app's routes, such as `GET /agents`; None where they are not known."""

    def close(self) -> None:
        """Stop serving; harmless when nothing was served."""
