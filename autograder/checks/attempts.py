"""Counts how often each test has failed, so that each time opens its next hint.

The counts lie beside the notebook in `.attempts/`, which nbgrader does not collect
(`CourseDirectory.ignore` in nbgrader_config.py). Where nothing can be written they are kept
in memory only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from autograder.checks.records import CheckResult, Outcome


class Attempts:
    """How often the tests of one lab have failed since they last passed."""

    def __init__(self, lab: str, folder: Path) -> None:
        self._file = folder / ".attempts" / f"{lab}.json"
        self._counts = self._read()

    @property
    def failed(self) -> Mapping[str, int]:
        """How often each test has failed since it last passed, by its id."""
        return self._counts

    def note(self, result: CheckResult) -> None:
        """Count one more run of a check: a test that was not run counts nothing."""
        for test in result.tests:
            if test.outcome is Outcome.PASSED:
                self._counts.pop(test.id, None)
            elif test.outcome is Outcome.FAILED and test.message != result.problem:
                self._counts[test.id] = self._counts.get(test.id, 0) + 1
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


def is_validating() -> bool:
    """Tell whether this kernel runs for the student's Validate."""
    return os.environ.get("NBGRADER_EXECUTION") == "validate"


def is_grading() -> bool:
    """Tell whether nbgrader runs this kernel, for marks or for the student's Validate."""
    return bool(os.environ.get("NBGRADER_EXECUTION"))
