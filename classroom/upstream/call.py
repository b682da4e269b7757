"""A call that reached the upstream."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class CallState(StrEnum):
    """How far a call has come."""

    HELD = "held"
    """Arrived, and kept open at a gate."""
    OPEN = "open"
    """Being answered."""
    ANSWERED = "answered"
    """Its answer is complete, or was cut off by script."""
    CANCELLED = "cancelled"
    """The caller went away before the answer was complete."""


@dataclass(eq=False, repr=False, slots=True, kw_only=True)
class Call:
    """One request. What it asked never changes; how far it has come does.

    Attributes:
        number: Its place in the order of arrival at this upstream, from 1.
        service: Name of the service, such as `chat`.
        method: `GET`, `POST`, ...
        path: The path, without query.
        query: The query parameters; the last one of a name counts.
        parameters: The parts of the path that vary, by name.
        headers: The headers, names in lower case.
        json: The body as JSON; None where it is empty or not JSON.
        state: How far it has come.
        tokens_sent: How many tokens of a stream have been sent.
        arrived_at: `time.perf_counter()` at its arrival, in seconds; for pictures only.
        ended_at: The same at its end; None while it is open.
    """

    number: int
    service: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    state: CallState = CallState.HELD
    tokens_sent: int = 0
    arrived_at: float = 0.0
    ended_at: float | None = None

    def __repr__(self) -> str:
        """Return the request line and the state."""
        return f"<Call {self.number}: {self.method} {self.path}, {self.state}>"

    @property
    def open(self) -> bool:
        """Whether it has arrived and is not over."""
        return self.state in {CallState.HELD, CallState.OPEN}

    @property
    def streams(self) -> bool:
        """Whether it asked for a stream of tokens."""
        return isinstance(self.json, dict) and self.json.get("stream") is True

    def mentions(self, text: str) -> bool:
        """Whether `text` occurs in its path, its query or its JSON."""
        said = [self.path, *self.query.values(), json.dumps(self.json, ensure_ascii=False)]
        return any(text in part for part in said)


About = str | Callable[[Call], bool] | None
"""Which calls are meant: those that mention a text, those that a function picks, or all."""


def chooser(about: About) -> Callable[[Call], bool]:
    """Return the function that picks the calls that `about` means."""
    if about is None:
        return lambda _call: True
    if isinstance(about, str):
        return lambda call: call.mentions(about)
    return about


class Log:
    """Calls in the order of their arrival."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._open: list[Call] = []
        self.most_open = 0
        """The highest number of calls that were open at the same time."""

    def add(self, call: Call) -> None:
        """Note a call that has just arrived."""
        self._calls.append(call)
        self._open = [*self.open_now, call]
        self.most_open = max(self.most_open, len(self._open))

    def __len__(self) -> int:
        """Return how many calls there were."""
        return len(self._calls)

    @property
    def calls(self) -> tuple[Call, ...]:
        """All of them, oldest first."""
        return tuple(self._calls)

    @property
    def open_now(self) -> tuple[Call, ...]:
        """Those that are not over yet."""
        return tuple(call for call in self._open if call.open)
