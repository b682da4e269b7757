"""An app that is asked without sockets, where a grader's sandbox allows none.

A student's cell that serves the app and asks it then works there as in a notebook, so that
the rest of the cell still counts. Checks do not use it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

import httpx2
from starlette.types import ASGIApp

from classroom.clients import TIMEOUT
from classroom.lifespan import lifespan_of
from classroom.recorder import Recorder

T = TypeVar("T")

URL = "http://127.0.0.1"
_STOP = 2.0
"""Seconds that the app's shut-down code gets."""

_loops: dict[int, asyncio.AbstractEventLoop] = {}


def _loop() -> asyncio.AbstractEventLoop:
    """Return this process's loop for such apps, in a thread of its own."""
    process = os.getpid()  # a thread does not survive a fork
    if process not in _loops:
        _loops[process] = asyncio.new_event_loop()
        threading.Thread(target=_loops[process].run_forever, name="serve", daemon=True).start()
    return _loops[process]


def _done(work: Coroutine[Any, Any, T], *, timeout: float | None = None) -> T:
    """Return what a coroutine gives on that loop."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(timeout)


class SocketlessServer:
    """Has the face of a `BackgroundServer` and, in place of a port, two clients of its own.

    Args:
        app: Any ASGI 3 application.
    """

    url = URL
    port = 0

    def __init__(self, app: ASGIApp) -> None:
        self._recorder = Recorder(app)
        self._undo = contextlib.AsyncExitStack()
        self.running = False
        transport = _Transport(self)
        self.client = httpx2.Client(base_url=URL, transport=transport, timeout=TIMEOUT)
        self.async_client = httpx2.AsyncClient(base_url=URL, transport=transport, timeout=TIMEOUT)

    def start(self) -> Self:
        """Run the app's start-up; whatever it raises is raised here."""
        state = _done(self._undo.enter_async_context(lifespan_of(self._recorder)))
        self._asgi = httpx2.ASGITransport(
            app=_WithState(self._recorder, state), raise_app_exceptions=False
        )
        self.running = True
        return self

    def stop(self) -> None:
        """Run the app's shut-down code; harmless when done before."""
        if self.running:
            self.running = False
            self._recorder.stopping = True
            with contextlib.suppress(TimeoutError):
                _done(self._undo.aclose(), timeout=_STOP)

    def take_errors(self) -> list[BaseException]:
        """Return the exceptions that requests raised since the last call, oldest first."""
        return self._recorder.take()

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        """Have the app answer a request, whose body has been read."""
        if not self.running:
            raise httpx2.ConnectError("This server has been stopped.")
        response = await self._asgi.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream), "it comes from an async client"
        body = b"".join([chunk async for chunk in response.stream])
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=httpx2.ByteStream(body),  # for plain and for async clients
            extensions=response.extensions,
        )


class _WithState:
    """The app, with what its start-up left for its requests."""

    def __init__(self, app: ASGIApp, state: dict[str, Any]) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "state": self._state.copy()}, receive, send)


class _Transport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Hands requests to the app, from plain code and from any loop."""

    def __init__(self, server: SocketlessServer) -> None:
        self._server = server

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Wait for the app's answer."""
        request.read()
        timeout = request.extensions.get("timeout", {}).get("read")
        try:
            return _done(self._server.answer(request), timeout=timeout)
        except TimeoutError:
            raise httpx2.ReadTimeout("timed out") from None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Await the app's answer."""
        await request.aread()
        answer = asyncio.run_coroutine_threadsafe(self._server.answer(request), _loop())
        return await asyncio.wrap_future(answer)
