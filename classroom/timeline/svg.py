"""The few pieces of SVG that the drawings share: text in the page's colour, tints for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from classroom.pictures.picture import visible
from classroom.timeline.scale import Scale, in_words

LOOP = "rgb(205 125 20)"
COLOURS = (
    "rgb(59 120 216)",
    "rgb(20 150 110)",
    "rgb(150 95 205)",
    "rgb(0 150 175)",
    "rgb(200 80 130)",
)
RED = "rgb(214 60 60)"
_LABEL_LIMIT = 30
LEAST_WIDTH = 760
"""Pixels; a drawing that were narrower could not be read, so it is moved sideways instead."""


def said(text: str, *, limit: int = _LABEL_LIMIT) -> str:
    """Return a foreign text fit for a drawing: controls made visible, cut, escaped."""
    seen = visible(text)
    cut = seen if len(seen) <= limit else f"{seen[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"
    return escape(cut, quote=True)


def text(x: float, y: float, words: str, *, anchor: str = "start", **style: str) -> str:
    """Draw a text; `words` are escaped already."""
    extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{extra}>{words}</text>'


def bar(begin: float, end: float, y: float, height: float, colour: str, *, tint: float = 1) -> str:
    """Draw a bar from x to x; it is never narrower than a pixel and a half."""
    width = max(1.5, round(end - begin, 1))
    return (
        f'<rect x="{begin:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
        f'rx="{min(3, height / 3):.3g}" fill="{colour}" fill-opacity="{tint:g}"/>'
    )


def axis(scale: Scale, top: float, bottom: float) -> str:
    """Draw the moments of a scale as faint lines with their words under them."""
    parts = []
    for moment in scale.ticks():
        x = scale.x(moment)
        words = "0" if moment == 0 else in_words(moment)
        parts.append(
            f'<line x1="{x:g}" y1="{top:g}" x2="{x:g}" y2="{bottom:g}" stroke="currentColor" '
            'stroke-opacity=".16"/>'
            + text(x, bottom + 14, words, anchor="middle", font_size="11", opacity=".75")
        )
    return "".join(parts)


def drawing(parts: Sequence[str], *, width: int, height: float, label: str, name: str) -> str:
    """Put pieces into one picture with its text alternative.

    Args:
        parts: Pieces of SVG, what is behind first.
        width: Pixels.
        height: Pixels.
        label: What the picture shows, in words, unescaped.
        name: A word for the picture's class, `cp-<name>`.
    """
    return (
        f'<div class="cp cp-{name}" style="overflow-x: auto">'
        f'<svg viewBox="0 0 {width} {height:g}" width="{width}" '
        f'role="img" aria-label="{escape(label, quote=True)}" fill="currentColor" '
        'font-family="system-ui, DejaVu Sans, sans-serif" font-size="12.5" '
        f'style="max-width: 100%; min-width: {min(width, LEAST_WIDTH)}px; height: auto; '
        f'display: block">{"".join(parts)}</svg></div>'
    )
