"""Runs a test that a student wrote against an app at an address."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import httpx2

from classroom.own_loop import completed
from classroom.sole_error import sole_error


def run_with_client(test: Callable[..., Any], url: str) -> None:
    """Call a test with a client of the app; whatever it raises is its verdict.

    A group of one error, as a WebSocket's block makes of whatever is raised in it, counts as
    that error.

    Args:
        test: A function that takes the client: `httpx2.AsyncClient` for a coroutine function,
            `httpx2.Client` for a plain one.
        url: The app's address.
    """
    try:
        _run(test, url)
    except BaseExceptionGroup as group:
        raise sole_error(group) from None


def _run(test: Callable[..., Any], url: str) -> None:
    if inspect.iscoroutinefunction(test):
        completed(_awaited(test, url))
        return
    with httpx2.Client(base_url=url, trust_env=False, verify=False) as client:
        test(client)


async def _awaited(test: Callable[..., Any], url: str) -> None:
    async with httpx2.AsyncClient(base_url=url, trust_env=False, verify=False) as client:
        await test(client)
