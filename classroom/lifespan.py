"""Run an app's lifespan around a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message


@asynccontextmanager
async def lifespan_of(app: ASGIApp) -> AsyncIterator[dict[str, Any]]:
    """Start an app, and shut it down at the end of the block.

    An app without a lifespan is fine: it raises at the question, as ASGI says.

    Args:
        app: The ASGI app.

    Yields:
        What the app's start-up left in its state.

    Raises:
        BaseException: Whatever the start-up or the shut-down raised.
        RuntimeError: The app reported a failed start-up and raised nothing.
    """
    state: dict[str, Any] = {}
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
    task = asyncio.ensure_future(app(scope, to_app.get, from_app.put))
    try:
        to_app.put_nowait({"type": "lifespan.startup"})
        knows_lifespan = await _answer(task, from_app)
        try:
            yield state
        finally:
            if knows_lifespan:
                to_app.put_nowait({"type": "lifespan.shutdown"})
                await _answer(task, from_app)
                await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _answer(task: asyncio.Future[None], from_app: asyncio.Queue[Message]) -> bool:
    """Wait for the app's word; False when it ended without one."""
    word = asyncio.ensure_future(from_app.get())
    await asyncio.wait((task, word), return_when=asyncio.FIRST_COMPLETED)
    if not word.done():
        word.cancel()
        return False
    message = word.result()
    if message["type"].endswith(".failed"):
        await task
        raise RuntimeError(f"The app did not start or stop: {message.get('message') or 'no why'}")
    return True
