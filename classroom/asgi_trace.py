"""Record every ASGI message of every connection: when, in which thread, how large.

Times are those of the running loop (`loop.time()`), so they are exact under virtual time and can
be compared with any other loop's times under real time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Passed:
    """One message that passed between a server and an app.

    Attributes:
        direction: `in` from server to app, `out` from app to server.
        type: The message's type, such as `http.response.body`.
        at: Seconds on the loop's clock.
        thread: Identity of the thread that it passed in.
        size: Bytes of body, or of a WebSocket's text or bytes.
        status: The status of an answer's start or the code of a WebSocket's close, else None.
        more: Whether the message says that more of the body follows.
    """

    direction: Literal["in", "out"]
    type: str
    at: float
    thread: int
    size: int
    status: int | None
    more: bool


@dataclass(frozen=True)
class Visit:
    """One connection's way through an app: an HTTP request or a WebSocket.

    Attributes:
        number: 0 for the first connection that came, and so on.
        kind: `http` or `websocket`.
        method: The HTTP method; `WS` for a WebSocket.
        path: The path without its query.
        headers: The request's headers, names in small letters.
        entered: When the app was called, in seconds on the loop's clock.
        left: When the app returned, background tasks included; None while it runs.
        thread: Identity of the thread of the app's loop.
        messages: What passed, in order.
        error: What the app let through: the exception's type and text, else None.
    """

    number: int
    kind: str
    method: str
    path: str
    headers: dict[str, str]
    entered: float
    left: float | None
    thread: int
    messages: tuple[Passed, ...]
    error: str | None

    def since(self, begin: float) -> Self:
        """Return the same visit with all times counted from `begin`, to the nanosecond."""
        return replace(
            self,
            entered=_since(begin, self.entered),
            left=None if self.left is None else _since(begin, self.left),
            messages=tuple(replace(m, at=_since(begin, m.at)) for m in self.messages),
        )

    @property
    def status(self) -> int | None:
        """The status of the answer, or None when none was begun."""
        return next((m.status for m in self.messages if m.type == "http.response.start"), None)

    @property
    def sent_at(self) -> tuple[float, ...]:
        """When each part of the answer's body, or each message of a WebSocket, was sent."""
        return tuple(m.at for m in self.messages if m.direction == "out" and m.size)


def _since(begin: float, at: float) -> float:
    return round(at - begin, 9)


@dataclass
class OpenVisit:
    """A visit that is being recorded, as the app's own functions see it."""

    number: int
    scope: Scope
    clock: Callable[[], float]
    entered: float
    thread: int
    messages: list[Passed] = field(default_factory=list)
    left: float | None = None
    error: str | None = None

    def note(self, direction: Literal["in", "out"], message: Message) -> None:
        """Write down one message."""
        carried = message.get("body") or message.get("bytes") or message.get("text") or b""
        size = len(carried.encode()) if isinstance(carried, str) else len(carried)
        status = message.get("status", message.get("code"))
        self.messages.append(
            Passed(
                direction,
                str(message["type"]),
                self.clock(),
                threading.get_ident(),
                size,
                status,
                bool(message.get("more_body")),
            )
        )

    def closed(self) -> Visit:
        """Return what is known by now."""
        names = {key.decode("latin-1"): value for key, value in self.scope["headers"]}
        return Visit(
            number=self.number,
            kind=str(self.scope["type"]),
            method=str(self.scope.get("method", "WS")),
            path=str(self.scope["path"]),
            headers={key: value.decode("latin-1") for key, value in names.items()},
            entered=self.entered,
            left=self.left,
            thread=self.thread,
            messages=tuple(self.messages),
            error=self.error,
        )


current_visit: ContextVar[OpenVisit] = ContextVar("classroom_current_visit")
"""The visit for which the running code works; threads of the pool inherit it."""


class Trace:
    """An ASGI app around another one, which writes down what passes.

    It passes everything on unchanged and can be served like the app itself. Overlapping requests
    are kept apart. The lifespan passes through without being recorded.

    Args:
        app: Any ASGI 3 application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._visits: list[OpenVisit] = []

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The connections so far, in the order in which they came."""
        return tuple(visit.closed() for visit in self._visits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection on to the app."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        clock = asyncio.get_running_loop().time
        number = len(self._visits)
        visit = OpenVisit(number, scope, clock, clock(), threading.get_ident())
        self._visits.append(visit)

        async def received() -> Message:
            message = await receive()
            visit.note("in", message)
            return message

        async def sent(message: Message) -> None:
            visit.note("out", message)
            await send(message)

        token = current_visit.set(visit)
        try:
            await self.app(scope, received, sent)
        except BaseException as error:
            visit.error = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise
        finally:
            visit.left = clock()
            current_visit.reset(token)
