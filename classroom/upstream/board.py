"""Facts that threads share, and a way to wait for them on any event loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Board:
    """One lock over some facts; whoever changes them wakes those who wait for them.

    The server changes facts on its own thread, the owner on another, and both wait: each on
    its own event loop. A fact is any function without arguments that says yes or no.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._waiting: dict[Future[None], Callable[[], bool]] = {}
        self.server_loop: asyncio.AbstractEventLoop | None = None
        """The loop of the server that changes the facts, once it has had a call."""

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock while facts change, then wake everyone whose fact has come true."""
        with self._lock:
            yield
            for future in [future for future, fact in self._waiting.items() if fact()]:
                del self._waiting[future]
                if future.set_running_or_notify_cancel():
                    future.set_result(None)

    async def settle(self) -> None:
        """Let the server read whatever has been sent to it by now."""
        if self.server_loop is not None:
            turns = asyncio.run_coroutine_threadsafe(_turn(), self.server_loop)
            await asyncio.wrap_future(turns)

    async def until(self, fact: Callable[[], bool]) -> None:
        """Return when `fact` holds; at once if it does already."""
        future: Future[None] = Future()
        with self._lock:
            if fact():
                return
            self._waiting[future] = fact
        try:
            await asyncio.wrap_future(future)
        finally:
            with self._lock:
                self._waiting.pop(future, None)


async def _turn() -> None:
    """Let this loop go round often enough to accept, read, parse and note a request."""
    for _ in range(20):
        await asyncio.sleep(0)
