"""`watch(app, requests)`: fire requests at an app and see what happened when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future

import httpx2
from starlette.types import ASGIApp

from classroom.asgi_trace import Trace
from classroom.serving import BackgroundServer
from classroom.timeline.asks import Ask, Shot, fire, read_asks
from classroom.timeline.calls import recorded_calls
from classroom.timeline.heartbeat import Heartbeat
from classroom.timeline.timeline import Timeline, assemble
from classroom.virtual_time import VirtualDesk, in_virtual_time

_PATIENCE = 60.0
"""Seconds after which a request, or a loop that does not beat, is given up."""
_CALM = 4
"""Beats of a free loop before the first request and after the last answer."""


def watch(
    app: ASGIApp, requests: Sequence[str | Ask], *, virtual: bool = False, every: float = 0.01
) -> Timeline:
    """Send requests at the same time and record what client, app and loop did, and when.

    The app is served by a real uvicorn in a thread of its own, with its lifespan, for the time of
    the call; the requests come from another thread. While it is watched, its routes note their
    calls; afterwards they are as before.

    Args:
        app: A FastAPI app; of another ASGI app the functions are not seen, all else is.
        requests: Such as `["/slow"] * 4`, `"POST /chats"`, or an `Ask` with a body or a start.
        virtual: Run app and requests in virtual time instead: exact, quick, and without a
            heartbeat, since a blocked loop takes no virtual time.
        every: Seconds between two beats.

    Returns:
        A `Timeline`, which a notebook shows as a drawing.

    Raises:
        BaseException: Whatever the app raised while it started.

    Example:
        >>> watch(app, ["/slow"] * 4).longest_gap
        0.805
    """
    asks = read_asks(requests)
    return _watch_virtually(app, asks) if virtual else _watch(app, asks, every)


def _watch(app: ASGIApp, asks: list[Ask], every: float) -> Timeline:
    trace = Trace(app)
    heart = Heartbeat(trace, every=every)
    with recorded_calls(app) as record, BackgroundServer(heart) as server:
        heart.wait_for_more(_CALM, timeout=_PATIENCE)
        shots = _fire_from_a_thread(server.url, asks)
        heart.wait_for_more(_CALM, timeout=_PATIENCE)
        beats = heart.beats
    first = min(shot.sent for shot in shots) - _CALM * every
    beats = tuple(beat for beat in beats if beat >= first)
    return assemble(shots, trace.visits, record.calls, beats, every=every, virtual=False)


def _watch_virtually(app: ASGIApp, asks: list[Ask]) -> Timeline:
    trace = Trace(app)

    async def scenario(desk: VirtualDesk) -> list[Shot]:
        return await fire(desk.client, asks)

    with recorded_calls(app) as record:
        shots = in_virtual_time(scenario, trace).result
    return assemble(shots, trace.visits, record.calls, (), every=0.0, virtual=True)


def _fire_from_a_thread(url: str, asks: list[Ask]) -> list[Shot]:
    """Send from a loop of its own, which neither the app nor a notebook can hold up."""
    outcome: Future[list[Shot]] = Future()

    def run() -> None:
        # Not asyncio.run: nest_asyncio replaces it by one that shares the caller's loop.
        loop = asyncio.new_event_loop()
        try:
            outcome.set_result(loop.run_until_complete(_fire(url, asks)))
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            outcome.set_exception(error)
        finally:
            loop.close()

    threading.Thread(target=run, name="requests", daemon=True).start()
    return outcome.result()


async def _fire(url: str, asks: list[Ask]) -> list[Shot]:
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx2.AsyncClient(
        base_url=url, limits=limits, timeout=_PATIENCE, trust_env=False, verify=False
    ) as client:
        return await fire(client, asks)
