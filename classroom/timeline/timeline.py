"""What happened when: requests, the functions that answered them, the loop's heartbeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from classroom.asgi_trace import Visit
from classroom.pictures import Picture
from classroom.shown import Shown
from classroom.timeline.asks import MARK, Shot
from classroom.timeline.calls import Call
from classroom.timeline.draw import draw
from classroom.timeline.sound import heard
from classroom.timeline.table import tabulate

_NOTABLE = 3
"""A gap of so many beats is a silence."""


@dataclass(frozen=True)
class Row:
    """One request, with all times in seconds since the timeline's begin.

    Attributes:
        label: What it is called.
        sent: When the client sent it.
        answered: When the client had the whole answer, or gave up.
        status: The answer's status, or None.
        error: What went wrong on the client's side, else None.
        visit: Its way through the app; None when it never came there.
        calls: The app's own functions that ran for it, in the order in which they began.
    """

    label: str
    sent: float
    answered: float
    status: int | None
    error: str | None
    visit: Visit | None
    calls: tuple[Call, ...]

    @property
    def endpoint(self) -> Call | None:
        """The call of the path operation itself, where the app is FastAPI's."""
        return next((call for call in self.calls if call.role == "endpoint"), None)

    @property
    def worked(self) -> tuple[float, float] | None:
        """When the endpoint began and ended; of other apps, when the app was called and left."""
        span = self.endpoint or self.visit
        if span is None:
            return None
        return span.entered, self.answered if span.left is None else span.left

    @property
    def thread(self) -> int | None:
        """Identity of the thread in which the endpoint began."""
        span = self.endpoint or self.visit
        return None if span is None else span.thread


@dataclass(frozen=True)
class Timeline(Shown):
    """Several requests to one app, and its loop's heartbeat meanwhile.

    Attributes:
        rows: The requests, in the order in which they were given.
        beats: When the loop was free, in seconds since the begin; empty under virtual time.
        every: Seconds between two beats of a free loop.
        virtual: Whether the times are virtual, and therefore exact.
    """

    rows: tuple[Row, ...]
    beats: tuple[float, ...]
    every: float
    virtual: bool

    @property
    def gap(self) -> tuple[float, float]:
        """The longest time without a heartbeat while requests ran: from which beat to which.

        Raises:
            ValueError: There was no heartbeat: under virtual time a blocked loop does not show.
        """
        gaps = list(pairwise(self.beats))
        if not gaps:
            raise ValueError(
                "There is no heartbeat here. Under virtual time a blocked loop takes 0 seconds; "
                "watch the app in real time to see it."
            )
        meanwhile = [gap for gap in gaps if gap[1] > 0 and gap[0] < self.end]
        return max(meanwhile or gaps, key=lambda gap: gap[1] - gap[0])

    @property
    def silences(self) -> tuple[tuple[float, float], ...]:
        """Every gap in the heartbeat that is notable: three beats or longer, while requests ran."""
        return tuple(
            gap
            for gap in pairwise(self.beats)
            if gap[1] > 0 and gap[0] < self.end and gap[1] - gap[0] >= _NOTABLE * self.every
        )

    @property
    def blocked(self) -> float:
        """Seconds without a heartbeat, all notable silences together.

        A loop that is blocked several times may beat once in between, by chance; the sum does not
        depend on that.
        """
        return round(sum(end - begin for begin, end in self.silences), 9)

    @property
    def longest_gap(self) -> float:
        """Seconds of the longest time without a heartbeat; see `gap`."""
        begin, end = self.gap
        return round(end - begin, 9)

    @property
    def end(self) -> float:
        """When the last request was answered."""
        return max(row.answered for row in self.rows)

    @cached_property
    def threads(self) -> dict[int, str]:
        """What each thread is called: `loop`, and the pool's threads in the order of their work."""
        names = {row.visit.thread: "loop" for row in self.rows if row.visit is not None}
        calls = [call for row in self.rows for call in row.calls]
        for call in sorted(calls, key=lambda call: call.entered):
            names.setdefault(call.thread, f"thread {len(set(names) - self._loops) + 1}")
        return names

    @property
    def _loops(self) -> set[int]:
        return {row.visit.thread for row in self.rows if row.visit is not None}

    def thread_of(self, row: Row) -> str:
        """Return the name of the thread in which a row's endpoint began; empty when unknown."""
        return "" if row.thread is None else self.threads.get(row.thread, "")

    def picture(self) -> Picture:
        """Draw the requests as bars, the heartbeat under them, and the longest gap."""
        return draw(self)

    def table(self) -> Picture:
        """Return the same numbers as a table, one line per request."""
        return tabulate(self)

    def sound(self, *, slower: float = 2.0) -> Picture:
        """Return the heartbeat as a sound to play: ticks, and silence where the loop was blocked.

        Args:
            slower: How much slower than it happened.
        """
        return heard(self.beats, end=max([self.end, *self.beats]), slower=slower)


def assemble(
    shots: Sequence[Shot],
    visits: Sequence[Visit],
    calls: Sequence[Call],
    beats: Sequence[float],
    *,
    every: float,
    virtual: bool,
) -> Timeline:
    """Join what client, trace and heartbeat noted on one clock into a timeline.

    Args:
        shots: What the client saw.
        visits: What passed through the app.
        calls: Which functions ran.
        beats: When the loop was free.
        every: Seconds between two beats.
        virtual: Whether the clock was a virtual one.
    """
    zero = min(shot.sent for shot in shots)
    by_mark = {visit.headers.get(MARK): visit for visit in visits}
    rows = []
    for turn, shot in enumerate(shots):
        visit = by_mark.get(str(turn))
        mine = [call for call in calls if visit is not None and call.visit == visit.number]
        rows.append(
            Row(
                label=shot.ask.name,
                sent=_since(zero, shot.sent),
                answered=_since(zero, shot.answered),
                status=shot.status,
                error=shot.error,
                visit=None if visit is None else visit.since(zero),
                calls=tuple(call.since(zero) for call in mine),
            )
        )
    return Timeline(tuple(rows), tuple(_since(zero, beat) for beat in beats), every, virtual)


def _since(zero: float, at: float) -> float:
    return round(at - zero, 9)
