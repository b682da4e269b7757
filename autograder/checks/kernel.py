"""A submission in the student's own kernel."""

from __future__ import annotations

import inspect
import json
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from autograder.checks.subject import CAUGHT, Endpoint, NotServed, NotThere, Returned
from classroom import caught
from classroom.environment import environment_with
from classroom.messenger import overridden
from classroom.own_loop import completed
from classroom.serving import BackgroundServer
from classroom.sole_error import sole_error
from classroom.student_tests import run_with_client
from classroom.timeline.routes import routes_of

MAX_FILE = 2**20
"""Bytes of a submission's file that are read."""


class KernelSubject:
    """The app in a notebook's variables, served on a loopback port.

    Args:
        namespace: The notebook's variables.
        entry: Name of the app or factory among them.
    """

    def __init__(self, namespace: Mapping[str, Any], entry: str) -> None:
        self._namespace = namespace
        self._entry = entry
        self._app: Any = None
        self._server: BackgroundServer | None = None
        self._environment = ExitStack()
        self._overrides: dict[str, Any] = {}
        self._undo: list[Callable[[], None]] = []

    def open(self, environment: Mapping[str, str] | None = None) -> Endpoint:
        """Serve the app under the entry's name as it is now."""
        self.close()
        self._environment.enter_context(environment_with(environment or {}))
        self._app = self._find()
        for dependency, spec in self._overrides.items():
            self._put(dependency, spec)
        server = BackgroundServer(self._app)
        try:
            server.start()
        except Exception as error:  # noqa: BLE001 - whatever the student's code raises
            raise NotServed(f"Your app failed to start. {student_error(error)}") from None
        self._server = server
        return Endpoint(server.url)

    def call(self, name: str, *arguments: Any, wait: float) -> Returned:
        """Call a function of the notebook in a thread of its own."""
        function = self._function(name)
        copies = json.loads(json.dumps(arguments))
        return _within(wait, name, lambda: function(*copies))

    def run_test(self, name: str, url: str, *, wait: float) -> Returned:
        """Run a test of the notebook in a thread of its own."""
        function = self._function(name)
        return _within(wait, name, lambda: run_with_client(function, url))

    def override(self, dependency: str, spec: Any) -> None:
        """Put a messenger in the place of a dependency."""
        if not callable(self._namespace.get(dependency)):
            raise NotThere(f"There is no dependency `{dependency}` in this notebook yet.")
        self._overrides[dependency] = spec
        if self._app is not None:
            self._put(dependency, spec)

    def restore(self) -> None:
        """Take all messengers away."""
        while self._undo:
            self._undo.pop()()
        self._overrides.clear()

    def read(self, name: str) -> bytes:
        """Return a file beside the notebook."""
        file = Path.cwd() / name
        inside = file.resolve().is_relative_to(Path.cwd().resolve())
        if not (inside and file.is_file()):
            raise NotThere(f"There is no file `{name}` beside the notebook yet.")
        with file.open("rb") as opened:
            return opened.read(MAX_FILE)

    def take_errors(self, *, since: float) -> list[str]:
        """Return what the app raised while it answered."""
        if self._server is None:
            return []
        raised = [student_error(error) for error in self._server.take_errors(since=since)]
        swallowed = [line for line in caught.take(since=since) if line not in raised]
        return [f"{line}\n{CAUGHT}" for line in swallowed] + raised

    def routes(self) -> list[str] | None:
        """Return the app's routes, such as `GET /agents`, if it is one of FastAPI's."""
        if not isinstance(self._app, FastAPI):
            return None
        return [
            f"{method} {route.path}"
            for route in routes_of(self._app)
            for method in sorted(route.methods)
        ]

    def close(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._environment.close()

    def _function(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] | None = self._namespace.get(name)
        if function is None or not callable(function):
            raise NotThere(f"There is no function `{name}` in this notebook yet.")
        return function

    def _put(self, dependency: str, spec: Any) -> None:
        self._undo.append(overridden(self._app, self._namespace[dependency], spec))

    def _find(self) -> Any:
        found = self._namespace.get(self._entry)
        if found is None:
            raise NotServed(
                f"There is no `{self._entry}` in this notebook yet. "
                "Run the cells above, from the top, then this one again."
            )
        if self._entry != "app":
            try:
                found = found()
            except Exception as error:  # noqa: BLE001 - whatever the student's code raises
                raise NotServed(f"`{self._entry}()` failed. {student_error(error)}") from None
        if not callable(found):
            raise NotServed(
                f"`app` should be a FastAPI app, but it is a {type(found).__name__}. "
                "Does a later cell use the name for something else?"
            )
        return found


def student_error(error: BaseException) -> str:
    """Say in a line what was raised, with the last line of the student's own that led there."""
    error = sole_error(error)
    what = "".join(traceback.format_exception_only(error)).strip()
    frame = _own_frame(error)
    return what if frame is None else f"{what} — in `{frame.name}`, {_line_of(frame)}"


def _own_frame(error: BaseException) -> traceback.FrameSummary | None:
    """Return the last frame of the student's own that led to an error."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "ipykernel_" in frame.filename or frame.filename.startswith("<ipython-input"):
            return frame
    return None


def _line_of(frame: traceback.FrameSummary) -> str:
    return f"line {frame.lineno}: {frame.line}"


def _within(wait: float, name: str, act: Callable[[], Any]) -> Returned:
    """Act in a thread of its own, whose end is not waited for longer than `wait` seconds."""
    returned: list[Returned] = []
    thread = threading.Thread(target=lambda: returned.append(_returned(act)), daemon=True)
    thread.start()
    thread.join(wait)
    if not returned:
        raise NotServed(f"`{name}` had not returned after {wait:g} seconds.")
    return returned[0]


def _returned(act: Callable[[], Any]) -> Returned:
    try:
        value = act()
        if inspect.isawaitable(value):
            value = completed(value)
        return Returned(json.loads(json.dumps(value)))
    except BaseException as error:  # noqa: BLE001 - told to the test as its result
        frame = _own_frame(error)
        where = _line_of(frame) if frame else ""
        return Returned(raised=type(error).__name__, message=str(error), where=where)
