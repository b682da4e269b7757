"""Counts the failed attempts at a task, so that each one opens the next hint.

The counts lie beside the notebook in `.attempts/`, which nbgrader does not collect
(`CourseDirectory.ignore` in nbgrader_config.py). Where nothing can be written they are kept
in memory only.
"""

from __future__ import annotations

import json
import os
from pathlib import Path


class Attempts:
    """The failed attempts at the tasks of one lab."""

    def __init__(self, lab: str, folder: Path) -> None:
        self._file = folder / ".attempts" / f"{lab}.json"
        self._counts = self._read()

    def failed(self, task: str) -> int:
        """Return how many times the check of a task has failed since it last passed."""
        return self._counts.get(task, 0)

    def note(self, task: str, *, passed: bool) -> None:
        """Count one more run of a task's check."""
        self._counts[task] = 0 if passed else self.failed(task) + 1
        try:
            self._file.parent.mkdir(exist_ok=True)
            self._file.write_text(json.dumps(self._counts), encoding="utf-8")
        except OSError:
            return

    def _read(self) -> dict[str, int]:
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(stored, dict):
            return {}
        return {task: count for task, count in stored.items() if isinstance(count, int)}


def is_grading() -> bool:
    """Tell whether nbgrader runs this kernel, for marks or for the student's Validate."""
    return bool(os.environ.get("NBGRADER_EXECUTION"))
