"""Whether what stands on the trusted side of a submission was well while it was judged.

A hostile submission makes the trusted side slow or large. Its own verdict may suffer by that, but
no other: a verdict that was reached meanwhile is in doubt, and whoever comes next gets a worker
that is proven to be at rest.
"""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from classroom.upstream import Upstream

MOST_LATE: Final = 1.0
"""Seconds of processor time for which the outside world may be kept from answering."""
_REST_SECONDS: Final = 30.0
"""Seconds until what a submission had asked is over; all of it is bounded."""
MOST_GROWN: Final = 300 * 2**20
"""Bytes that a worker may hold beyond its start, to judge another submission."""
_ROOM: Final = 1024 * 2**20
"""Bytes that it may ask for beyond its start."""
_LATE: Final = "was kept busy by what the submission asked of its outside world, both times,"


@dataclass
class Health:
    """The health of a worker.

    Attributes:
        outside: The outside world of its submissions, if they have one.
    """

    outside: Upstream | None

    def __post_init__(self) -> None:
        self._start = _resident()
        with contextlib.suppress(OSError, ValueError):  # no limit, or one that is lower already
            most = _private() + _ROOM
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))

    @contextlib.contextmanager
    def watched(self) -> Iterator[Examined]:
        """Give a new outside world for one submission, and tell afterwards how it went."""
        examined = Examined()
        if self.outside is None:
            yield examined
        else:
            watch = self.outside.watch()
            yield examined
            rests = self.outside.renew(timeout=_REST_SECONDS)
            if watch.end() > MOST_LATE or not rests:
                examined.doubt = _LATE
        examined.spent = bool(examined.doubt) or _resident() - self._start > MOST_GROWN


@dataclass
class Examined:
    """How it went with one submission.

    Attributes:
        doubt: What the trusted side went through; empty if it was well.
        spent: Whether no other submission may be judged here.
    """

    doubt: str = ""
    spent: bool = False


def _resident() -> int:
    """Return the bytes of memory that this process holds."""
    return _pages()[1] * resource.getpagesize()


def _private() -> int:
    """Return the bytes of memory that this process has asked for."""
    return _pages()[5] * resource.getpagesize()


def _pages() -> list[int]:
    try:
        return [int(word) for word in Path("/proc/self/statm").read_text("ascii").split()]
    except OSError:
        return [0] * 7
