"""How the upstream behaves towards one call, when it is not to behave well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from classroom.upstream.answer import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from classroom.upstream.call import Call


class Answering(Protocol):
    """The part of a service that behaviours build on."""

    def answer(self, call: Call) -> Answer:
        """Return the well-behaved answer."""

    def failure(self, fail: Fail) -> Answer:
        """Return an error in the service's own wire format."""

    def say(self, call: Call, tokens: Iterable[str]) -> Answer:
        """Return the answer made of these tokens."""


class Behaviour(Protocol):
    """What a script does with one call."""

    def __call__(self, service: Answering, call: Call) -> Answer:
        """Return the answer to `call`."""


@dataclass(frozen=True)
class Normal:
    """The well-behaved answer; fills a place in a script."""

    def __call__(self, service: Answering, call: Call) -> Answer:
        """Return the service's own answer."""
        return service.answer(call)


@dataclass(frozen=True)
class Fail:
    """An error.

    Attributes:
        status: The HTTP status, such as 401, 429 or 500.
        message: The error's text; a usual one for the status unless given.
        retry_after: Seconds for the header `Retry-After`, which has no fractions.
        retry_after_ms: Milliseconds for the header `retry-after-ms` of OpenAI's API.
    """

    status: int
    message: str = ""
    retry_after: int | None = None
    retry_after_ms: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that say when to try again."""
        given = {"retry-after": self.retry_after, "retry-after-ms": self.retry_after_ms}
        return {name: str(value) for name, value in given.items() if value is not None}

    def __call__(self, service: Answering, call: Call) -> Answer:  # noqa: ARG002 - same for all
        """Return the error."""
        return service.failure(self)


@dataclass(frozen=True)
class Slow:
    """An answer that takes its time.

    Attributes:
        seconds: How long nothing is sent.
        then: What comes after.
    """

    seconds: float
    then: Behaviour = Normal()

    def __call__(self, service: Answering, call: Call) -> Answer:
        """Return the delayed answer."""
        return replace(self.then(service, call), seconds=self.seconds)


@dataclass(frozen=True)
class Cut:
    """A connection that breaks off.

    Attributes:
        after: How many tokens of a stream are sent before. Of an answer that is no stream,
            half of the body is.
    """

    after: int = 1

    def __call__(self, service: Answering, call: Call) -> Answer:
        """Return the answer without its end."""
        whole = service.answer(call)
        return replace(whole, tokens=islice(whole.tokens, self.after), is_cut=True)


@dataclass(frozen=True)
class HangUp:
    """A connection that breaks off before anything was answered, not even a status."""

    def __call__(self, service: Answering, call: Call) -> Answer:
        """Return the answer that never comes."""
        return replace(service.answer(call), hangs_up=True)


@dataclass(frozen=True)
class Malformed:
    """An answer that is no JSON at one place.

    Attributes:
        after: How many tokens of a stream are right before. An answer that is no stream is
            wrong from its start.
    """

    after: int = 1

    def __call__(self, service: Answering, call: Call) -> Answer:
        """Return the broken answer."""
        whole = service.answer(call)
        if not whole.streams:
            return replace(whole, closing=lambda sent: whole.closing(sent)[:-2] + b'"?')
        return replace(whole, tokens=self._with_a_broken_one(whole.tokens))

    def _with_a_broken_one(self, tokens: Iterable[bytes]) -> Iterator[bytes]:
        rest = iter(tokens)
        yield from islice(rest, self.after)
        yield b'data: {"id": "chatcmpl-broken", "choices": [{"delta": \n\n'
        yield from rest


@dataclass(frozen=True)
class Say:
    """Given words from the chat service.

    Attributes:
        tokens: The words, each one token; the answer is all of them, joined.
    """

    tokens: tuple[str, ...]

    def __init__(self, *tokens: str) -> None:
        object.__setattr__(self, "tokens", tokens)

    def __call__(self, service: Answering, call: Call) -> Answer:
        """Return the answer made of these tokens."""
        return service.say(call, self.tokens)


@dataclass(frozen=True)
class Give:
    """A given JSON document in place of the service's own answer."""

    value: Any
    status: int = 200

    def __call__(self, service: Answering, call: Call) -> Answer:  # noqa: ARG002 - same for all
        """Return the document."""
        return json_answer(self.value, status=self.status)
