"""A heartbeat on an app's event loop: as long as it beats, the loop is free."""

from __future__ import annotations

import asyncio
import threading

from starlette.types import ASGIApp, Receive, Scope, Send


class Heartbeat:
    """An ASGI app around another one, with a task on its loop that notes each beat.

    The task begins with the first call, which of a served app is its lifespan, and ends with the
    loop.

    Args:
        app: Any ASGI 3 application.
        every: Seconds between two beats of a free loop.
    """

    def __init__(self, app: ASGIApp, *, every: float) -> None:
        self.app = app
        self.every = every
        self._beats: list[float] = []
        self._beaten = threading.Condition()
        self._task: asyncio.Task[None] | None = None

    @property
    def beats(self) -> tuple[float, ...]:
        """When the loop was free, in seconds on its clock."""
        return tuple(self._beats)

    def wait_for_more(self, count: int, *, timeout: float) -> bool:
        """Wait, from another thread, until the heart has beaten some more times.

        Args:
            count: How many beats to wait for.
            timeout: Seconds after which to give up and return False.
        """
        with self._beaten:
            enough = len(self._beats) + count
            return self._beaten.wait_for(lambda: len(self._beats) >= enough, timeout)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on to the app."""
        if self._task is None:
            self._task = asyncio.create_task(self._beat(), name="heartbeat")
        await self.app(scope, receive, send)

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            with self._beaten:
                self._beats.append(clock())
                self._beaten.notify_all()
            await asyncio.sleep(self.every)
