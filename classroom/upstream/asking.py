"""The owner's side of a request to the app, while its calls stand at a gate."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import httpx2

from classroom.upstream.board import Board
from classroom.upstream.deadline import GateClosed, Sentence, said, wait

if TYPE_CHECKING:
    from classroom.upstream.gate import Gate

T = TypeVar("T")
U = TypeVar("U")

AFTERMATH = 0.5
"""Seconds that a request gets to end once its gate is decided and open; decides nothing."""


class StreamedReply(Protocol):
    """A response whose body is still to be read, such as `client.stream(...)` gives."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Return the pieces of the body as they come."""


Stream = AbstractAsyncContextManager[Any] | AsyncIterable[str | bytes]
"""`client.stream(...)`, or anything that yields pieces of text, such as a WebSocket's messages."""


class Asked(Generic[T]):
    """A request that is under way."""

    def __init__(self, request: Awaitable[T]) -> None:
        self._task: asyncio.Future[T] = asyncio.ensure_future(request)

    @property
    def answered(self) -> bool:
        """Whether it is over."""
        return self._task.done()

    async def only_after(self, event: Coroutine[Any, Any, U], *, otherwise: Sentence) -> U:
        """Wait for `event`, which must come before the answer does.

        Raises:
            GateClosed: The answer came first (with `otherwise`), or `event` gave up.
        """
        waiting = asyncio.ensure_future(event)
        try:
            if not await self._first(waiting):
                raise GateClosed(f"{said(otherwise)} {self._what_came()}".rstrip())
            return waiting.result()
        finally:
            await _end(waiting)

    async def or_answer(self, event: Coroutine[Any, Any, object]) -> None:
        """Wait for `event` or for the answer, whichever comes first.

        Raises:
            GateClosed: `event` gave up.
        """
        waiting = asyncio.ensure_future(event)
        try:
            if await self._first(waiting):
                waiting.result()
        finally:
            await _end(waiting)

    async def _first(self, event: asyncio.Future[Any]) -> bool:
        """Wait for an event or the answer; return whether the event came first."""
        await asyncio.wait({event, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if event.done():
            return True
        error = _error_of(self._task)
        if error is None:
            return False
        if not timed_out(error):
            raise error
        # The request's own time was over; what the gate saw until its deadline says more.
        await asyncio.wait({event})
        return True

    async def answer(self, *, otherwise: Sentence) -> T:
        """Return the answer.

        Raises:
            GateClosed: It had not come at the deadline.
        """
        waiting = asyncio.wait({self._task})
        await wait(waiting, what="the answer", otherwise=otherwise)
        error = _error_of(self._task)
        if error is not None and timed_out(error):
            raise GateClosed(said(otherwise), stood_still=True) from error
        return self._task.result()

    async def leave(self) -> None:
        """Disconnect without waiting for the answer."""
        await _end(self._task)

    def _what_came(self) -> str:
        status = getattr(self._task.result(), "status_code", None)
        return "" if status is None else f"The app answered {status} before that."


@asynccontextmanager
async def asking(request: Awaitable[T], gate: Gate) -> AsyncIterator[Asked[T]]:
    """Send a request; on leaving, open the gate and let the request come to its end."""
    asked = Asked(request)
    try:
        yield asked
    finally:
        gate.open()
        await asyncio.wait({asked._task}, timeout=AFTERMATH)  # noqa: SLF001 - of this module
        await asked.leave()


@dataclass
class Received:
    """What has come of a stream so far.

    Attributes:
        status_code: The HTTP status; None before it came, and where there is none.
        headers: The response's headers.
        text: The body so far, as text.
        ended: Whether nothing more will come.
        error: What broke the stream off.
    """

    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    ended: bool = False
    error: Exception | None = None
    board: Board = field(default_factory=Board, repr=False)

    async def read(self, stream: Stream) -> Received:
        """Read a stream to its end."""
        try:
            if isinstance(stream, AbstractAsyncContextManager):
                async with stream as reply:
                    self.status_code, self.headers = reply.status_code, reply.headers
                    await self._take(reply.aiter_bytes())
            else:
                await self._take(stream)
        except Exception as error:
            # The reader's own time being over is no end: the gate's deadline says what it means.
            if not timed_out(error):
                self._end(error)
            raise
        self._end()
        return self

    def _end(self, error: Exception | None = None) -> None:
        with self.board.changing():
            self.error = error
            self.ended = True

    async def _take(self, pieces: AsyncIterable[str | bytes]) -> None:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        async for piece in pieces:
            with self.board.changing():
                self.text += piece if isinstance(piece, str) else decode(piece)

    def has(self, word: str) -> bool:
        """Whether a word has come, whatever its case."""
        return word.strip().casefold() in self.text.casefold()

    async def word(self, word: str, *, otherwise: Sentence) -> None:
        """Wait until a word has come.

        Raises:
            GateClosed: It had not come at the deadline, or the stream ended without it.
        """
        came = self.board.until(lambda: self.ended or self.has(word))
        await wait(came, what=f"the word {word.strip()!r} to reach the client", otherwise=otherwise)
        if not self.has(word):
            status = "" if self.status_code is None else f" (status {self.status_code})"
            end = "ended" if self.error is None else "broke off"
            sentence = f"The stream{status} {end} before {word.strip()!r} came."
            raise GateClosed(sentence) from self.error


def timed_out(error: BaseException | None) -> bool:
    """Whether an error says, itself or by what it came from, that a time was over."""
    while error is not None:
        if isinstance(error, (TimeoutError, httpx2.TimeoutException)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _error_of(task: asyncio.Future[Any]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


async def _end(task: asyncio.Future[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
    _error_of(task)  # seen, so that asyncio does not complain
