"""Runs a coroutine from plain code, on an event loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


def completed(work: Awaitable[T]) -> T:
    """Return what an awaitable gives, in a thread where no loop runs.

    Not by `asyncio.run`, which nest_asyncio replaces in a student's kernel.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_awaited(work))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _awaited(work: Awaitable[T]) -> T:
    return await work
