"""Run a scenario against an app in virtual time, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from classroom.asgi_trace import Trace, Visit
from classroom.lifespan import lifespan_of
from classroom.virtual_time.loop import VirtualLoop, in_seconds
from classroom.virtual_time.transport import InProcessTransport

T = TypeVar("T")
_Outcome = tuple[T, int, tuple[Visit, ...]]
"""A scenario's result, the clock's ticks that it took, and what the app saw."""

_LATE = 60.0
"""Virtual seconds that requests which nobody waits for get after the scenario's end."""


class VirtualDesk:
    """An app in virtual time, as a scenario sees it.

    Attributes:
        client: An `httpx2.AsyncClient` of the app without time limit. Answers stream, and
            `client.websocket("ws://desk/...")` works.
        app: The traced app, for whoever wants to call it as ASGI.
        began: The clock's ticks when the scenario began.
    """

    def __init__(self, app: Trace, client: httpx2.AsyncClient, loop: VirtualLoop) -> None:
        self.app = app
        self.client = client
        self._loop = loop
        self.began = loop.ticks

    @property
    def now(self) -> float:
        """Virtual seconds since the scenario began, exact to the nanosecond."""
        return in_seconds(self._loop.ticks - self.began)


@dataclass(frozen=True)
class VirtualRun(Generic[T]):
    """What came of a scenario.

    Attributes:
        result: What it returned.
        seconds: The virtual seconds that it took, exact to the nanosecond.
        real_seconds: The time that you waited.
        visits: The requests that the app saw; times count from the scenario's begin.
    """

    result: T
    seconds: float
    real_seconds: float
    visits: tuple[Visit, ...]

    def __str__(self) -> str:
        return f"{self.seconds:g} s of virtual time, in {self.real_seconds * 1000:.0f} ms"


def in_virtual_time(
    scenario: Callable[[VirtualDesk], Awaitable[T]],
    app: ASGIApp | None = None,
    *,
    patience: float = 10.0,
) -> VirtualRun[T]:
    """Run an async scenario on a loop whose clock jumps from timer to timer.

    The call returns when the scenario is done. It works inside a notebook, whose own loop waits
    meanwhile, also after `nest_asyncio.apply()`. The app runs with its lifespan in the same loop.

    Work in threads takes no virtual time: the clock waits for it, be it a `def` function of the
    app or `asyncio.to_thread`. `time.sleep` and `time.time` go by the real clock, so that a
    blocked loop shows as 0 virtual seconds.

    Args:
        scenario: An async function of one argument, the `VirtualDesk`.
        app: The ASGI app to talk to. Without one there is nobody at the desk, which is enough
            for plain asyncio code.
        patience: Real seconds to wait for a thread before giving up.

    Raises:
        StandstillError: Nothing could go on any more.
        BaseException: Whatever the scenario, or the app's lifespan, raised.
    """
    began = time.perf_counter()
    loop = VirtualLoop(patience=patience)
    outcome: Future[_Outcome[T]] = Future()
    play = _play(scenario, app or _nobody, loop)
    threading.Thread(
        target=copy_context().run,
        args=(_run, loop, play, outcome),
        name="virtual time",
        daemon=True,
    ).start()
    try:
        result, ticks, visits = outcome.result()
    except KeyboardInterrupt:
        with contextlib.suppress(RuntimeError):  # the loop closed meanwhile
            loop.call_soon_threadsafe(_cancel_all, loop)
        raise
    return VirtualRun(result, in_seconds(ticks), time.perf_counter() - began, visits)


def _run(
    loop: VirtualLoop, play: Coroutine[Any, Any, _Outcome[T]], outcome: Future[_Outcome[T]]
) -> None:
    # Not asyncio.run: nest_asyncio replaces it by one that shares the caller's loop.
    try:
        played = loop.run_until_complete(play)
    except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
        ended = partial(outcome.set_exception, error)
    else:
        ended = partial(outcome.set_result, played)
    with contextlib.suppress(BaseException):
        loop.run_until_complete(_clear_up(loop))
    loop.close()
    ended()


async def _play(
    scenario: Callable[[VirtualDesk], Awaitable[T]], app: ASGIApp, loop: VirtualLoop
) -> _Outcome[T]:
    trace = Trace(app)
    async with lifespan_of(app) as state:
        transport = InProcessTransport(trace, state)
        client = httpx2.AsyncClient(transport=transport, base_url="http://desk", timeout=None)
        async with client:
            desk = VirtualDesk(trace, client, loop)
            # Waited for, not awaited: the client's task group would wrap what it raises.
            played = asyncio.ensure_future(scenario(desk))
            await asyncio.wait([played])
            ticks = loop.ticks - desk.began
            await transport.hang_up(grace=_LATE)
        result = await played
    return result, ticks, tuple(visit.since(in_seconds(desk.began)) for visit in trace.visits)


async def _clear_up(loop: VirtualLoop) -> None:
    tasks = _cancel_all(loop)
    await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()


def _cancel_all(loop: VirtualLoop) -> list[asyncio.Task[Any]]:
    running = None
    with contextlib.suppress(RuntimeError):
        running = asyncio.current_task()
    tasks = [task for task in asyncio.all_tasks(loop) if task is not running]
    for task in tasks:
        task.cancel()
    return tasks


async def _nobody(scope: Scope, _receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise RuntimeError("There is no app in this scenario.")
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"There is no app in this scenario."})
