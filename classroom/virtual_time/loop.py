"""An event loop whose clock jumps from timer to timer.

Sleeping costs nothing and takes exactly as long as it says. Work in threads takes no virtual
time: the clock stands still until the last thread is done, AnyIO's worker threads included, in
which FastAPI runs `def` functions. It is meant for programs without real sockets.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

from anyio._backends._asyncio import WorkerThread

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_TICKS = 1_000_000_000
"""The clock counts whole nanoseconds, so that sums of fractions stay exact."""


def in_seconds(ticks: int) -> float:
    """Turn ticks of the clock into seconds; the division rounds correctly."""
    return ticks / _TICKS


class StandstillError(RuntimeError):
    """Nothing can go on any more: no timer is set, and no thread has answered in time."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop with a virtual clock that starts at 0.

    Args:
        patience: Real seconds to wait for threads, and for anything else from outside, before
            the loop gives up with `StandstillError`.

    Attributes:
        ticks: The virtual time in nanoseconds.
    """

    def __init__(self, *, patience: float = 10.0) -> None:
        self.ticks = 0
        self._in_threads: set[asyncio.Future[Any]] = set()
        super().__init__(_ClockSelector(self, patience))

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return in_seconds(self.ticks)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run a function in an executor; the clock waits for it."""
        future = super().run_in_executor(executor, func, *args)
        self._in_threads.add(future)
        future.add_done_callback(self._in_threads.discard)
        return future

    def advance(self, seconds: float) -> None:
        """Move the clock on, by one nanosecond at least."""
        self.ticks += max(1, round(seconds * _TICKS))
        # asyncio compares floats; far from 0 two of them are more than a nanosecond apart.
        self._clock_resolution = max(1 / _TICKS, 2 * math.ulp(self.time()))

    def waits_for_threads(self) -> bool:
        """Whether some work of this loop is still in a thread."""
        return any(not future.done() for future in self._in_threads) or any(
            thread.loop is self and not thread.stopping and thread not in thread.idle_workers
            for thread in threading.enumerate()
            if isinstance(thread, WorkerThread)
        )


class _ClockSelector(selectors.DefaultSelector):
    """Moves the clock where a loop would wait for its next timer."""

    def __init__(self, loop: VirtualLoop, patience: float) -> None:
        super().__init__()
        self._loop = loop
        self._patience = patience

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # Asked first: a thread that ends in between has woken the selector by then.
        in_threads = self._loop.waits_for_threads()
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is not None and not in_threads:
            self._loop.advance(timeout)
            return ready
        ready = super().select(self._patience)
        if not ready:
            raise StandstillError(self._reason(in_threads=in_threads))
        return ready

    def _reason(self, *, in_threads: bool) -> str:
        where = f"Virtual time stands still at {self._loop.time():g} s: "
        if in_threads:
            return where + (
                f"a thread has worked for {self._patience:g} real seconds. The clock waits for "
                "threads, so a thread must not itself wait for the clock, for example by "
                "`anyio.from_thread.run(asyncio.sleep, 1)`."
            )
        return where + (
            "every task waits for something that no timer and no thread will bring. Look for an "
            "event that is never set, or a queue that is never filled."
        )
