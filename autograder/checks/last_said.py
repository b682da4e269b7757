"""Keeps what each check of a notebook said last, for the start page and the student's profile.

It lies beside the notebook in `.attempts/`, with the count of failed attempts, and is no mark:
nobody grades by it. Where nothing can be written, nothing is kept.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from autograder.checks.records import CheckResult, Outcome

Shares = dict[str, tuple[float, float]]
"""For each skill the points of its tests that passed, and the points of all its tests."""

_MOST = 1_000_000
"""Bytes of such a file that are read; a notebook's checks need a few thousand."""


class Said(BaseModel):
    """What a check said last.

    Attributes:
        passing: How many of its visible tests passed.
        tests: How many there are.
        points: What they came to; 0 in a lesson.
        max_points: What the whole task is worth; 0 in a lesson.
        skills: The points by skill; None where an older version of the course has kept nothing.
    """

    model_config = ConfigDict(frozen=True)

    passing: int
    tests: int
    points: float = 0.0
    max_points: float = 0.0
    skills: Shares | None = None

    @property
    def all_pass(self) -> bool:
        """Whether every visible test passed."""
        return 0 < self.tests == self.passing


_FILE: TypeAdapter[dict[str, Said]] = TypeAdapter(dict[str, Said])


def file_of(lab: str, folder: Path) -> Path:
    """Return where it is kept for the notebooks of a folder.

    Args:
        lab: What the check cells call the lab or the lesson.
        folder: The folder of the notebook.
    """
    return folder / ".attempts" / f"{lab}.last.json"


def read(lab: str, folder: Path) -> dict[str, Said]:
    """Return what each task's check said last; nothing where nothing can be read."""
    file = file_of(lab, folder)
    try:
        return _FILE.validate_json(file.read_bytes()) if file.stat().st_size < _MOST else {}
    except (OSError, ValidationError):
        return {}


def note(result: CheckResult, folder: Path) -> None:
    """Keep what a check has just said."""
    said = Said(
        passing=result.passing,
        tests=len(result.tests),
        points=result.points,
        max_points=result.max_points,
        skills=_by_skill(result),
    )
    file = file_of(result.lab, folder)
    kept = read(result.lab, folder) | {result.task: said}
    with suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        text = json.dumps({task: one.model_dump() for task, one in kept.items()}, indent=1)
        file.write_text(text, encoding="utf-8")


def _by_skill(result: CheckResult) -> Shares:
    found: Shares = {}
    for test in result.tests:
        points, worth = found.get(test.skill, (0.0, 0.0))
        earned = test.max_points if test.outcome is Outcome.PASSED else 0.0
        found[test.skill] = (points + earned, worth + test.max_points)
    found.pop("", None)
    return found
