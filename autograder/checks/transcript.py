"""Turns what was said over HTTP into text that people read, cut to a bearable length."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import httpx2

from autograder.checks.conversation import Turn
from autograder.checks.records import Exchange

MAX_TURNS = 60
"""Exchanges that are looked at; a test may make thousands."""
MAX_TEXT = 1200
"""Characters of a body that are shown."""
MAX_LINE = 200
"""Characters of a first line or a header that are shown."""
MAX_MESSAGES = 12
"""Messages of a WebSocket or a stream that are shown."""
MAX_DEPTH = 20
"""Levels of JSON in whose texts spaces are made visible."""
MAX_FLAT = 80
"""Characters of JSON that are shown on one line."""

# What a client or server sends by itself, and what no lab is about.
_BORING = frozenset(
    [
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
        "content-length",
        "date",
        "server",
    ]
)


def transcript(
    turns: Iterable[Turn], *, main: Turn | None = None, last: int = 3
) -> tuple[Exchange, ...]:
    """Return the last few exchanges of a test, each once however often it came.

    Args:
        turns: Everything that was said.
        main: The one that the failure is about, which then comes last.
        last: How many to return.
    """
    shown: list[Exchange] = []
    others = [turn for turn in turns if turn is not main][: -MAX_TURNS - 1 : -1]
    for turn in others if main is None else [main, *others]:
        response = None if turn.response is None else _response(turn)
        exchange = Exchange(request=_request(turn.request), response=response)
        if exchange not in shown:
            shown.insert(0, exchange)
        if len(shown) == last:
            break
    return tuple(shown)


def cut(text: str, limit: int = MAX_TEXT) -> str:
    """Shorten a long text and say how long it was."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} … ({len(text):,} characters in all)"


def readable(text: str) -> str:
    """Replace control characters, which could garble a terminal, by visible signs."""
    return "".join(
        char if char in "\n\t" or char.isprintable() else f"\\x{ord(char):02x}" for char in text
    )


_SPACES = re.compile(r"^ +| +$|(?<= ) +| +(?= )|\t|\r")


def spaces_shown(text: str) -> str:
    """Make visible the spaces that are easily overlooked: at an end, doubled, tabs.

    In JSON that holds for each text in it.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        lines = text.split("\n")
        kept = [_SPACES.sub(_sign, line) for line in lines]
        return "\n".join(line or "↵" for line in kept[:-1]) + "\n" * (len(kept) > 1) + kept[-1]
    if not isinstance(value, str | list | dict):
        return text
    found = _texts_shown(value)
    return text if found == value else json.dumps(found, ensure_ascii=False)


def all_spaces_shown(text: str) -> str:
    """Make every space, tab and line end visible."""
    signs = {" ": "·", "\t": "→|", "\n": "↵", "\r": "␍"}
    return "".join(signs.get(char, char) for char in text)


def _sign(found: re.Match[str]) -> str:
    return all_spaces_shown(found[0])


def _texts_shown(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return _SPACES.sub(_sign, value)
    if depth < MAX_DEPTH and isinstance(value, list):
        return [_texts_shown(each, depth + 1) for each in value]
    if depth < MAX_DEPTH and isinstance(value, dict):
        return {key: _texts_shown(each, depth + 1) for key, each in value.items()}
    return value


def _request(request: httpx2.Request) -> str:
    target = request.url.raw_path.decode("ascii", "replace")
    first = f"{request.method} {target}"
    try:
        body = request.content
    except httpx2.RequestNotRead:
        return _message(first, request.headers, "(streamed)")
    return _message(first, request.headers, _body(body))


def _response(turn: Turn) -> str:
    response = turn.response
    assert response is not None
    first = f"{response.status_code} {response.reason_phrase}".rstrip()
    if turn.messages:
        said = turn.messages[-MAX_MESSAGES:]
        left_out = [f"({len(turn.messages) - len(said)} messages before)"]
        shown = [readable(cut(message, MAX_LINE)) for message in said]
        body = "\n".join(shown if len(said) == len(turn.messages) else left_out + shown)
    else:
        try:
            body = _body(response.content, spaces="html" not in _kind(response))
        except httpx2.ResponseNotRead:
            body = "(streamed)"
    return _message(first, response.headers, body)


def _message(first: str, headers: httpx2.Headers, body: str) -> str:
    told = [
        readable(cut(f"{name}: {value}", MAX_LINE))
        for name, value in list(headers.items())[:50]
        if name.lower() not in _BORING
    ]
    head = "\n".join([readable(cut(first, MAX_LINE)), *told[:12]])
    return f"{head}\n\n{body}" if body else head


def _kind(response: httpx2.Response) -> str:
    return str(response.headers.get("content-type", ""))


def _body(content: bytes, *, spaces: bool = False) -> str:
    # Only the part that can be shown is decoded: a body may have many megabytes.
    shown = content[: 4 * MAX_TEXT]
    text = shown.decode("utf-8", "backslashreplace")
    if spaces and len(shown) == len(content):
        text = spaces_shown(text)
    if len(shown) == len(content):
        return readable(cut(_pretty(text)))
    return f"{readable(text[:MAX_TEXT])} … ({len(content):,} bytes in all)"


def _pretty(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    flat = json.dumps(value, ensure_ascii=False)
    return flat if len(flat) <= MAX_FLAT else json.dumps(value, ensure_ascii=False, indent=2)
