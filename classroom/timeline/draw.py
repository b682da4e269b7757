"""A timeline as a drawing: a bar per request, the heartbeat under them, the longest gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from classroom.pictures import Picture
from classroom.pictures.picture import visible
from classroom.timeline import svg
from classroom.timeline.scale import Scale, in_words

if TYPE_CHECKING:
    from classroom.timeline.timeline import Row, Timeline

_WIDTH, _LEFT, _RIGHT, _TOP = 860, 150, 730, 8
_FEW = 24
"""Up to so many rows each has a label and a thread's name."""


@dataclass(frozen=True)
class _Layout:
    scale: Scale
    row: float
    """Height of a row."""
    bottom: float
    """Where the rows end."""

    @property
    def dense(self) -> bool:
        return self.row < 20  # noqa: PLR2004 - the two heights below


def draw(timeline: Timeline) -> Picture:
    """Draw a timeline.

    Args:
        timeline: What `watch` returned.
    """
    row = 26.0 if len(timeline.rows) <= _FEW else 8.0
    lasts = [timeline.end, *timeline.beats[-1:], *(w[1] for r in timeline.rows if (w := r.worked))]
    begin = min([0.0, *timeline.beats[:1]])
    end = max(*lasts, begin + 1e-6)
    scale = Scale(begin, end, _LEFT, _RIGHT)
    layout = _Layout(scale, row, _TOP + row * len(timeline.rows))
    strip = layout.bottom + 6
    foot = strip + (46 if timeline.beats else 4)
    parts = [
        svg.axis(scale, _TOP, foot),
        _shade(timeline, layout, strip),
        *(_row(timeline, turn, layout) for turn in range(len(timeline.rows))),
        _heartbeat(timeline, scale, strip),
        _legend(foot + 36),
    ]
    words = summary(timeline)
    return Picture(
        html=svg.drawing(parts, width=_WIDTH, height=foot + 46, label=words, name="timeline"),
        text=f"{words}\n{timeline.table().text}",
    )


def summary(timeline: Timeline) -> str:
    """Say in a few sentences what a timeline shows."""
    rows = timeline.rows
    names = sorted({visible(row.label) for row in rows})
    asked = names[0] if len(names) == 1 else f"{len(names)} different requests"
    what = "1 request" if len(rows) == 1 else f"{len(rows)} requests"
    clock = "virtual time" if timeline.virtual else "real time"
    said = [f"{what} ({asked}), all answered after {in_words(timeline.end)} of {clock}."]
    used = sorted({timeline.thread_of(row) for row in rows} - {""}, key=_thread_order)
    if used == ["loop"]:
        said.append("All ran on the loop.")
    elif len(used) == 1:
        said.append(f"All ran in one thread beside the loop, {used[0]}.")
    elif used:
        beside = f"{len(used)} threads" if "loop" not in used else f"{len(used) - 1} and the loop"
        said.append(f"Threads that did the work: {beside}.")
    if timeline.beats:
        begin, end = timeline.gap
        said.append(
            f"The loop beat {len(timeline.beats)} times, every {in_words(timeline.every)} when "
            f"free; the longest gap was {in_words(end - begin)}, until {in_words(end)}."
        )
        if len(timeline.silences) > 1:
            count = len(timeline.silences)
            said.append(f"In {count} silences it was blocked for {in_words(timeline.blocked)}.")
    return " ".join(said)


def _thread_order(name: str) -> tuple[int, str]:
    return len(name), name


def colour_of(thread: str) -> str:
    """Return a thread's colour; the pool's threads take turns."""
    number = thread.removeprefix("thread ")
    if not number.isdecimal():
        return svg.LOOP
    return svg.COLOURS[(int(number) - 1) % len(svg.COLOURS)]


