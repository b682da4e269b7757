"""How the points of a cell are shared by its tests."""

from __future__ import annotations

import math
from collections.abc import Sequence


def shares(points: float, weights: Sequence[float]) -> list[float]:
    """Split a cell's points by the weights of its tests."""
    total = math.fsum(weights)
    return [points * weight / total for weight in weights]


def mark(points: float, earned: Sequence[float], *, all_passed: bool) -> float:
    """Return a cell's mark.

    Nine shares of one point add up to slightly more than one in floating point, and nbgrader
    then refuses the submission. So full marks are exactly `points`, and anything less is cut
    to two decimals.
    """
    if all_passed:
        return points
    cut = math.floor(math.fsum(earned) * 100 + 1e-6) / 100
    return min(cut, points)


def as_number(value: float) -> str:
    """Write points as people do: `3`, `2.5`."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
