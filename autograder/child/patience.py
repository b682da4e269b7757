"""How long one answer of a submission is waited for: its own computing counts, not the clock.

On a busy machine a cell that computes for two seconds may take twenty. So a cell is bounded by
the processor time of its process, and by the clock only as far as one that sleeps needs it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

_SOONEST: Final = 0.05
"""Seconds after which it is looked again, at the earliest."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Patience:
    """The deadline for one answer, as it moves.

    Args:
        process: Descriptor of the process (pidfd_open(2)); None where there is none.
        computing: Seconds that it may compute.
        waiting: Seconds by the clock; the bound alone where computing cannot be measured.
    """

    def __init__(self, process: int | None, computing: float, waiting: float) -> None:
        self.computing = computing
        self.waiting = waiting
        self._process = process
        self._begun = time.monotonic()
        self._before = processor_seconds(process)

    @property
    def used_up(self) -> bool:
        """Whether it has computed as long as it may."""
        return self._left() <= 0

    def __call__(self) -> float:
        """Return until when to wait before looking again, as `time.monotonic` counts."""
        left = self._left()
        if left <= 0:
            return 0.0
        return min(self._begun + self.waiting, time.monotonic() + max(left, _SOONEST))

    def _left(self) -> float:
        now = processor_seconds(self._process)
        if now is None or self._before is None:
            return self._begun + self.computing - time.monotonic()
        return self.computing - (now - self._before)


def processor_seconds(process: int | None) -> float | None:
    """Return how long a process, and those it has waited for, have computed; None if unseen.

    Args:
        process: Its descriptor (pidfd_open(2)).
    """
    number = number_of(process)
    if number is None:
        return None
    try:
        stat = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
        # After the name, which may hold anything: utime, stime, cutime, cstime; see proc(5).
        taken = stat.rpartition(")")[2].split()[11:15]
    except (OSError, ValueError, IndexError):
        return None
    return sum(map(int, taken)) / _TICKS


def number_of(process: int | None) -> int | None:
    """Return the number of a process by its descriptor, or None if it cannot be seen."""
    if process is None:
        return None
    try:
        told = Path(f"/proc/self/fdinfo/{process}").read_text(encoding="ascii")
        number = next(line.split()[1] for line in told.splitlines() if line.startswith("Pid:"))
        return int(number) if int(number) > 0 else None
    except (OSError, StopIteration, ValueError, IndexError):
        return None