def _row(timeline: Timeline, turn: int, layout: _Layout) -> str:
    row = timeline.rows[turn]
    y, height = _TOP + layout.row * turn, layout.row * (0.55 if not layout.dense else 0.75)
    top = y + (layout.row - height) / 2
    x = layout.scale.x
    thread = timeline.thread_of(row)
    parts = [f"<g><title>{svg.said(_in_words(row, thread), limit=300)}</title>"]
    parts.append(svg.bar(x(row.sent), x(row.answered), top, height, "currentColor", tint=0.2))
    if row.worked is not None:
        begin, end = row.worked
        parts.append(svg.bar(x(begin), x(end), top, height, colour_of(thread)))
    parts += _dots(row, layout.scale, top + height / 2, height)
    middle = y + layout.row / 2 + 4
    if not layout.dense:
        parts.append(svg.text(_LEFT - 8, middle, svg.said(row.label, limit=20), anchor="end"))
        parts.append(svg.text(_RIGHT + 8, middle, svg.said(_outcome(row, thread)), opacity=".85"))
    elif _is_numbered(turn, len(timeline.rows)):
        parts.append(
            svg.text(_LEFT - 8, middle, f"{turn + 1}", anchor="end", font_size="10", opacity=".8")
        )
    return "".join([*parts, "</g>"])


def _is_numbered(turn: int, count: int) -> bool:
    if turn in {0, count - 1}:
        return True
    return (turn + 1) % 10 == 0 and count - turn > 2  # noqa: PLR2004 - room for the last number


def _dots(row: Row, scale: Scale, middle: float, height: float) -> list[str]:
    sent = row.visit.sent_at if row.visit is not None else ()
    if len(sent) < 2:  # noqa: PLR2004 - one part is no stream
        return []
    return [
        f'<circle cx="{scale.x(at):g}" cy="{middle:g}" r="{min(3.2, height / 3):.3g}" '
        'fill="currentColor" stroke="white" stroke-width=".8"/>'
        for at in sent
    ]


def _outcome(row: Row, thread: str) -> str:
    status = "no response" if row.status is None else str(row.status)
    return f"{thread}, {status}" if thread else status


def _in_words(row: Row, thread: str) -> str:
    return (
        f"{row.label}: sent {in_words(row.sent)}, answered {in_words(row.answered)}, "
        f"{_outcome(row, thread)}"
    )


def _shade(timeline: Timeline, layout: _Layout, strip: float) -> str:
    spans = [(layout.scale.x(begin), layout.scale.x(end)) for begin, end in timeline.silences]
    height = strip + 24 - _TOP
    return "".join(svg.bar(*span, _TOP - 4, height, svg.RED, tint=0.12) for span in spans)


def _heartbeat(timeline: Timeline, scale: Scale, strip: float) -> str:
    if not timeline.beats:
        return ""
    ticks = "".join(f"M{scale.x(beat):g} {strip + 2:g}v14" for beat in timeline.beats)
    begin, end = (scale.x(moment) for moment in timeline.gap)
    middle = min(max((begin + end) / 2, _LEFT + 60), _RIGHT - 60)
    level = strip + 24
    words = f"longest gap {in_words(timeline.longest_gap)}"
    return (
        svg.text(_LEFT - 8, strip + 13, "heartbeat", anchor="end", font_weight="600")
        + f'<path class="cp-beats" d="{ticks}" stroke="{svg.RED}" stroke-width="1.3" fill="none"/>'
        + f'<path class="cp-gap" d="M{begin:g} {level - 4:g}v8M{end:g} {level - 4:g}v8'
        f'M{begin:g} {level:g}H{end:g}" stroke="currentColor" stroke-width="1.2" fill="none"/>'
        + svg.text(middle, level + 15, words, anchor="middle", font_weight="600")
    )


def _legend(y: float) -> str:
    pieces = [
        svg.bar(_LEFT, _LEFT + 22, y - 8, 9, "currentColor", tint=0.2),
        svg.text(_LEFT + 28, y, "sent, waiting for its response", font_size="11", opacity=".8"),
        svg.bar(_LEFT + 205, _LEFT + 227, y - 8, 9, svg.LOOP),
        svg.text(_LEFT + 233, y, "your function, begun on the loop", font_size="11", opacity=".8"),
        svg.bar(_LEFT + 425, _LEFT + 447, y - 8, 9, svg.COLOURS[0]),
        svg.text(_LEFT + 453, y, "your function, in a thread", font_size="11", opacity=".8"),
    ]
    return "".join(pieces)
