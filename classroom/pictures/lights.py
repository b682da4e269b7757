"""The bytes of one HTTP message, lit up part by part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from classroom.pictures.message import Message, read_message
from classroom.pictures.picture import Picture, html_of, shorten, visible

_BODY_LIMIT = 2_000
_LABELS = {
    "request": ("request line", ("method", "path", "version")),
    "response": ("status line", ("version", "status", "reason")),
}


@dataclass(frozen=True)
class _Part:
    name: str
    """What the part is called in HTTP."""
    style: str
    """The part's style class, one per kind of part."""
    html: str
    text: str
    note: str
    """One short remark on what the bytes say."""


def show_bytes(raw: bytes, title: str = "") -> Picture:
    """Draw a request or a response with every byte in its place.

    Args:
        raw: The bytes that were sent or received: one message, complete or not.
        title: Words above the picture; without them it says which kind of message it is.
    """
    message = read_message(raw)
    parts = _parts(message)
    heading = f"{title or message.kind.capitalize()} ({len(raw)} bytes)"
    rows = "".join(
        f'<div class="cp-part cp-{part.style}" style="--turn:{turn}">'
        f'<div class="cp-name">{escape(part.name)}</div>'
        f'<div class="cp-raw">{part.html}</div>'
        f'<div class="cp-note">{escape(part.note)}</div></div>'
        for turn, part in enumerate(parts)
    )
    text = "\n".join([heading, *(_in_words(part) for part in parts)])
    label = escape(f"The parts of a {message.kind}, in the order of its bytes", quote=True)
    return Picture(
        html=f'<div class="cp cp-bytes" role="group" aria-label="{label}">'
        f'<div class="cp-title">{escape(heading)}</div>{rows}</div>',
        text=text,
    )


def _in_words(part: _Part) -> str:
    first, *more = part.text.rstrip("\n").split("\n")
    lines = [f"  {part.name:<13}| {first}", *(f"  {'':<13}| {line}" for line in more)]
    if part.note:
        lines[-1] += f"   <- {part.note}"
    return "\n".join(lines)


def _parts(message: Message) -> list[_Part]:
    parts = [_start(message)]
    if message.headers:
        parts.append(_headers(message))
    parts.append(_blank(message))
    if message.body or message.promised:
        parts.append(_body(message))
    return parts


def _start(message: Message) -> _Part:
    line = message.start.decode("utf-8", "backslashreplace")
    if message.kind == "unknown":
        note = "neither a request line nor a status line"
        return _Part("first line", "start", html_of(line), visible(line), note)
    name, words = _LABELS[message.kind]
    pieces = [piece for piece in re.split(r"(\s+)", line, maxsplit=2) if piece]
    captions = iter(words)
    drawn = "".join(
        html_of(piece) if piece.isspace() else _captioned(piece, next(captions)) for piece in pieces
    )
    return _Part(name, "start", drawn, visible(line), ", ".join(words))


def _captioned(piece: str, caption: str) -> str:
    word = piece.rstrip("\r\n")
    return f"<ruby>{html_of(word)}<rt>{caption}</rt></ruby>{html_of(piece[len(word) :])}"


def _headers(message: Message) -> _Part:
    lines = [line.decode("latin-1") for line in message.headers]
    drawn = []
    for line in lines:
        name, colon, value = line.partition(":")
        drawn.append(f"<b>{html_of(name)}</b>{html_of(colon + value)}")
    count = "1 header" if len(lines) == 1 else f"{len(lines)} headers"
    return _Part(
        "headers", "headers", "".join(drawn), visible("".join(lines)), f"{count}: name, value"
    )


def _blank(message: Message) -> _Part:
    if not message.blank:
        missing = "(missing)"
        return _Part(
            "blank line", "blank", missing, missing, "the other side goes on waiting for it"
        )
    line = message.blank.decode("ascii")
    return _Part("blank line", "blank", html_of(line), visible(line), "here the headers end")


def _body(message: Message) -> _Part:
    text = shorten(message.body.decode("utf-8", "backslashreplace"), limit=_BODY_LIMIT)
    size, promised = len(message.body), message.promised
    note = f"{size} bytes"
    if promised == size:
        note += ", as Content-Length says"
    elif promised is not None:
        note += f", but Content-Length says {promised}"
    return _Part("body", "body", html_of(text), visible(text), note)
