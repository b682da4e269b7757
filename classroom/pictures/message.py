"""Read an HTTP/1.1 message from its raw bytes, part by part, however broken it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP/\d(\.\d)?\s*")
_STATUS_LINE = re.compile(rb"HTTP/\d(\.\d)? \d{3}( .*)?\s*")


@dataclass(frozen=True)
class Message:
    """The parts of one message; joined in this order they are the bytes that were read.

    Attributes:
        kind: What the first line says this is; `unknown` when it is neither.
        start: The first line with its line end.
        headers: One entry per header line, with its line end.
        blank: The line end that closes the headers; empty when it never came.
        body: Everything after it.
    """

    kind: Literal["request", "response", "unknown"]
    start: bytes
    headers: tuple[bytes, ...]
    blank: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of the first header of that name, whatever its case."""
        for line in self.headers:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None

    @property
    def promised(self) -> int | None:
        """The length of the body that the headers announce, in bytes."""
        value = self.header("content-length")
        return int(value) if value is not None and value.isdecimal() else None


def read_message(raw: bytes) -> Message:
    """Split raw bytes into the parts of an HTTP message.

    Args:
        raw: What went through a connection, one message. Lines may end in CR LF or LF.
    """
    start, rest = _first_line(raw)
    headers: list[bytes] = []
    blank = b""
    while rest and not blank:
        line, rest = _first_line(rest)
        if line in {b"\r\n", b"\n"}:
            blank = line
        else:
            headers.append(line)
    return Message(_kind(start), start, tuple(headers), blank, rest)


def _first_line(raw: bytes) -> tuple[bytes, bytes]:
    end = raw.find(b"\n") + 1 or len(raw)
    return raw[:end], raw[end:]


def _kind(start: bytes) -> Literal["request", "response", "unknown"]:
    if _STATUS_LINE.fullmatch(start):
        return "response"
    return "request" if _REQUEST_LINE.fullmatch(start) else "unknown"
