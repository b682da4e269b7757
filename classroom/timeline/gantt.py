"""A Gantt chart of anything that has a begin and an end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from classroom.pictures import Picture
from classroom.pictures.picture import visible
from classroom.timeline import svg
from classroom.timeline.scale import Scale, in_words

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 860, 170, 750, 8, 26.0


@dataclass(frozen=True)
class Bar:
    """One bar of a chart.

    Attributes:
        label: Whose row it is; bars with the same label share a row.
        start: Its begin, in seconds.
        end: Its end.
        note: A word inside the bar, or beside it where it is narrow.
        marks: Moments to dot on it, such as the tokens of a stream.
    """

    label: str
    start: float
    end: float
    note: str = ""
    marks: tuple[float, ...] = ()


def gantt(bars: Iterable[Bar | tuple[str, float, float]], *, title: str = "") -> Picture:
    """Draw bars over a common axis of time.

    Args:
        bars: `Bar`s, or plain `(label, start, end)`, in seconds.
        title: What the chart shows; part of its text alternative.

    Raises:
        ValueError: There is no bar, or one ends before it begins.

    Example:
        >>> gantt([("model", 0, 0.5), ("database", 0, 0.2)])
    """
    drawn = [bar if isinstance(bar, Bar) else Bar(*bar) for bar in bars]
    if not drawn:
        raise ValueError('There is nothing to draw. Give bars, such as ("model", 0, 0.5).')
    for bar in drawn:
        if bar.end < bar.start:
            raise ValueError(f"The bar {bar.label!r} ends at {bar.end:g}, before {bar.start:g}.")
    labels = list(dict.fromkeys(bar.label for bar in drawn))
    top = _TOP + (24 if title else 0)
    bottom = top + _ROW * len(labels)
    begin = min(0.0, *(bar.start for bar in drawn))
    end = max(*(bar.end for bar in drawn), begin + 1e-6)
    scale = Scale(begin, end, _LEFT, _RIGHT)
    parts = [svg.axis(scale, top, bottom + 4)]
    if title:
        parts.append(svg.text(_LEFT, 20, svg.said(title, limit=90), font_weight="600"))
    for turn, label in enumerate(labels):
        middle = top + _ROW * turn + _ROW / 2 + 4
        parts.append(svg.text(_LEFT - 8, middle, svg.said(label, limit=22), anchor="end"))
    parts += [_bar(bar, labels.index(bar.label), scale, top) for bar in drawn]
    words = _words(drawn, title)
    return Picture(
        html=svg.drawing(
            parts, width=_WIDTH, height=bottom + 26, label=" ".join(words), name="gantt"
        ),
        text="\n".join(words),
    )


def _bar(bar: Bar, turn: int, scale: Scale, top: float) -> str:
    y = top + _ROW * turn + 5
    begin, end = scale.x(bar.start), scale.x(bar.end)
    colour = svg.COLOURS[turn % len(svg.COLOURS)]
    dots = "".join(
        f'<circle cx="{scale.x(mark):g}" cy="{y + 8:g}" r="3.2" fill="currentColor" '
        'stroke="white" stroke-width=".8"/>'
        for mark in bar.marks
    )
    tip = f"<title>{svg.said(_bar_words(bar), limit=300)}</title>"
    note = bar.note or in_words(bar.end - bar.start)
    beside = svg.text(end + 6, y + 12, svg.said(note), font_size="11", opacity=".85")
    return f"<g>{tip}{svg.bar(begin, end, y, 16, colour, tint=0.85)}{dots}{beside}</g>"


def _words(bars: Sequence[Bar], title: str) -> list[str]:
    return [*[f"{visible(title)}:"] * bool(title), *(f"{_bar_words(bar)}." for bar in bars)]


def _bar_words(bar: Bar) -> str:
    said = f"{visible(bar.label)} from {in_words(bar.start)} to {in_words(bar.end)}"
    if bar.note:
        said += f", {visible(bar.note)}"
    if bar.marks:
        said += f", marks at {', '.join(map(in_words, bar.marks))}"
    return said
