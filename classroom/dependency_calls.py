"""`dependency_calls(app, "/path")`: which functions one real request called, opened and closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from fastapi import FastAPI

from classroom.pictures import Picture
from classroom.pictures.picture import visible
from classroom.shown import Shown
from classroom.timeline import svg
from classroom.timeline.asks import Ask
from classroom.timeline.calls import Call
from classroom.timeline.timeline import Row
from classroom.timeline.watch import watch

_LEFT, _ROW, _COLUMN, _TOP = 230.0, 34.0, 40.0, 30.0
_LEGEND = "numbers: the order of the steps; solid: its code runs; pale: open, waiting at its yield"


@dataclass(frozen=True)
class Moment:
    """One thing that happened during a request.

    Attributes:
        what: `calls`, `opens` (a function with `yield` begins), `gives` (it yields), `closes` (it
            goes on after its `yield`), `ends`, `fails`, `response begins`, `response part` or
            `response ends`.
        name: The function; empty where the response is meant.
        at: Seconds since the request was sent.
        line: Which line of the drawing it belongs to, from 0; the response's line is the last.
        detail: What it raised, where it fails.
    """

    what: str
    name: str
    at: float
    line: int
    detail: str = ""

    def __str__(self) -> str:
        said = f"{self.what} {self.name}".rstrip()
        return f"{said} ({self.detail})" if self.detail else said


@dataclass(frozen=True)
class DependencyCalls(Shown):
    """What one request called, which a notebook shows as a drawing.

    Attributes:
        row: The request, with its calls and its way through the app.
        moments: Everything that happened, in order.
    """

    row: Row
    moments: tuple[Moment, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """The functions in the order in which they were called."""
        return tuple(call.name for call in self.row.calls)

    @property
    def counts(self) -> dict[str, int]:
        """How often each function was called."""
        return dict(Counter(self.order))

    @property
    def story(self) -> tuple[str, ...]:
        """The moments in words, such as `opens session` and `response begins`."""
        return tuple(map(str, self.moments))

    def picture(self) -> Picture:
        """Draw a line per function, from its call to its end, in the order of what happened."""
        return _draw(self)


def dependency_calls(app: FastAPI, request: str | Ask, *, virtual: bool = False) -> DependencyCalls:
    """Send one real request and record every dependency that it called, opened and closed.

    Overrides apply. The app is served as `watch` serves it.

    Args:
        app: The app.
        request: Such as `/tickets` or `POST /tickets`, or an `Ask` with a body.
        virtual: Whether to run it in virtual time, for routes that sleep long.

    Example:
        >>> dependency_calls(app, "/numbers").counts
        {'number': 2, 'read_numbers': 1}
    """
    row = watch(app, [request], virtual=virtual).rows[0]
    return DependencyCalls(row, tuple(sorted(_moments(row), key=lambda moment: moment.at)))


def _moments(row: Row) -> Iterator[Moment]:
    for line, call in enumerate(row.calls):
        yield from _of_call(call, line)
    if row.visit is None:
        return
    line = len(row.calls)
    for message in row.visit.messages:
        if message.type == "http.response.start":
            yield Moment("response begins", "", message.at, line)
        elif message.type == "http.response.body" and not message.more:
            yield Moment("response ends", "", message.at, line)
        elif message.type == "http.response.body" and message.size:
            yield Moment("response part", "", message.at, line)


def _of_call(call: Call, line: int) -> Iterator[Moment]:
    is_open = call.role == "dependency" and call.way.endswith("yield")
    yield Moment("opens" if is_open else "calls", call.name, call.entered, line)
    if is_open:
        for at in call.gave:
            yield Moment("gives", call.name, at, line)
        for at in call.resumed:
            yield Moment("closes", call.name, at, line)
    if call.left is not None:
        yield Moment(
            "fails" if call.error else "ends", call.name, call.left, line, call.error or ""
        )


def _draw(calls: DependencyCalls) -> Picture:
    lines = [*(call.name for call in calls.row.calls), "the response"]
    moments = calls.moments
    right = _LEFT + _COLUMN * len(moments)
    bottom = _TOP + _ROW * len(lines)
    parts = [
        svg.text(
            _LEFT + _COLUMN * turn, 18, f"{turn + 1}", anchor="middle", font_size="11", opacity=".7"
        )
        for turn in range(len(moments))
    ]
    for line, name in enumerate(lines):
        mine = [(turn, m) for turn, m in enumerate(moments) if m.line == line]
        parts.append(_line(line, name, mine, calls.row))
    parts.append(svg.text(_LEFT - 6, bottom + 16, _LEGEND, font_size="11", opacity=".8"))
    text = _in_words(calls)
    return Picture(
        html=svg.drawing(
            parts,
            width=int(max(right, _LEFT + 420) + 20),
            height=bottom + 26,
            label=text,
            name="calls",
        ),
        text=text,
    )


def _line(line: int, name: str, mine: list[tuple[int, Moment]], row: Row) -> str:
    middle = _TOP + _ROW * line + _ROW / 2
    is_response = line == len(row.calls)
    way = "" if is_response else row.calls[line].way
    colour = svg.LOOP if is_response else svg.COLOURS[0 if way.startswith("async") else 1]
    parts = [
        svg.text(_LEFT - 20, middle - 1, svg.said(name, limit=24), anchor="end", font_weight="600"),
        svg.text(_LEFT - 20, middle + 12, way, anchor="end", font_size="10.5", opacity=".75"),
    ]
    for (turn, moment), (later, _) in pairwise(mine):
        waits = moment.what == "gives" or is_response
        begin, end = _LEFT + _COLUMN * turn, _LEFT + _COLUMN * later
        parts.append(svg.bar(begin, end, middle - 4, 8, colour, tint=0.25 if waits else 1))
    for turn, moment in mine:
        parts.append(
            f"<g><title>{turn + 1}: {svg.said(str(moment), limit=200)}</title>"
            f'<circle cx="{_LEFT + _COLUMN * turn:g}" cy="{middle:g}" r="6" fill="{colour}" '
            'stroke="currentColor" stroke-width="1"/></g>'
        )
    return "".join(parts)


def _in_words(calls: DependencyCalls) -> str:
    row = calls.row
    status = row.error or ("no response" if row.status is None else f"status {row.status}")
    lines = [f"{visible(row.label)}: {visible(status)}. What happened, in order:"]
    lines += [f"{turn:>4}. {visible(said)}" for turn, said in enumerate(calls.story, 1)]
    counted = ", ".join(f"{visible(name)} {count}" for name, count in calls.counts.items())
    return "\n".join([*lines, f"Calls: {counted or 'none'}."])
