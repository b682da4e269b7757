"""Serves the submission's app by uvicorn, in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from autograder.child.faults import describe
from autograder.child.messages import Raised
from classroom import quick_uvicorn  # noqa: F401 - drops what asyncio says of a closed socket

if TYPE_CHECKING:
    import socket

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

_ERRORS_KEPT: Final = 20
_GRACE: Final = 1.0
"""Seconds that open requests and background tasks get before they are cancelled."""
_IDLE: Final = 60
"""Seconds that an idle connection is kept, longer than a check lasts."""
_BLOCKED_AFTER: Final = 0.2
_LOOK_EVERY: Final = 0.002


class NotServable(Exception):
    """The notebook has nothing that could be served."""


class Watched:
    """The submission's app, with what it raises on record.

    Args:
        app: The ASGI app.
    """

    def __init__(self, app: ASGI3Application) -> None:
        self._app = app
        self._errors: deque[tuple[float, Raised]] = deque(maxlen=_ERRORS_KEPT)
        self.failed_to_start: Raised | None = None

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Pass on to the app."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":
                self.failed_to_start = describe(error)
            else:
                self._errors.append((time.monotonic(), describe(error)))
            raise

    def take_errors(self, since: float) -> list[Raised]:
        """Return the last of what requests raised since the last time, and not before `since`."""
        taken = [raised for at, raised in self._errors if at >= since]
        self._errors.clear()
        return taken


class Serving:
    """An app that is being served.

    Args:
        app: The ASGI app.
        listening: Socket to accept connections from.
    """

    def __init__(self, app: ASGI3Application, listening: socket.socket) -> None:
        self.app = Watched(app)
        self._listening = listening
        self._server = _Server(
            uvicorn.Config(
                self.app,
                loop="asyncio",
                log_config=None,
                access_log=False,
                lifespan="auto",
                timeout_keep_alive=_IDLE,
            )
        )
        self.started: Future[Raised | None] = Future()
        """Done once requests are answered, or with what kept the app from starting."""
        self._stopped: Future[None] = Future()
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL + 1)  # errors are on record here

    async def start(self) -> Raised | None:
        """Return once requests are answered, or with what kept the app from starting."""
        threading.Thread(target=self._run, name="uvicorn", daemon=True).start()
        return await asyncio.wrap_future(self.started)

    async def take_errors(self, since: float) -> list[Raised]:
        """Return what requests raised since the last time, and not before `since`.

        An error follows its answer: uvicorn's loop must have come round once more before the
        error of an answered request is on record. A loop that is blocked is not waited for.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._server.come_round(), _BLOCKED_AFTER)
        return self.app.take_errors(since)

    async def stop(self) -> None:
        """Let open requests end, run the app's shutdown, and return."""
        self._server.leave()
        await asyncio.wrap_future(self._stopped)

    async def serve(self) -> None:
        """Serve in the loop that runs now, until `stop`; `start` does so in a thread."""
        self._server.when_started = lambda: self.started.set_result(None)
        try:
            await self._server.serve(sockets=[self._listening])
        finally:
            self._server.hang_up()
        self._end(self.app.failed_to_start)

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:  # `asyncio.run` may be nest_asyncio's by now
                runner.run(self.serve())
        except BaseException as error:  # noqa: BLE001 - uvicorn leaves by SystemExit
            self._end(self.app.failed_to_start or describe(error))

    def _end(self, problem: Raised | None) -> None:
        self._listening.close()  # or a client would wait for an answer that never comes
        if not self.started.done():
            self.started.set_result(
                problem or Raised(type="NotServable", message="The app ended while it started.")
            )
        if not self._stopped.done():
            self._stopped.set_result(None)


class _Server(uvicorn.Server):
    """Uvicorn that tells when it has started, and ends without its waits of 0.1 s."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.when_started: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    def leave(self) -> None:
        """Ask it to end, from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._leave.set)

    async def come_round(self) -> None:
        """Wait, in another thread's loop, until this one's has gone round once."""
        if self._loop is not None:
            coming = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop)
            await asyncio.wrap_future(coming)

    async def main_loop(self) -> None:
        """Keep the date of answers fresh until asked to end."""
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        self.when_started()
        while not self.should_exit:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leave.wait(), 1)
            await self.on_tick(0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close, give what is under way a moment, cancel the rest, end the lifespan."""
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        last = time.monotonic() + _GRACE
        state = self.server_state
        while (  # noqa: ASYNC110 - uvicorn's state has no event
            state.tasks or state.connections
        ) and time.monotonic() < last:
            await asyncio.sleep(_LOOK_EVERY)
        for task in list(state.tasks):
            task.cancel()
        await self.lifespan.shutdown()

    def hang_up(self) -> None:
        """Break off what is still open, or who is connected would wait for an answer in vain.

        Nothing is, unless the loop was stopped or the server broken by the submission.
        """
        for server in getattr(self, "servers", []):  # not there before the start is over
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def find_app(namespace: Mapping[str, Any], entry: str) -> ASGI3Application:
    """Return the app that the notebook has made.

    Args:
        namespace: The notebook's variables.
        entry: `app`, or the name of a function without arguments that makes one.

    Raises:
        NotServable: It is not there, or is nothing that can be served.
        Exception: Whatever the function raises.
    """
    if entry not in namespace:
        raise NotServable(f"The notebook has no `{entry}`.")
    found = namespace[entry]
    if entry == "create_app":
        if not callable(found):
            raise NotServable("`create_app` is not a function.")
        found = found()
    if not callable(found):
        raise NotServable(f"`{entry}` is no app but {type(found).__name__}.")
    app: ASGI3Application = found
    return app
