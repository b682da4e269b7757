"""Uvicorn for a thread of a notebook: silent, and quick to start and to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket
    import threading

GRACE = 0.05
"""Seconds that open requests get to finish by themselves, and again to notice the closed line."""
FORCED = 0.5
"""Seconds that cancelled tasks get to clean up."""
LIFESPAN_END = 2.0
"""Seconds that the app's shut-down code gets."""

quiet_threads: set[int] = set()
"""Ids of the threads whose servers log nothing; a student's own uvicorn still does."""


def _is_not_ours(record: logging.LogRecord) -> bool:
    return record.thread not in quiet_threads


def _is_not_a_closed_socket(record: logging.LogRecord) -> bool:
    """Drop what asyncio says when a server writes to a client that has left."""
    return record.msg != "socket.send() raised exception."


logging.getLogger("asyncio").addFilter(_is_not_a_closed_socket)
for _name in ("uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
    logging.getLogger(_name).addFilter(_is_not_ours)


class QuickUvicorn(uvicorn.Server):
    """Uvicorn that starts and stops on an event instead of by polling."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self.ready = ready
        self.stop_wanted = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        await self.on_tick(0)
        self.ready.set()

    async def main_loop(self) -> None:
        """Serve until a stop is wanted."""
        while not self.stop_wanted.is_set():
            await self.on_tick(0)  # tick 0 renews the Date header
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stop_wanted.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End requests, at first gently, then the app's lifespan."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._drain(GRACE)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self._drain(GRACE)
        for task in list(self.server_state.tasks):
            task.cancel()
        await self._drain(FORCED)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.lifespan.shutdown(), LIFESPAN_END)

    async def _drain(self, seconds: float) -> None:
        if tasks := list(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=seconds)
