"""What a check cell puts out, in the student's notebook and in the grader's."""

from __future__ import annotations

from typing import Any

from autograder.checks.records import CheckResult
from autograder.checks.scoring import as_number
from autograder.render.html import check_table

RECORD_TYPE = "application/vnd.autograder.check+json"
"""Media type under which a check cell's output carries its record."""


def shown(result: CheckResult) -> dict[str, Any]:
    """Return a check's result by media type: its mark, its table, its record."""
    return {
        # text/plain must read as a number: nbgrader takes it for the mark.
        "text/plain": as_number(result.points),
        "text/html": check_table(result),
        RECORD_TYPE: result.model_dump(mode="json"),
    }
