"""Record which functions of a FastAPI app really ran for a request: when, where, how they ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from fastapi import FastAPI
from starlette.types import ASGIApp

from classroom.asgi_trace import OpenVisit, current_visit
from classroom.timeline.recorded import Recorded, Way, way_of
from classroom.timeline.routes import dependants_of

Role = Literal["endpoint", "dependency"]


@dataclass(frozen=True)
class Call:
    """One call of an endpoint or a dependency.

    A function with `yield` is opened and closed: it gives its value at `gave[0]`, and goes on at
    `resumed[0]`.

    Attributes:
        visit: Number of the request that it was for, as in the trace.
        name: The function's name; an override's own name.
        role: Endpoint or dependency.
        way: How it was written: `def`, `async def`, each with or without `yield`.
        thread: Identity of the thread that it began in.
        entered: When it began, in seconds on the loop's clock.
        gave: When it yielded.
        resumed: When it went on after a `yield`.
        left: When it ended; None while it runs.
        error: What it raised, type and text, else None.
    """

    visit: int
    name: str
    role: Role
    way: Way
    thread: int
    entered: float
    gave: tuple[float, ...]
    resumed: tuple[float, ...]
    left: float | None
    error: str | None

    def since(self, begin: float) -> Self:
        """Return the same call with all times counted from `begin`, to the nanosecond."""
        return replace(
            self,
            entered=round(self.entered - begin, 9),
            gave=tuple(round(at - begin, 9) for at in self.gave),
            resumed=tuple(round(at - begin, 9) for at in self.resumed),
            left=None if self.left is None else round(self.left - begin, 9),
        )


@dataclass
class OpenCall:
    """A call that is going on."""

    visit: OpenVisit
    name: str
    role: Role
    way: Way
    entered: float
    thread: int = field(default_factory=threading.get_ident)
    gave: list[float] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    left: float | None = None
    error: str | None = None

    def gives(self) -> None:
        """Note that the function yields."""
        self.gave.append(self.visit.clock())

    def goes_on(self) -> None:
        """Note that the function runs again after a yield."""
        self.resumed.append(self.visit.clock())

    def ends(self, error: BaseException | None) -> None:
        """Note the end."""
        self.left = self.visit.clock()
        if error is not None:
            self.error = f"{type(error).__name__}: {error}".removesuffix(": ")

    def closed(self) -> Call:
        """Return what is known by now."""
        return Call(
            visit=self.visit.number,
            name=self.name,
            role=self.role,
            way=self.way,
            thread=self.thread,
            entered=self.entered,
            gave=tuple(self.gave),
            resumed=tuple(self.resumed),
            left=self.left,
            error=self.error,
        )


class CallRecord:
    """The calls so far, in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[OpenCall] = []

    @property
    def calls(self) -> tuple[Call, ...]:
        """What has been recorded by now."""
        return tuple(call.closed() for call in self._calls)

    def wrapper(self, function: Any, role: Role) -> Any:
        """Return a function that does what the given one does and is recorded."""
        if isinstance(function, Recorded):
            return function
        return Recorded(function, lambda: self._begin(function, role))

    def _begin(self, function: Any, role: Role) -> OpenCall | None:
        visit = current_visit.get(None)
        if visit is None:
            return None
        call = OpenCall(visit, name_of(function), role, way_of(function), visit.clock())
        self._calls.append(call)
        return call


def name_of(function: Any) -> str:
    """Return what a reader calls a function, class or callable object."""
    return str(getattr(function, "__name__", None) or type(function).__name__)


@contextmanager
def recorded_calls(app: ASGIApp) -> Iterator[CallRecord]:
    """Record every endpoint and dependency of an app that runs inside a traced request.

    The app's routes are changed for the block and are as before after it. Of an app that is not
    FastAPI's nothing can be recorded.

    Args:
        app: The app; put a `Trace` around it to serve it.

    Yields:
        The record, which fills as requests come.
    """
    record = CallRecord()
    if not isinstance(app, FastAPI):
        yield record
        return
    undo: list[tuple[Any, Any]] = []
    overrides = app.dependency_overrides
    for root in dependants_of(app):
        todo: list[tuple[Any, Role]] = [(root, "endpoint")]
        while todo:
            dependant, role = todo.pop()
            todo += [(inner, "dependency") for inner in dependant.dependencies]
            undo.append((dependant, dependant.call))
            dependant.call = record.wrapper(dependant.call, role)
    app.dependency_overrides = _Overrides(overrides, record)
    try:
        yield record
    finally:
        app.dependency_overrides = overrides
        for dependant, call in reversed(undo):
            dependant.call = call


class _Overrides(dict[Any, Any]):
    """An app's overrides; what FastAPI gets out of them is recorded too."""

    def __init__(self, overrides: dict[Any, Any], record: CallRecord) -> None:
        super().__init__(overrides)
        self._overrides = overrides
        self._record = record

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._overrides[key] = value

    def get(self, key: Any, default: Any = None) -> Any:
        found = super().get(key, default)
        return None if found is None else self._record.wrapper(found, "dependency")
