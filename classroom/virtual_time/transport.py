"""HTTP and WebSocket to an app in the same loop, with answers that really stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
from httpx2.websockets import ASGIWebSocketTransport
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NO_LIMIT = 10.0**9
"""Seconds that an app may take to accept a WebSocket."""


class InProcessTransport(ASGIWebSocketTransport):
    """Behaves towards an app as uvicorn does, without a socket.

    Every part of an answer reaches the client when the app sends it, and an app learns when its
    client leaves. An exception after the answer has begun cuts the answer off; one before that
    comes out of the client's call. What it does not imitate is a slow reader's back-pressure.

    Args:
        app: The ASGI app.
        state: The lifespan's state; every request gets a copy.
    """

    def __init__(self, app: ASGIApp, state: dict[str, object]) -> None:
        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "asgi": _ASGI, "state": dict(state)}, receive, send)

        super().__init__(with_state, initial_receive_timeout=_NO_LIMIT)
        self._exchanges: set[_Exchange] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Call the app, and return when it has begun to answer."""
        if request.url.scheme in {"ws", "wss"}:
            return await super().handle_async_request(request)
        exchange = _Exchange(await request.aread(), is_head=request.method == "HEAD")
        self._exchanges.add(exchange)
        exchange.task = asyncio.create_task(exchange.run(self.app, _scope(request)))
        exchange.task.add_done_callback(lambda _: self._exchanges.discard(exchange))
        try:
            start = await asyncio.shield(exchange.started)
        except asyncio.CancelledError:
            exchange.gone.set()
            raise
        return httpx2.Response(
            start["status"], headers=list(start.get("headers", ())), stream=_Body(exchange)
        )

    async def hang_up(self, *, grace: float) -> None:
        """Leave every open request, and cancel what still runs after `grace` seconds."""
        tasks = [exchange.task for exchange in self._exchanges]
        for exchange in self._exchanges:
            exchange.gone.set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


_ASGI = {"version": "3.0", "spec_version": "2.3"}


def _scope(request: httpx2.Request) -> Scope:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 123),
        "server": (request.url.host, request.url.port),
    }


class _Exchange:
    """One request and its answer, as the app sees them."""

    task: asyncio.Task[None]

    def __init__(self, body: bytes, *, is_head: bool) -> None:
        self.gone = asyncio.Event()
        self.started: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.parts: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        self._is_head = is_head
        self._body: bytes | None = body
        self._complete = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        failure: BaseException | None = None
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - the client's side tells it
            failure = error
        if not self.started.done():
            self.started.set_exception(failure or RuntimeError("The app returned no answer."))
            if self.gone.is_set():
                self.started.exception()  # seen: the client has left, and nobody asks for it
        if not self._complete:
            self.parts.put_nowait(failure or RuntimeError("The app did not end its answer."))

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self.gone.is_set():
            return
        if message["type"] == "http.response.start":
            if not self.started.done():
                self.started.set_result(message)
        elif message["type"] == "http.response.body":
            if message.get("body") and not self._is_head:
                self.parts.put_nowait(message["body"])
            if not message.get("more_body"):
                self._complete = True
                self.gone.set()
                self.parts.put_nowait(None)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await self._exchange.parts.get()) is not None:
            if isinstance(part, BaseException):
                raise httpx2.RemoteProtocolError(
                    "The app ended before its answer was complete."
                ) from part
            yield part

    async def aclose(self) -> None:
        self._exchange.gone.set()
