"""The client that tests use: httpx2's own, which also remembers what was said.

Whatever goes wrong on the wire comes back as a `NoAnswer` with a sentence for the student.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from autograder.checks.bounded import ENCODINGS, Bounded
from autograder.checks.http1 import Transport
from autograder.checks.subject import Endpoint, NoAnswer
from classroom.upstream import current_deadline

_CHARSETS = frozenset(
    ["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252"]
)
"""What text is decoded by. Python knows others that take minutes for a megabyte."""


@dataclass
class Turn:
    """One request and, once it has come, its response.

    Attributes:
        messages: What was said after that on a WebSocket or a stream, each with an arrow.
    """

    request: httpx2.Request
    response: httpx2.Response | None = None
    messages: list[str] = field(default_factory=list)


class Line:
    """An open line to a served submission, for all tests of a cell."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._transport = Transport(endpoint)

    def client(self, *, wait: float) -> Client:
        """Return a fresh client, without cookies, that waits `wait` seconds for an answer."""
        return Client(endpoint=self.endpoint, transport=_Shared(self._transport), wait=wait)

    async def aclose(self) -> None:
        """Hang up."""
        await self._transport.aclose()


class Client(httpx2.AsyncClient):
    """An `httpx2.AsyncClient` bound to the submission.

    Attributes:
        endpoint: Where the submission listens.
        turns: What was asked and answered so far, oldest first.
    """

    def __init__(
        self, *, endpoint: Endpoint, transport: httpx2.AsyncBaseTransport, wait: float
    ) -> None:
        super().__init__(
            base_url=endpoint.base_url,
            transport=transport,
            timeout=None,
            trust_env=False,
            headers={"accept-encoding": ", ".join(ENCODINGS)},
        )
        self.endpoint = endpoint
        self.turns: list[Turn] = []
        self._wait = wait

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request, remember it and its response.

        Raises:
            NoAnswer: Nothing usable came back in time.
        """
        turn = Turn(request)
        self.turns.append(turn)
        what = f"{request.method} {request.url.raw_path.decode('ascii', 'replace')}"
        try:
            async with asyncio.timeout(self._wait), _noticed(f"an answer to {what}"):
                turn.response = await super().send(request, **options)
        except TimeoutError:
            raise NoAnswer(
                f"Your app had not answered {what} after {self._wait:g} seconds.",
                stood_still=True,
            ) from None
        except httpx2.ConnectError:
            raise NoAnswer(f"Nothing accepted the connection for {what}.") from None
        except httpx2.TransportError as error:
            raise NoAnswer(
                f"Your app broke off the connection while it answered {what} ({error})."
            ) from None
        if (turn.response.charset_encoding or "utf-8").lower() not in _CHARSETS:
            turn.response.encoding = "utf-8"
        return turn.response


@asynccontextmanager
async def _noticed(what: str) -> AsyncIterator[None]:
    """Say what is being waited for, once that has taken a while."""
    deadline = current_deadline()
    loop = asyncio.get_running_loop()
    timer = loop.call_later(deadline.notice_after, deadline.notice, f"waiting for {what}")
    try:
        yield
    finally:
        timer.cancel()


class _Shared(httpx2.AsyncBaseTransport):
    """Lends a transport to a client: closing the client leaves it open."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._transport.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        try:
            response.stream = Bounded(response.stream, response.headers.get("content-encoding", ""))
        except NoAnswer:
            await response.aclose()
            raise
        return response
