"""One question to the outside world, over a connection of its own.

It does what an HTTP client would, for the only answers that the outside world gives to it, in a
quarter of the time: a check of a lab asks hundreds of them.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ["ErrandError", "post"]

_LARGEST_HEAD: Final = 2**16
_FIRST_ERROR: Final = 400


class ErrandError(RuntimeError):
    """The other side answered with an error, or not at all."""


async def post(url: str, value: Any, *, seconds: float = 60.0) -> Any:
    """Send a value as JSON by POST, and return the JSON that comes back; None if none does.

    Args:
        url: An address that begins with `http://`.
        value: What to send.
        seconds: How long the whole of it may take.

    Raises:
        ErrandError: The answer is an error, is no JSON, or breaks off.
        OSError: Nobody answers there; a `TimeoutError` if not in time.
    """
    async with asyncio.timeout(seconds):
        status, answer = await _exchange(url, json.dumps(value).encode())
    if status >= _FIRST_ERROR:
        raise ErrandError(f"{status} {answer.decode(errors='replace')[:200]}")
    return _value(answer)


async def _exchange(url: str, body: bytes) -> tuple[int, bytes]:
    """Send the body and return the answer's status and body."""
    address = urlsplit(url)
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(
        address.hostname, address.port or 80, limit=_LARGEST_HEAD
    )
    try:
        writer.write(head.encode("latin-1") + body)
        return await _answer(reader)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the status and the body, whose length the head states."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.splitlines()
        headers = {name.lower(): value for name, _, value in (one.partition(":") for one in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return int(first.split()[1]), body
    except (EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
        raise ErrandError("The answer broke off.") from error


def _value(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError as error:
        raise ErrandError("The answer is no JSON.") from error
