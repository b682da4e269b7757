"""What is tried on each commit: everything where it is asked for, else a sample, another each time.

A sample is the same in each process of a run, and whoever checks a commit out again draws it again.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
EVERYTHING = os.environ.get("GATES") == "everything"
"""Whether everything is tried (`make gates`)."""
One = TypeVar("One")


def drawing(root: Path, what: str) -> random.Random:
    """Return what a sample is drawn from.

    Args:
        root: A folder that git holds, or not.
        what: What the sample is of.
    """
    return random.Random(f"{_commit(root)} {what}")  # noqa: S311 - any sample will do


def some(ones: Sequence[One], what: str, *, share: float) -> list[One]:
    """Return a share of something, in its order; all of it if everything is to be tried.

    Args:
        ones: What there is.
        what: What it is, for the drawing.
        share: How much of it, from 0 to 1.
    """
    if EVERYTHING:
        return list(ones)
    places = drawing(ROOT, what).sample(range(len(ones)), round(share * len(ones)))
    return [ones[place] for place in sorted(places)]


@cache
def _commit(root: Path) -> str:
    """Return the name of the commit that is checked out; nothing where git knows none."""
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False
        )
    except OSError:  # no git here
        return ""
    return asked.stdout.strip()
