"""The client that tests use: httpx2's own, which also remembers what was said.

Whatever goes wrong on the wire comes back as a `NoAnswer` with a sentence for the student.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from autograder.checks.subject import Endpoint
from classroom.upstream import current_deadline

MAX_BODY = 16 * 2**20
"""Bytes of one answer that are read; no lab asks for more, and a hostile one never ends."""


class NoAnswer(AssertionError):
    """The submission gave no usable answer; the message tells the student what happened."""


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
        # TLS is never used here, and its set-up would cost 20 ms.
        # No connection is used twice: after a 500 the app's server hangs up, a moment later.
        once = httpx2.Limits(max_keepalive_connections=0)
        self._transport = httpx2.AsyncHTTPTransport(uds=endpoint.uds, verify=False, limits=once)

    def client(self, *, wait: float) -> Client:
        """Return a fresh client, without cookies, that waits `wait` seconds for an answer."""
        return Client(endpoint=self.endpoint, transport=_Shared(self._transport), wait=wait)

    async def aclose(self) -> None:
        """Hang up."""
        await self._transport.aclose()


class Client(httpx2.AsyncClient):
    """An `httpx2.AsyncClient` bound to the submission.

    Attributes:
        turns: What was asked and answered so far, oldest first.
    """

    def __init__(
        self, *, endpoint: Endpoint, transport: httpx2.AsyncBaseTransport, wait: float
    ) -> None:
        super().__init__(
            base_url=endpoint.base_url, transport=transport, timeout=None, trust_env=False
        )
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
                f"Your app had not answered {what} after {self._wait:g} seconds."
            ) from None
        except httpx2.ConnectError:
            raise NoAnswer(f"Nothing accepted the connection for {what}.") from None
        except httpx2.TransportError as error:
            raise NoAnswer(
                f"Your app broke off the connection while it answered {what} ({error})."
            ) from None
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
        response.stream = _Bounded(response.stream)
        return response


class _Bounded(httpx2.AsyncByteStream):
    """Stops reading a body that does not end."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async with aclosing(_chunks(self._stream)) as chunks:
            async for chunk in chunks:
                received += len(chunk)
                if received > MAX_BODY:
                    raise NoAnswer(
                        f"The answer's body is longer than {MAX_BODY // 2**20} MB: reading stopped."
                    )
                yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _chunks(stream: httpx2.AsyncByteStream) -> AsyncGenerator[bytes]:
    async for chunk in stream:
        yield chunk
