"""A real server for an ASGI app, in a thread of this process.

`BackgroundServer` runs uvicorn with an event loop of its own, so that a notebook's cells can
talk to an app by sync and by async clients, with true streams, WebSockets and lifespan. It
takes no signal handlers, logs nothing, and does not mind `nest_asyncio.apply()`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from classroom.quick_uvicorn import FORCED, GRACE, LIFESPAN_END, QuickUvicorn, quiet_threads
from classroom.recorder import AppStartupError, Recorder

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["AppStartupError", "BackgroundServer"]

_SANDBOX = "No port may be opened here: this is a sandbox."
_IDLE = 60
"""Seconds that an idle connection is kept: longer than anybody waits here, since a request that
meets the end of its connection is lost."""
_BEAT = 0.25
"""Seconds between looks at how late a loop is."""
_STUCK = 1.0
"""Seconds after which a loop that does not answer counts as blocked."""


class _Interrupted(BaseException):
    """Raised inside a handler that blocks the server's loop while the server is stopped."""


class Lateness:
    """How long an event loop was kept from what was due.

    Counted in seconds of this process's own processor time: a machine that has other things to do
    makes every loop late, and says nothing about this one.

    Args:
        loop: The loop; `beat` is called in it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._last = time.process_time()
        self._worst = 0.0
        self._over = False

    def beat(self) -> None:
        """Take note of how late this call is, and have it called again."""
        self._worst = self.worst
        self._last = time.process_time()
        if not self._over:
            self._loop.call_later(_BEAT, self.beat)

    @property
    def worst(self) -> float:
        """Seconds that the process worked at most while the loop did not come round."""
        return max(self._worst, time.process_time() - self._last)

    def end(self) -> float:
        """Measure no more, and return the worst."""
        self._over = True
        return self.worst


class NoSocketsError(OSError):
    """The process may not open a socket, as in a grader's sandbox."""


