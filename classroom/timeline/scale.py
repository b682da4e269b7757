"""Seconds on paper: where a moment stands, which moments get a label, how it is said."""

from __future__ import annotations

import math
from dataclasses import dataclass

_MINUTE, _HOUR = 60.0, 3600.0
_TIDY = (1.0, 2.0, 5.0, 10.0)


def in_words(seconds: float) -> str:
    """Say a duration as a reader would: `805 ms`, `1.2 s`, `15 min`, `24 h`."""
    size = abs(seconds)
    if size < 1:
        return f"{seconds * 1000:.3g} ms" if size < 0.1 else f"{seconds * 1000:.0f} ms"  # noqa: PLR2004
    if size < 2 * _MINUTE:
        return f"{seconds:.4g} s"
    if size < 2 * _HOUR:
        return f"{seconds / _MINUTE:.3g} min"
    return f"{seconds / _HOUR:.4g} h"


@dataclass(frozen=True)
class Scale:
    """A stretch of time laid out between two x positions.

    Attributes:
        begin: The first moment, in seconds.
        end: The last moment.
        left: Its x, in pixels.
        right: The last moment's x.
    """

    begin: float
    end: float
    left: float
    right: float

    def x(self, moment: float) -> float:
        """Return where a moment stands, rounded to a tenth of a pixel."""
        share = (moment - self.begin) / (self.end - self.begin)
        return round(self.left + share * (self.right - self.left), 1)

    def ticks(self, about: int = 7) -> list[float]:
        """Return tidy moments (1, 2 or 5 times a power of ten) from begin to end.

        Args:
            about: How many at most.
        """
        step = tidy_step((self.end - self.begin) / about)
        first = math.ceil(round(self.begin / step, 6))
        last = math.floor(round(self.end / step, 6))
        return [round(number * step, 9) for number in range(first, last + 1)]


def tidy_step(least: float) -> float:
    """Return the smallest of 1, 2 or 5 times a power of ten that is not below `least`."""
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(power * digit for digit in _TIDY if power * digit >= least * (1 - 1e-9))
