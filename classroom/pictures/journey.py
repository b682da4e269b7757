"""Record the messages that pass between a server and an app."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Step:
    """One thing that happened on a request's way.

    Attributes:
        kind: `in` from server to app, `out` from app to server, `note` inside the app.
        name: The message's type, or the note.
        detail: What it carried, in a few words.
        at: Milliseconds since the request began.
    """

    kind: Literal["in", "out", "note"]
    name: str
    detail: str
    at: float


class Journey:
    """An ASGI app around another one, which writes down what passes.

    It passes everything on unchanged, so it can be served like the app itself. Requests that
    overlap are written into one list; ask one at a time.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.steps: list[Step] = []
        self._began = 0.0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one connection on to the app; only requests are written down."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.steps.clear()
        self._began = time.perf_counter()
        self._write("in", "http scope", f"{scope['method']} {scope['path']}")

        async def received() -> Message:
            message = await receive()
            self._write("in", str(message["type"]), _carried(message))
            return message

        async def sent(message: Message) -> None:
            self._write("out", str(message["type"]), _carried(message))
            await send(message)

        await self.app(scope, received, sent)

    def note(self, text: str) -> None:
        """Write down that the app has come to a certain point."""
        self._write("note", text, "")

    def _write(self, kind: Literal["in", "out", "note"], name: str, detail: str) -> None:
        at = (time.perf_counter() - self._began) * 1000
        self.steps.append(Step(kind, name, detail, at))


def trace(app: App) -> Journey:
    """Wrap an app so that the messages of its latest request are recorded."""
    return Journey(app)


def _carried(message: Message) -> str:
    if message["type"] == "http.response.start":
        return f"status {message['status']}, {len(list(message.get('headers', ())))} headers"
    if "body" in message or message["type"] in {"http.request", "http.response.body"}:
        more = ", more to come" if message.get("more_body") else ""
        return f"{len(message.get('body', b''))} bytes{more}"
    return ""
