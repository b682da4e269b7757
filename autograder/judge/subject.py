"""A submission in its sandbox, as checks see it."""

from __future__ import annotations

from autograder.checks.subject import Endpoint, NotServed
from autograder.child import ChildLostError, Raised, Submission

START_SECONDS = 10.0
"""How long an app may take to start."""
ASIDE_SECONDS = 5.0
"""How long the child may take for what is asked beside the requests."""


class SandboxSubject:
    """The app that a child has made so far, served on a Unix socket.

    Args:
        child: The process that holds the submission.
        entry: Name of the app or factory.
    """

    def __init__(self, child: Submission, entry: str) -> None:
        self._child = child
        self._entry = entry
        self._serving = False

    def open(self) -> Endpoint:
        """Serve the app as it is now.

        Raises:
            NotServed: There is none, it failed to start, or the process is gone.
        """
        try:
            served = self._child.serve(self._entry, deadline=START_SECONDS)
        except ChildLostError as error:
            raise NotServed(str(error)) from None
        if served.raised is not None:
            raise NotServed(_why_not(served.raised))
        self._serving = True
        return Endpoint("http://localhost", uds=str(served.socket))

    def take_errors(self) -> list[str]:
        """Return what the app raised while it answered; shown only, for it may be forged."""
        if not self._serving:
            return []
        try:
            return [str(raised) for raised in self._child.errors(deadline=ASIDE_SECONDS)]
        except ChildLostError as error:
            self._serving = False
            return [str(error)]

    def close(self) -> None:
        """Stop serving."""
        if not self._serving:
            return
        try:
            self._child.unserve(deadline=ASIDE_SECONDS)
        except ChildLostError:
            return
        finally:
            self._serving = False


def _why_not(raised: Raised) -> str:
    if raised.type == "NotServable":
        return raised.message
    return f"Your app failed to start. {raised}"
