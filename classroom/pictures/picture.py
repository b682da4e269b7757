"""A picture that a notebook displays, together with its text."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Picture:
    """What a cell shows: HTML where the page can draw, text where it cannot.

    Attributes:
        html: A fragment without scripts; its styles come with it.
        text: The same content in words, for a terminal and for a screen reader.
    """

    html: str
    text: str

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": f"<style>{_styles()}</style>{self.html}", "text/plain": self.text}


@cache
def _styles() -> str:
    return files("classroom.pictures").joinpath("pictures.css").read_text(encoding="utf-8")


def visible(text: str) -> str:
    """Make every character of a text seen: line ends and other controls as Python escapes."""
    return "".join(_seen(char) for char in text)


def html_of(text: str) -> str:
    """Escape a foreign text for HTML; real line ends are dimmed, as they are no letters."""
    return "".join(
        f'<span class="cp-end">{_seen(char).rstrip()}</span>' + "\n" * (char == "\n")
        if char in "\r\n"
        else escape(_seen(char))
        for char in text
    )


def _seen(char: str) -> str:
    if char in "\r\n":
        return repr(char)[1:-1] + "\n" * (char == "\n")
    if char != "\t" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        return char.encode("unicode_escape").decode("ascii")
    return char


def shorten(text: str, *, limit: int) -> str:
    """Cut a text to `limit` characters and say so."""
    return text if len(text) <= limit else f"{text[:limit]} ... ({len(text) - limit} more)"
