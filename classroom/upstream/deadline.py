"""When a wait is given up. A deadline ends a wait; it decides nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

Sentence = str | Callable[[], str]
"""A sentence, or a function that makes it when it is needed."""


class GateClosed(AssertionError):
    """What a gate waited for did not happen; the message is the sentence for the student.

    Attributes:
        stood_still: Whether a wait ran into its deadline. False when an event decided.
    """

    def __init__(self, sentence: str, *, stood_still: bool = False) -> None:
        super().__init__(sentence)
        self.stood_still = stood_still


def _say_nothing(_sentence: str) -> None:
    """Take no notice."""


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """How long each wait at a gate may take.

    Attributes:
        seconds: After this long a wait is given up.
        notice_after: After this many seconds `notice` is told what is being waited for.
        notice: Called on the waiting thread with a sentence such as
            "waiting for 3 calls to the chat service; 1 has arrived". It must not block.
    """

    seconds: float = 2.0
    notice_after: float = 1.0
    notice: Callable[[str], None] = _say_nothing


IN_A_NOTEBOOK = Deadline(seconds=2.0)
WHILE_GRADING = Deadline(seconds=10.0)

_current: ContextVar[Deadline] = ContextVar("deadline", default=IN_A_NOTEBOOK)


def current_deadline() -> Deadline:
    """Return the deadline that waits obey here and now."""
    return _current.get()


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Let every wait in this context, and in the tasks started here, obey `deadline`."""
    token = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(token)


async def wait(
    event: Coroutine[Any, Any, T],
    *,
    what: Sentence,
    otherwise: Sentence,
) -> T:
    """Return the result of `event`, or give up at the deadline.

    Args:
        event: What is waited for; cancelled when given up.
        what: What is being waited for, for the notice.
        otherwise: What it means that it did not happen.

    Raises:
        GateClosed: The deadline passed; `otherwise` is its message.
    """
    deadline = current_deadline()
    task = asyncio.ensure_future(event)
    first = min(deadline.notice_after, deadline.seconds)
    try:
        done, _ = await asyncio.wait({task}, timeout=first)
        if not done and deadline.seconds > first:
            deadline.notice(f"waiting for {said(what)}")
            done, _ = await asyncio.wait({task}, timeout=deadline.seconds - first)
        if done:
            return task.result()
        raise GateClosed(said(otherwise), stood_still=True)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


def said(sentence: Sentence) -> str:
    """Return the sentence itself."""
    return sentence if isinstance(sentence, str) else sentence()
