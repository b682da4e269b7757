"""The six questions about concurrency that are decided by order, never by a clock.

Each helper sends the test's request while `upstream` holds the calls that the app makes, and
looks at what comes first. A right app passes at once. A wrong one stands still until the
current `Deadline`, which ends the wait and decides nothing else, and `GateClosed` says in a
sentence for the student what that means. Then whatever is held is let go.

Every helper takes the request as it would be awaited, `client.get("/report")`, or for streams
as it would be entered, `client.stream("POST", "/chat", json=...)`; the service that the app
calls (`to`); and `about`, a text by which calls that an earlier test left behind are told apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from classroom.upstream import CallState, Deadline, Gate, GateClosed, TokenGate, within
from classroom.upstream.asking import Asked, Received, Stream, asking, timed_out
from classroom.upstream.chat import Chat
from classroom.upstream.deadline import wait

if TYPE_CHECKING:
    from classroom.upstream.call import About
    from classroom.upstream.service import Service

__all__ = [
    "Deadline",
    "GateClosed",
    "at_most",
    "cancelled_on_leave",
    "in_the_background",
    "loop_is_free",
    "streamed",
    "together",
    "within",
]

T = TypeVar("T")

PINGS = 3
"""Answered pings after which everything that an app is going to call has been called."""
ROUNDS = 12
"""Rounds in which one call is released; later rounds release all that are held."""
PACE = 0.2
"""Seconds between tokens to an app whose client has left; decides nothing.

