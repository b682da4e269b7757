"""What goes back over the wire, before it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer: whole, or a stream of tokens.

    Attributes:
        status: The HTTP status.
        headers: The headers, without the length.
        opening: Bytes that are sent at once, before the first token.
        tokens: Bytes of one token each; gates and paces stand before each of them.
        closing: Makes the last bytes from the number of tokens that were sent.
        seconds: How long to wait before anything is sent.
        is_cut: Whether the connection is broken off in place of the closing.
        hangs_up: Whether the connection is broken off before even the status is sent.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    opening: bytes = b""
    tokens: Iterable[bytes] = ()
    closing: Callable[[int], bytes] = lambda _sent: b""
    seconds: float = 0.0
    is_cut: bool = False
    hangs_up: bool = False

    @property
    def streams(self) -> bool:
        """Whether its length is unknown beforehand."""
        return self.headers.get("content-type", "").startswith("text/event-stream")


def json_answer(
    value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return an answer that is one JSON document."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        closing=lambda _sent: body,
    )


EMPTY = Answer(status=204)
