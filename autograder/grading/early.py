"""Guesses, before nbgrader is imported, how many workers there will be something to do for.

The guess decides only what starts early. It knows nbgrader's usual folders; in a course with
others, workers start when they are needed.
"""

from __future__ import annotations

import glob
from collections.abc import Collection
from itertools import islice
from pathlib import Path

from autograder.course import with_settings

STATE = ".autograder"
"""Folder of a course in which the engine remembers what it has graded."""


def busy_workers(
    start: Path, lab: str, students: Collection[str], *, jobs: int, again: bool = False
) -> int:
    """Return how many of `jobs` workers will have a submission to judge.

    Args:
        start: A folder inside the course.
        lab: The beginning of the lab's name.
        students: Only these; everybody who has handed in if empty.
        jobs: How many workers are wanted.
        again: Whether what was graded before is graded again.
    """
    root = next(with_settings(start), None)
    if root is None:
        return 0
    wanted = (
        notebook
        for notebook in (root / "submitted").glob(f"*/{glob.escape(lab)}*/*.ipynb")
        if not students or notebook.parts[-3] in students
    )
    to_do = (notebook for notebook in wanted if again or _seems_new(root, notebook))
    return sum(1 for _ in islice(to_do, jobs))


def _seems_new(root: Path, notebook: Path) -> bool:
    """Tell whether a notebook has not been graded since it was written."""
    student, lab = notebook.parts[-3:-1]
    record = root / STATE / lab / f"{student}.json"
    try:
        return record.stat().st_mtime_ns <= notebook.stat().st_mtime_ns
    except OSError:
        return True
