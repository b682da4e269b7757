"""A timeline as a table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from classroom.pictures import Picture
from classroom.pictures.picture import shorten, visible
from classroom.timeline.scale import in_words

if TYPE_CHECKING:
    from classroom.timeline.timeline import Row, Timeline

_HEADS = ("#", "request", "sent", "began", "ended", "answered", "thread", "status")
_LIMIT = 40


def tabulate(timeline: Timeline) -> Picture:
    """Lay a timeline out as a table, one line per request.

    Args:
        timeline: What `watch` returned.
    """
    lines = [(str(turn + 1), *_cells(timeline, row)) for turn, row in enumerate(timeline.rows)]
    return table(_HEADS, lines, caption="When each request was sent, worked on and answered")


def table(heads: tuple[str, ...], lines: list[tuple[str, ...]], *, caption: str) -> Picture:
    """Return rows of texts as an HTML table and as plain text.

    Args:
        heads: The columns' names.
        lines: The rows, each as long as the heads.
        caption: What the table shows, for screen readers too.
    """
    seen = [tuple(shorten(visible(cell), limit=_LIMIT) for cell in line) for line in lines]
    widths = [max(map(len, column)) for column in zip(heads, *seen, strict=True)]
    text = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (heads, *seen)
    )
    head = "".join(f'<th scope="col" style="{_CELL}">{escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(map(_drawn, line))}</tr>" for line in seen)
    return Picture(
        html=f'<div class="cp"><table style="border-collapse: collapse">'
        f'<caption style="text-align: left">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>",
        text=text,
    )


_CELL = "text-align: left; padding: 2px 14px 2px 0; border-bottom: 1px solid #8884"


def _drawn(cell: str) -> str:
    return f'<td style="{_CELL}">{escape(cell)}</td>'


def _cells(timeline: Timeline, row: Row) -> tuple[str, ...]:
    began, ended = ("-", "-") if row.worked is None else map(in_words, row.worked)
    status = row.error or ("no response" if row.status is None else str(row.status))
    return (
        row.label,
        in_words(row.sent),
        began,
        ended,
        in_words(row.answered),
        timeline.thread_of(row) or "-",
        status,
    )
