"""A submission in its sandbox, as checks see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autograder.checks.subject import Endpoint, NotServed, NotThere, Returned
from autograder.child import Called, ChildLostError, Raised, Submission
from autograder.judge.files import read_file

START_SECONDS = 10.0
"""How long an app may take to start."""
ASIDE_SECONDS = 5.0
"""How long the child may take for what is asked beside the requests."""

_ERRANDS = """\
def __autograder_override__(app, name, spec):
    from classroom.messenger import overridden
    __autograder_undo__.append(overridden(app, globals()[name], spec))

def __autograder_restore__():
    while __autograder_undo__:
        __autograder_undo__.pop()()

async def __autograder_test__(name, url):
    import asyncio
    from classroom.student_tests import run_with_client
    await asyncio.to_thread(run_with_client, globals()[name], url)

__autograder_undo__ = []
"""
"""What is added to a submission's own names, for what a check asks beside requests. It runs on
the submission's side and proves nothing there: verdicts rest on what the app then answers."""


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
        self._equipped = False

    def open(self, environment: Mapping[str, str] | None = None) -> Endpoint:
        """Serve the app as it is now.

        Raises:
            NotServed: There is none, it failed to start, or the process is gone.
        """
        try:
            served = self._child.serve(self._entry, environment=environment, deadline=START_SECONDS)
        except ChildLostError as error:
            raise NotServed(str(error)) from None
        if served.raised is not None:
            raise NotServed(_why_not(served.raised))
        self._serving = True
        return Endpoint("http://localhost", uds=str(served.socket))

    def call(self, name: str, *arguments: Any, wait: float) -> Returned:
        """Call a function of the submission."""
        return self._asked(name, *arguments, wait=wait)

    def run_test(self, name: str, url: str, *, wait: float) -> Returned:
        """Run a test that the student wrote, in the student's own process."""
        self._equip()
        return self._asked("__autograder_test__", name, url, wait=wait)

    def override(self, dependency: str, spec: Any) -> None:
        """Put a messenger in the place of a dependency."""
        self._equip()
        # Written as a cell: the app is no JSON value that could be an argument.
        order = f"__autograder_override__({self._entry}, {dependency!r}, {json.dumps(spec)})"
        run = self._child.run("override", order, deadline=ASIDE_SECONDS)
        if run.raised is not None:
            raise NotThere(f"There is no dependency `{dependency}` to replace ({run.raised}).")

    def restore(self) -> None:
        """Take all messengers away."""
        try:
            self._child.run("restore", "__autograder_restore__()", deadline=ASIDE_SECONDS)
        except ChildLostError:
            return

    def read(self, name: str) -> bytes:
        """Return a file of the submission's working folder."""
        return read_file(self._child.folder, name)

    def take_errors(self, *, since: float) -> list[str]:
        """Return what the app raised while it answered; shown only, for it may be forged."""
        if not self._serving:
            return []
        try:
            return [
                str(raised) for raised in self._child.errors(since=since, deadline=ASIDE_SECONDS)
            ]
        except ChildLostError as error:
            self._serving = False
            return [str(error)]

    def routes(self) -> None:
        """Return nothing: only bytes come out of the sandbox."""

    def _equip(self) -> None:
        if not self._equipped:
            self._child.run("errands", _ERRANDS, deadline=ASIDE_SECONDS)
            self._equipped = True

    def _asked(self, name: str, *arguments: Any, wait: float) -> Returned:
        try:
            called: Called = self._child.call(name, *arguments, deadline=wait)
        except ChildLostError as error:
            raise NotServed(str(error)) from None
        if called.raised is None:
            return Returned(called.value)
        if called.raised.type == "NotServable":
            raise NotThere(f"There is no function `{name}` in this notebook.")
        raised = called.raised
        where = f"line {raised.line}: {raised.source}" if raised.line else ""
        return Returned(raised=raised.type, message=raised.message, where=where)

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
