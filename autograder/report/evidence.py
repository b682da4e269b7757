"""What is known of a class: its marks from the gradebook, and the verdict on every test.

Both doors, `autograder grade` and `nbgrader autograde`, leave the same: a row in the gradebook
and a record of the verdicts in `.autograder/LAB/`. A row without a record has marks and no tests.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from nbgrader.api import (  # type: ignore[import-untyped]  # it ships no types
    Assignment,
    BaseCell,
    Grade,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy import Connection, select

from autograder.checks.records import Outcome, task_title
from autograder.grading.autograded import NO_RESPONSE
from autograder.grading.cache import Records
from autograder.grading.database import Database
from autograder.grading.entries import find_lab, points_of
from autograder.grading.folder import CourseFolder

PASSED, FAILED, BLOCKED, UNKNOWN = 1, 0, -1, -2
_CODES = {Outcome.PASSED: PASSED, Outcome.FAILED: FAILED, Outcome.BLOCKED: BLOCKED}

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Test:
    """One test of a lab.

    Attributes:
        id: Its name, `t1.test_creating_answers_201`.
        task: The task that it checks, `t1`.
        meaning: What it asks for, in a sentence.
        skill: What it gives evidence of, `d2.routes`; may be empty.
        hidden: Whether students see it only when they are marked.
        points: What it is worth.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name

    id: str
    task: str
    meaning: str
    skill: str
    hidden: bool
    points: float

    @property
    def title(self) -> str:
        """Return the task's name as people say it."""
        return task_title(self.task)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One student's mark in one lab, as the gradebook holds it.

    Attributes:
        score: The mark, after a late penalty.
        penalty: What was taken away for lateness.
        tasks: The points of each graded cell, by the cell's name; a person's go first.
        unmarked: Whether a person still has to give points, or to look at the row.
        reason: Why, where the engine has said so.
        altered: What the submission changed that it should not have.
    """

    score: float
    penalty: float = 0.0
    tasks: Mapping[str, float] = field(default_factory=dict)
    unmarked: bool = False
    reason: str = ""
    altered: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabEvidence:
    """All that is known of a class in one lab.

    Attributes:
        name: The lab.
        max_score: What it is worth.
        tasks: The points of each graded cell, by the cell's name, in the notebook's order.
        marks: The marks, by student.
        tests: The tests, in the notebook's order.
        outcomes: One row per student of `marks` in its order, one column per test: `PASSED`,
            `FAILED`, `BLOCKED`, or `UNKNOWN` where the test was not there or its check did not run.
        messages: How often a test failed with a sentence, by the test's id.
    """

    name: str
    max_score: float
    tasks: Mapping[str, float]
    marks: Mapping[str, Mark]
    tests: tuple[Test, ...]
    outcomes: Codes
    messages: Mapping[str, Counter[str]]

    @property
    def shares(self) -> Floats:
        """The marks as shares of what the lab is worth."""
        return np.array([mark.score for mark in self.marks.values()]) / (self.max_score or 1)


@dataclass(frozen=True)
class ClassEvidence:
    """All that is known of a class.

    Attributes:
        labs: The labs that have been graded, in the course's order.
        students: Everybody who is in the gradebook, with the name that it has, or an empty one.
    """

    labs: tuple[LabEvidence, ...]
    students: Mapping[str, str]


class _Test(BaseModel):
    id: str
    meaning: str
    outcome: Outcome
    max_points: float
    skill: str = ""
    hidden: bool = False
    message: str = ""


class _Check(BaseModel):
    task: str
    tests: tuple[_Test, ...] = ()
    problem: str = ""


class _Judged(BaseModel):
    checks: dict[str, _Check]


class _Record(BaseModel):
    """The part of a record that a report needs; the rest is skipped while it is parsed."""

    judged: _Judged | None = None
    altered: tuple[str, ...] = ()
    comments: dict[str, str | None] = {}  # where grading says why a person should look


_RECORD = TypeAdapter(_Record)


def gather(course: CourseFolder, labs: Iterable[str]) -> ClassEvidence:
    """Read what is known of a class.

    Args:
        course: The course.
        labs: Names of the labs to read, in the order in which they are to be shown.
    """
    with (
        Database(course.gradebook_url, course.nbgrader.course_id) as database,
        database.transaction() as connection,
    ):
        students = _students(connection)
        rows = {lab: _rows(connection, lab) for lab in labs}
        worth = {lab: _worth(connection, lab) for lab in rows}
    found = [
        _lab(lab, worth[lab], rows[lab], Records(course.state / lab)) for lab in rows if rows[lab]
    ]
    return ClassEvidence(tuple(found), students)


def _students(connection: Connection) -> dict[str, str]:
    named = select(Student.id, Student.first_name, Student.last_name).order_by(Student.id)
    return {
        row.id: " ".join(filter(None, (row.first_name, row.last_name)))
        for row in connection.execute(named)
    }


def _worth(connection: Connection, lab: str) -> dict[str, float]:
    """Return the points of each graded cell of a lab, tasks in the order of their numbers."""
    entry = find_lab(connection, lab)
    points = points_of(connection, entry) if entry else {}
    return {name: points[name] for name in sorted(points, key=_natural)}


def _natural(name: str) -> tuple[float, str]:
    """Order `check-t2` before `check-t10`, and names without a number last."""
    digits = "".join(filter(str.isdigit, name))
    return (int(digits) if digits else math.inf, name)


def _rows(connection: Connection, lab: str) -> dict[str, dict[str, Any]]:
    """Return, by student, what the gradebook holds of a lab."""
    grades = (
        select(
            SubmittedAssignment.student_id,
            SubmittedNotebook.late_submission_penalty.label("penalty"),
            BaseCell.name,
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
            Grade.needs_manual_grade,
        )
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .where(Assignment.name == lab)
        .order_by(SubmittedAssignment.student_id)
    )
    found: dict[str, dict[str, Any]] = {}
    for row in connection.execute(grades):
        one = found.setdefault(row.student_id, {"penalty": 0.0, "tasks": {}, "unmarked": False})
        given = row.auto_score if row.manual_score is None else row.manual_score
        one["penalty"] = row.penalty or 0.0
        one["tasks"][row.name] = float(given or 0) + float(row.extra_credit or 0)
        one["unmarked"] |= bool(row.needs_manual_grade)
    return found


def _lab(
    name: str,
    worth: Mapping[str, float],
    rows: Mapping[str, Mapping[str, Any]],
    records: Records,
) -> LabEvidence:
    tests: dict[str, Test] = {}
    verdicts: list[dict[str, int]] = []
    marks: dict[str, Mark] = {}
    messages: dict[str, Counter[str]] = {}
    for student, row in rows.items():
        record = _read(records.file(student))
        seen: dict[str, int] = {}
        for check in record.judged.checks.values() if record.judged else ():
            for one in check.tests:
                if one.id not in tests:
                    tests[one.id] = Test(
                        one.id, check.task, one.meaning, one.skill, one.hidden, one.max_points
                    )
                seen[one.id] = _CODES[one.outcome]
                if one.outcome is Outcome.FAILED:
                    said = one.message or check.problem or one.meaning
                    messages.setdefault(one.id, Counter())[said] += 1
        verdicts.append(seen)
        marks[student] = Mark(
            score=max(0.0, sum(row["tasks"].values()) - row["penalty"]),
            penalty=row["penalty"],
            tasks=row["tasks"],
            unmarked=row["unmarked"],
            reason=_reason(record),
            altered=record.altered,
        )
    order = {cell.removeprefix("check-"): number for number, cell in enumerate(worth)}
    shown = sorted(tests.values(), key=lambda test: order.get(test.task, len(order)))
    outcomes = np.full((len(verdicts), len(shown)), UNKNOWN, dtype=np.int8)
    for number, seen in enumerate(verdicts):
        outcomes[number] = [seen.get(test.id, UNKNOWN) for test in shown]
    return LabEvidence(name, sum(worth.values()), worth, marks, tuple(shown), outcomes, messages)


def _reason(record: _Record) -> str:
    """Say why a person should look at a row, where grading has said so: at the first answer."""
    first = next(iter(record.comments.values()), None)
    return "" if first is None or first == NO_RESPONSE else first


def _read(file: Path) -> _Record:
    try:
        return _RECORD.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return _Record()