class BackgroundServer:
    """A running ASGI app behind a real socket.

    Use it as a context manager, or call `start` and `stop`. A server runs once: make a new one
    to serve again.

    Args:
        app: Any ASGI 3 application.
        uds: Path of the Unix socket to listen on; the process's umask decides who may connect.
            Without it the server takes a free TCP port of 127.0.0.1.
        listening: A TCP socket that listens already, to take instead; it is closed at the end.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        uds: str | os.PathLike[str] | None = None,
        listening: socket.socket | None = None,
    ) -> None:
        if not callable(app):
            raise TypeError(
                f"A server needs an ASGI app such as FastAPI(), not {type(app).__name__} {app!r}."
            )
        self.uds = None if uds is None else Path(uds)
        self.port: int | None = None
        """The TCP port once started; None on a Unix socket."""
        self._listening = listening
        self._recorder = Recorder(app)
        self._ready = threading.Event()
        self._stop_heard = threading.Event()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL without a slash at its end; on a Unix socket its host means nothing."""
        return "http://localhost" if self.port is None else f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the server's thread lives."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, *, timeout: float = 30.0) -> Self:
        """Start, and return when the app's start-up is done and the socket answers.

        Args:
            timeout: Seconds that the app's start-up may take.

        Raises:
            BaseException: whatever the app itself raised in its lifespan start-up.
            AppStartupError: The app reported a failed start-up without raising.
            NoSocketsError: The process may not open a socket.
            TimeoutError: The start-up did not end in time.
            RuntimeError: The server was started before.
        """
        if self._thread is not None:
            raise RuntimeError("This server was started before. Make a new one to serve again.")
        config = uvicorn.Config(
            self._recorder,
            interface="asgi3",
            log_config=None,
            ws_ping_interval=None,
            timeout_keep_alive=_IDLE,
        )
        self._uvicorn = QuickUvicorn(config, self._ready)
        self._socket = self._bind()
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._on_loop_error)
        self._main = self._loop.create_task(self._serve())
        self._thread = threading.Thread(target=self._run, name=f"serve {self.url}", daemon=True)
        try:
            self._thread.start()
            in_time = self._ready.wait(timeout)
        except BaseException:
            self.stop()
            raise
        if in_time and self._failure is None:
            return self
        self.stop()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        raise TimeoutError(
            f"The app's start-up did not end within {timeout:g} s. Look at its lifespan function: "
            "does it wait for something that never comes, or lack its `yield`?"
        )

    def stop(self) -> None:
        """Stop: end open requests, run the app's shut-down code, free the socket and the thread.

        Quick also while clients keep connections, streams or WebSockets open: those get a
        twentieth of a second. Calling it again does nothing. Exceptions of the shut-down code
        are among `take_errors`.
        """
        thread = self._thread
        if thread is None or not thread.is_alive():
            return
        self._recorder.stopping = True
        with contextlib.suppress(RuntimeError):  # the loop closed meanwhile
            self._loop.call_soon_threadsafe(self._order_stop)
        if thread is threading.current_thread():
            return
        if self._stop_heard.wait(_STUCK):
            thread.join(2 * (GRACE + FORCED) + LIFESPAN_END + _STUCK)
        if thread.is_alive():
            self._force(thread)

    def hang_up(self, client: tuple[str, int]) -> None:
        """Break off a client's TCP connection, whatever is under way; for handlers of the app.

        Args:
            client: The client's host and port, as in the ASGI scope.
        """
        for connection in list(self._uvicorn.server_state.connections):
            if getattr(connection, "client", None) == client:
                connection.transport.abort()

    def come_to_rest(self, *, timeout: float) -> bool:
        """Break off every connection and wait until nothing of the app runs; for its owner.

        Args:
            timeout: Seconds to wait.

        Returns:
            Whether the loop answers and nothing is under way any more.
        """
        resting = asyncio.run_coroutine_threadsafe(self._rest(), self._loop)
        try:
            resting.result(timeout)
        except TimeoutError:
            resting.cancel()
            return False
        return True

    async def _rest(self) -> None:
        state = self._uvicorn.server_state
        while state.connections or state.tasks:
            for connection in list(state.connections):
                connection.transport.abort()
            for task in list(state.tasks):
                task.cancel()
            await asyncio.sleep(0)

    def watch(self) -> Lateness:
        """Return what measures from now on how late the server's loop is."""
        lateness = Lateness(self._loop)
        self._loop.call_soon_threadsafe(lateness.beat)
        return lateness

    def take_errors(self, *, since: float = 0.0) -> list[BaseException]:
        """Return the exceptions that the app let through since the last call, oldest first.

        They keep their tracebacks, so the last frame is the app's own line. Only the last 32
        are kept.

        Args:
            since: What came before that, as `time.monotonic` counts, is left out.
        """
        return self._recorder.take(since=since)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _bind(self) -> socket.socket:
        if self._listening is not None:
            self.port = int(self._listening.getsockname()[1])
            return self._listening
        if self.uds is None:
            return self._bind_to_port()
        if self.uds.is_socket():
            self.uds.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self.uds))
        except OSError:
            listener.close()
            raise
        return listener

    def _bind_to_port(self) -> socket.socket:
        # Named TCP, because asyncio then switches Nagle off, which costs 40 ms an answer.
        try:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        except PermissionError as error:
            raise NoSocketsError(_SANDBOX) from error
        try:
            # Refused where only the outside world may be called.
            listener.bind(("127.0.0.1", 0))
        except PermissionError as error:
            listener.close()
            raise NoSocketsError(_SANDBOX) from error
        self.port = int(listener.getsockname()[1])
        return listener

    def _run(self) -> None:
        ident = threading.get_ident()
        quiet_threads.add(ident)
        try:
            # Not asyncio.run: nest_asyncio replaces it by one that shares the caller's loop.
            self._loop.run_until_complete(self._main)
        except BaseException as error:  # noqa: BLE001 - `start` raises it in the caller's thread
            self._failure = self._failure or (None if self._recorder.stopping else error)
        finally:
            self._socket.close()
            if self.uds is not None:
                self.uds.unlink(missing_ok=True)
            self._loop.close()
            self._ready.set()
            self._stop_heard.set()
            quiet_threads.discard(ident)

    async def _serve(self) -> None:
        try:
            await self._uvicorn._serve([self._socket])  # noqa: SLF001 - the way without signals
        except SystemExit:
            self._failure = self._recorder.startup_error
            if self._failure is None:
                raise
        finally:
            self._recorder.stopping = True
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            if others:
                await asyncio.wait(others, timeout=FORCED)
            await self._loop.shutdown_asyncgens()

    def _order_stop(self) -> None:
        self._stop_heard.set()
        self._uvicorn.stop_wanted.set()
        if not self._ready.is_set():
            self._main.cancel()

    def _force(self, thread: threading.Thread) -> None:
        """Wake a loop that a handler blocks; a C call such as `time.sleep` must end first."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(_Interrupted)
            )
        thread.join(_STUCK)

    def _on_loop_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._recorder.add(error)
