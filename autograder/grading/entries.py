"""Finds a lab and its submissions in nbgrader's tables, and makes what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbgrader.api import (  # type: ignore[import-untyped]  # it ships no types
    Assignment,
    BaseCell,
    Comment,
    Grade,
    GradeCell,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
    new_uuid,
)
from sqlalchemy import Connection, insert, select


@dataclass(frozen=True)
class LabEntry:
    """The lab in the gradebook: ids of its cells by their names."""

    assignment: str
    notebook: str
    notebooks: tuple[str, ...]
    graded: dict[str, str]
    commented: dict[str, str]
    duedate: dt.datetime | None


@dataclass
class Entry:
    """A submission in the gradebook."""

    submission: str
    notebook: str
    timestamp: dt.datetime | None
    extension: dt.timedelta | None
    penalty: float | None
    grades: dict[str, Any]
    comments: dict[str, str | None]

    def score(self, scores: Mapping[str, float | None]) -> float:
        """Return the mark when the automatic scores are these; a person's score goes first."""
        total = 0.0
        for name, automatic in scores.items():
            grade = self.grades.get(name)
            given = grade.manual_score if grade and grade.manual_score is not None else automatic
            if given is not None:
                total += given + ((grade.extra_credit if grade else 0.0) or 0.0)
        return total


def find_lab(connection: Connection, name: str) -> LabEntry | None:
    """Return a lab that is in the gradebook."""
    assignment = connection.execute(
        select(Assignment.id, Assignment.duedate).where(Assignment.name == name)
    ).one_or_none()
    if assignment is None:
        return None
    notebooks: dict[str, str] = dict(
        connection.execute(
            select(Notebook.name, Notebook.id).where(Notebook.assignment_id == assignment.id)
        ).all()
    )
    if name not in notebooks:
        return None
    cells = connection.execute(
        select(BaseCell.name, BaseCell.id, BaseCell.type).where(
            BaseCell.notebook_id == notebooks[name]
        )
    ).all()
    return LabEntry(
        assignment.id,
        notebooks[name],
        tuple(notebooks.values()),
        {cell.name: cell.id for cell in cells if cell.type in {"GradeCell", "TaskCell"}},
        {cell.name: cell.id for cell in cells if cell.type in {"SolutionCell", "TaskCell"}},
        assignment.duedate,
    )


def points_of(connection: Connection, lab: LabEntry) -> dict[str, float]:
    """Return the points of each graded cell."""
    found: dict[str, float] = {}
    for kind in (GradeCell, TaskCell):
        table, base = kind.__table__, BaseCell.__table__
        found |= dict(
            connection.execute(
                select(base.c.name, table.c.max_score)
                .join_from(table, base, base.c.id == table.c.id)
                .where(base.c.notebook_id == lab.notebook)
            ).all()
        )
    return found


def find(connection: Connection, lab: LabEntry, student: str) -> Entry | None:
    """Return a student's submission, if it is in the gradebook."""
    submitted, notebook = SubmittedAssignment.__table__, SubmittedNotebook.__table__
    row = connection.execute(
        select(
            submitted.c.id,
            submitted.c.timestamp,
            submitted.c.extension,
            notebook.c.id.label("notebook"),
            notebook.c.late_submission_penalty,
        )
        .join_from(submitted, notebook, notebook.c.assignment_id == submitted.c.id)
        .where(
            submitted.c.assignment_id == lab.assignment,
            submitted.c.student_id == student,
            notebook.c.notebook_id == lab.notebook,
        )
    ).one_or_none()
    if row is None:
        return None
    grade, comment = Grade.__table__, Comment.__table__
    graded = {identity: name for name, identity in lab.graded.items()}
    commented = {identity: name for name, identity in lab.commented.items()}
    grades = connection.execute(select(grade).where(grade.c.notebook_id == row.notebook)).all()
    comments = connection.execute(
        select(comment.c.cell_id, comment.c.auto_comment).where(
            comment.c.notebook_id == row.notebook
        )
    ).all()
    return Entry(
        row.id,
        row.notebook,
        row.timestamp,
        row.extension,
        row.late_submission_penalty,
        {graded[found.cell_id]: found for found in grades},
        {commented[found.cell_id]: found.auto_comment for found in comments},
    )


def add(connection: Connection, lab: LabEntry, student: str) -> Entry:
    """Make a submission's rows, as `Gradebook.add_submission` does."""
    if connection.execute(select(Student.id).where(Student.id == student)).first() is None:
        connection.execute(insert(Student).values(id=student))
    submission = new_uuid()
    connection.execute(
        insert(SubmittedAssignment).values(
            id=submission, assignment_id=lab.assignment, student_id=student
        )
    )
    for notebook in lab.notebooks:
        own = new_uuid()
        connection.execute(
            insert(SubmittedNotebook).values(
                id=own, assignment_id=submission, notebook_id=notebook, flagged=False
            )
        )
        cells = connection.execute(
            select(BaseCell.id, BaseCell.type).where(BaseCell.notebook_id == notebook)
        ).all()
        for kind, of in ((Grade, "GradeCell"), (Comment, "SolutionCell")):
            rows = [
                {"id": new_uuid(), "cell_id": cell.id, "notebook_id": own}
                for cell in cells
                if cell.type in {of, "TaskCell"}
            ]
            if rows:
                connection.execute(insert(kind), rows)
    found = find(connection, lab, student)
    assert found is not None
    return found
