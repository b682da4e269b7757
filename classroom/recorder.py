"""Keeps the exceptions that an app lets through, with the app's own lines in their tracebacks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT_ERRORS = 32
_SERVER_ERROR = 500


class AppStartupError(RuntimeError):
    """The app reported that its start-up failed, and raised nothing that says why."""


class Recorder:
    """The app, with every exception that it lets through written down.

    Attributes:
        startup_error: Why the app's start-up failed, if it did.
        stopping: Whether the server is being stopped.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.startup_error: BaseException | None = None
        self.stopping = False
        self._errors: deque[tuple[float, BaseException]] = deque(maxlen=KEPT_ERRORS)
        self._lock = threading.Lock()

    def add(self, error: BaseException) -> None:
        """Write down an exception of a request; one that the stop itself caused is none."""
        if not self.stopping and not isinstance(error, (asyncio.CancelledError, GeneratorExit)):
            self.keep(error)

    def keep(self, error: BaseException) -> None:
        """Write down an exception, whenever it came."""
        with self._lock:
            self._errors.append((time.monotonic(), error))

    def take(self, *, since: float = 0.0) -> list[BaseException]:
        """Return what was written down since the last call, and not before `since`."""
        with self._lock:
            errors = [error for at, error in self._errors if at >= since]
            self._errors.clear()
        return errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request, or the lifespan, to the app."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        # Starlette answers 500 and only then raises. The end of such an answer waits, so that
        # whoever has read it finds the exception here.
        status, held, complete = 0, None, False

        async def hold_back(message: Message) -> None:
            nonlocal status, held, complete
            if self.stopping:  # an endless stream would not let go once its line is cut
                await asyncio.sleep(0)
            status = message.get("status", status)
            is_end = message["type"] == "http.response.body" and not message.get("more_body")
            if is_end and status == _SERVER_ERROR:
                held = message
            else:
                await send(message)
            complete = complete or is_end

        try:
            await self.app(scope, receive, hold_back)
        except BaseException as error:
            self.add(error)
            # After a whole answer uvicorn would cut the line under the client's next request.
            if not complete or not isinstance(error, Exception):
                raise
        finally:
            if held is not None:
                await send(held)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = refused = False
        reason = ""

        async def watch(message: Message) -> None:
            nonlocal started, refused, reason
            started = started or message["type"] == "lifespan.startup.complete"
            if message["type"] == "lifespan.startup.failed":
                refused, reason = True, message.get("message", "")
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except BaseException as error:
            # An app that knows no lifespan raises too, but without having refused.
            if refused:
                self.startup_error = error
            elif started and not isinstance(error, asyncio.CancelledError):
                self.keep(error)
            raise
        if refused:
            self.startup_error = AppStartupError(f"The app refused to start: {reason or 'no why'}")