Long, because a token that arrives together with the news of the leaving finds a generator at its
`yield`, where FastAPI's JSON Lines leave it to the garbage collector.
"""
WORDS = ("Quokkas", " juggle", " velvet", " lanterns")
"""What the model says while its stream is gated: words that no app says by itself."""

_NO_ANSWER = "The app's calls were let through, but its own answer did not come in time."
_NUMBERS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


class Pingable(Protocol):
    """The part of `httpx2.AsyncClient` that a ping needs."""

    async def get(self, url: str) -> Any:
        """Ask for a page."""


async def together(request: Awaitable[T], *, calls: int, to: Service, about: About = None) -> T:
    """Show that one request's calls are open at the same time; return its answer.

    None of the calls is answered before all of them have arrived.

    Raises:
        GateClosed: They did not all arrive while the first was open.
    """

    def sentence() -> str:
        came = len(gate.calls)
        if not came:
            return _nothing_came(gate)
        return (
            f"The {_number(came + 1)} call to {gate.name} did not come while the "
            f"{'first was' if came == 1 else f'{came} before it were'} still open: "
            + ("they run one after the other." if came == 1 else "they do not all run together.")
        )

    async with to.hold(about) as gate, asking(request, gate) as asked:
        await asked.only_after(gate.arrived(calls, otherwise=sentence), otherwise=sentence)
        gate.open()
        return await _answer(asked)


async def at_most(
    limit: int,
    request: Awaitable[T],
    *,
    to: Service,
    client: Pingable,
    ping: str = "/ping",
    about: About = None,
) -> T:
    """Show that no more than `limit` of a request's calls are open at once; return its answer.

    One-sided: it never fails an app that keeps the limit, however slow. An app that breaks it
    is caught over several rounds, each of which lets the app turn (pings), looks, and releases
    one call. Ask for at least three times as many calls as the limit allows.

    Raises:
        GateClosed: More calls were open, or the app was blocked while they were.
    """
    async with to.hold(about) as gate, asking(request, gate) as asked:
        came = gate.arrived(otherwise=lambda: _nothing_came(gate))
        await asked.only_after(came, otherwise=lambda: _nothing_came(gate))
        turn = 0
        while not asked.answered:
            turn += 1
            for _ in range(PINGS):
                await _ping(client, ping, gate)
            await gate.settle()
            if len(gate.held) > limit:
                raise GateClosed(
                    f"{len(gate.held)} calls to {gate.name} were open at once; "
                    f"at most {limit} may be."
                )
            gate.release(1 if turn <= ROUNDS else limit)
            await asked.or_answer(gate.holding(otherwise=_NO_ANSWER))
        return await _answer(asked)


async def loop_is_free(
    request: Awaitable[T],
    *,
    to: Service,
    client: Pingable,
    ping: str = "/ping",
    about: About = None,
) -> T:
    """Show that the app answers others while a request waits; return the request's answer.

    The call stays open until `GET /ping` has been answered, with whatever status.

    Raises:
        GateClosed: The ping was not answered while the call was open.
    """
    async with to.hold(about) as gate, asking(request, gate) as asked:
        came = gate.arrived(otherwise=lambda: _nothing_came(gate))
        await asked.only_after(came, otherwise=lambda: _nothing_came(gate))
        await _ping(client, ping, gate)
        gate.open()
        return await _answer(asked)


async def streamed(
    stream: Stream, *, to: Chat, about: About = None, words: Sequence[str] = WORDS
) -> Received:
    """Show that the model's words reach the client one by one; return what came.

    The model says its next word only after the client has received the one before it. The
    app may wrap the words as it likes, but must not cut them.

    Args:
        stream: The stream that the app answers.
        to: The model that the app asks.
        about: Which of its calls are meant.
        words: What the model says; no word without a letter, and none in another.

    Raises:
        GateClosed: A word did not reach the client before the next one was to be said.
    """
    received = Received()
    gate = to.hold_tokens(*words, about=about)
    async with gate, asking(received.read(stream), gate) as asked:
        await asked.only_after(
            gate.arrived(otherwise=lambda: _no_stream_came(gate)),
            otherwise=lambda: _no_stream_came(gate),
        )
        for place, word in enumerate(words, 1):
            gate.release()
            await received.word(word, otherwise=_collected(place))
        gate.open()
        await asked.answer(
            otherwise="All words have come, but the app does not end the stream after the last."
        )
        return received


async def in_the_background(request: Awaitable[T], *, to: Service, about: About = None) -> T:
    """Show that the answer does not wait for a call, and that the call is made; return it.

    The answer must arrive while the call is held; then the call must arrive and be answered.

    Raises:
        GateClosed: The answer waited for the call, or the call never came to its end.
    """

    def waits() -> str:
        if not gate.calls:
            return "The app did not answer."
        return f"The answer did not come while the call to {gate.name} was open: it waits for it."

    async with to.hold(about) as gate, asking(request, gate) as asked:
        reply = await asked.answer(otherwise=waits)
        await gate.arrived(
            otherwise=f"The app answered, but its call to {gate.name} never came: "
            "the work was lost or not begun."
        )
        gate.open()
        ended = await gate.ended(otherwise=f"The call to {gate.name} was begun and never ended.")
        if ended[0].state is CallState.CANCELLED:
            raise GateClosed(f"The call to {gate.name} was broken off before it was answered.")
        return reply


async def cancelled_on_leave(
    request: Awaitable[Any] | Stream,
    *,
    to: Service,
    about: About = None,
    before_the_first_word: bool = False,
) -> None:
    """Show that an app gives up its own call when its client disconnects.

    A stream from the model goes on, without an end, after the client has left, because many
    right apps notice at the next word. Any other call is held.

    Args:
        request: The request, or the stream that it answers.
        to: The service that the app calls.
        about: Which of its calls are meant.
        before_the_first_word: Whether the client of a stream leaves while it waits for the first
            word; else it leaves with this word.

    Raises:
        GateClosed: The app did not give up its call.
    """
    received = Received()
    gate: Gate = to.hold(about)
    if isinstance(request, (AbstractAsyncContextManager, AsyncIterable)):
        if isinstance(to, Chat):
            # Silent: a piece without words that is on its way to the client as it leaves would
            # leave it to chance where the app is interrupted.
            gate = to.hold_tokens(*WORDS, about=about, endless=True, silent=before_the_first_word)
        request = received.read(request)
    async with gate, asking(request, gate) as asked:
        came = gate.arrived(otherwise=lambda: _nothing_came(gate))
        await asked.only_after(came, otherwise=lambda: _nothing_came(gate))
        if isinstance(gate, TokenGate) and not before_the_first_word:
            gate.release()
            await received.word(WORDS[0], otherwise=_collected(1))
        await asked.leave()
        await _given_up(gate)


async def _given_up(gate: Gate) -> None:
    sentence = f"The client has left, but the app goes on with its call to {gate.name}."
    cancelled = asyncio.ensure_future(gate.cancelled(otherwise=sentence))
    try:
        while not cancelled.done():
            await asyncio.wait({cancelled}, timeout=PACE)
            if isinstance(gate, TokenGate):
                gate.release()
        cancelled.result()
    finally:
        cancelled.cancel()


async def _ping(client: Pingable, ping: str, gate: Gate) -> None:
    sentence = (
        f"GET {ping} was not answered while a call to {gate.name} was open: "
        "the app's event loop is blocked."
    )
    try:
        await wait(client.get(ping), what=f"GET {ping} to be answered", otherwise=sentence)
    except GateClosed:
        raise
    except Exception as error:
        if timed_out(error):
            raise GateClosed(sentence, stood_still=True) from error
        raise


async def _answer(asked: Asked[T]) -> T:
    return await asked.answer(otherwise=_NO_ANSWER)


def _nothing_came(gate: Gate) -> str:
    return f"No call came to {gate.name}."


def _no_stream_came(gate: TokenGate) -> str:
    if gate.passed:
        return (
            f"The app asked {gate.name} for the whole answer at once: "
            "a call with stream=True never came."
        )
    return _nothing_came(gate)


def _collected(place: int) -> str:
    return (
        f"The {_number(place)} word had left the model, but did not reach the client while the "
        "next was still to come: the app collects words before it sends them."
    )


def _number(place: int) -> str:
    return _NUMBERS[place] if place < len(_NUMBERS) else f"{place}th"
