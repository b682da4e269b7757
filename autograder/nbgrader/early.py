"""Lets workers start while nbgrader is still being imported: nbgrader_config.py asks for it.

Only the command `nbgrader autograde` is sure to need them, when something was handed in.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from pathlib import Path

from autograder.grading.early import busy_workers
from autograder.judge.staff import Staff

_staff: Staff | None = None
_begun = False


def start(words: Sequence[str]) -> None:
    """Start workers if a run is sure to need them.

    Args:
        words: What stands behind `nbgrader autograde`: the lab's name, and options.
    """
    global _staff, _begun  # noqa: PLW0603 - one per process, for the one command that it runs
    labs = [word for word in words if not word.startswith("-")]
    if len(labs) != 1 or _begun:
        return
    _begun = True
    jobs = len(os.sched_getaffinity(0))
    if busy := busy_workers(Path.cwd(), labs[0], (), jobs=jobs):
        _staff = Staff(busy)
        atexit.register(_staff.close)


def staff() -> Staff | None:
    """Return who has started and was not asked for yet; the caller closes it."""
    global _staff
    taken, _staff = _staff, None
    if taken is not None:
        atexit.unregister(taken.close)
    return taken
