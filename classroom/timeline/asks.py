"""Fire several requests at once and note when each was sent and answered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

MARK = "x-watched"
"""The header that says which request of a timeline this is."""


@dataclass(frozen=True)
class Ask:
    """One request to fire.

    Attributes:
        path: Path and query.
        method: HTTP method.
        json: The body, where there is one.
        at: Seconds after the first request at which to send it.
        label: What to call it; method and path by default.
    """

    path: str
    method: str = "GET"
    json: Any = None
    at: float = 0.0
    label: str = ""

    @property
    def name(self) -> str:
        """What the drawing calls it."""
        return self.label or f"{self.method} {self.path}"


@dataclass(frozen=True)
class Shot:
    """What the client saw of one request; times in seconds on its loop's clock."""

    ask: Ask
    sent: float
    answered: float
    status: int | None
    error: str | None


def read_asks(requests: Iterable[str | Ask]) -> list[Ask]:
    """Read requests such as `/slow` or `POST /chats`.

    Args:
        requests: One entry per request.

    Raises:
        ValueError: There is none, or a text is neither a path nor a method and a path.
    """
    asks = [request if isinstance(request, Ask) else _read(request) for request in requests]
    if not asks:
        raise ValueError('There is nothing to watch. Give requests, such as ["/slow"] * 4.')
    return asks


def _read(text: str) -> Ask:
    match = re.fullmatch(r"(?:([A-Z]+) )?(/\S*)", text)
    if match is None:
        raise ValueError(f"{text!r} is no request. Write '/path' or 'POST /path', or use Ask(...).")
    return Ask(match[2], match[1] or "GET")


async def fire(client: httpx2.AsyncClient, asks: Sequence[Ask]) -> list[Shot]:
    """Send all requests, each at its time, and wait for all answers.

    Args:
        client: A client of the app.
        asks: What to send; all with the same `at` leave together.
    """
    return list(await asyncio.gather(*(_one(client, turn, ask) for turn, ask in enumerate(asks))))


async def _one(client: httpx2.AsyncClient, turn: int, ask: Ask) -> Shot:
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(ask.at)
    status = error = None
    body = {} if ask.json is None else {"json": ask.json}
    sent = clock()
    try:
        reply = await client.request(ask.method, ask.path, headers={MARK: str(turn)}, **body)
        status = reply.status_code
    except Exception as failure:  # noqa: BLE001 - one failed request does not end the others
        error = f"{type(failure).__name__}: {failure}".removesuffix(": ")
    return Shot(ask, sent, clock(), status, error)
