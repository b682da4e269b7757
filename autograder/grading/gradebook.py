"""Writes marks into nbgrader's gradebook: the rows that nbgrader would write, a row at a time.

nbgrader itself commits once per cell. Here one transaction holds a submission, so a row is
there as a whole or not at all, and two graders at once do not stop each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import NamedTuple

from nbgrader.api import (  # type: ignore[import-untyped]  # it ships no types
    Comment,
    Grade,
    SourceCell,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.preprocessors import AssignLatePenalties  # type: ignore[import-untyped]
from sqlalchemy import Connection, select, update
from traitlets.config import Config

from autograder.grading.database import Database
from autograder.grading.entries import Entry, LabEntry, add, find, find_lab, points_of


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the gradebook is to hold of one submission.

    Attributes:
        scores: The automatic score of each graded cell; None where a person has to give it.
        comments: The automatic comment on each answer; None for no comment.
        timestamp: When it was handed in, if that is known.
        review: Whether a person should look at it.
    """

    scores: dict[str, float | None] = field(default_factory=dict)
    comments: dict[str, str | None] = field(default_factory=dict)
    timestamp: dt.datetime | None = None
    review: bool = False


class Total(NamedTuple):
    """What a row comes to: the points of its cells, and what is taken away for lateness."""

    points: float
    penalty: float

    @property
    def score(self) -> float:
        """The mark: never below nothing."""
        return max(0.0, self.points - self.penalty)


class Marks:
    """The marks of one lab in the gradebook.

    Args:
        database: The gradebook.
        lab: Name of the assignment and of its notebook.
        config: nbgrader's settings, for the late penalty.
    """

    def __init__(self, database: Database, lab: str, config: Config) -> None:
        self._database = database
        self._name = lab
        self._penalties = AssignLatePenalties(config=config)
        self._penalties.log.setLevel("CRITICAL")
        self._penalties.init_plugin()
        self._penalties.plugin_inst.log.setLevel("CRITICAL")
        self._lab: LabEntry | None = None

    def holds(self, points: Mapping[str, float], sources: Mapping[str, str]) -> bool:
        """Tell whether the lab is in the gradebook as it is in solutions/.

        Args:
            points: The points of each graded cell.
            sources: The text of each locked cell.
        """
        with self._database.transaction() as connection:
            lab = find_lab(connection, self._name)
            if lab is None:
                return False
            here = SourceCell.notebook_id == lab.notebook
            texts = connection.execute(
                select(SourceCell.name, SourceCell.source).where(here, SourceCell.locked)
            )
            return points == points_of(connection, lab) and sources == dict(texts.all())

    def written(self, student: str, row: Row) -> Total | None:
        """Return what a row comes to if the gradebook holds it already, its penalty included."""
        with self._database.transaction() as connection:
            lab = self._in(connection)
            found = find(connection, lab, student)
            if found is None:
                return None
            same = (
                found.timestamp == (row.timestamp or found.timestamp)
                and all(found.grades[name].auto_score == row.scores[name] for name in row.scores)
                and found.comments == row.comments
                and found.penalty == self._penalty(student, row, found, lab.duedate)
            )
            return Total(found.score(row.scores), found.penalty or 0.0) if same else None

    def write(self, student: str, row: Row) -> Total:
        """Write a row, whatever was there, and return what it comes to.

        What a person has given stays.
        """
        return self._database.write(lambda connection: self._write(connection, student, row))

    def _write(self, connection: Connection, student: str, row: Row) -> Total:
        lab = self._in(connection)
        found = find(connection, lab, student) or add(connection, lab, student)
        if row.timestamp is not None:
            found.timestamp = row.timestamp
            connection.execute(
                update(SubmittedAssignment)
                .where(SubmittedAssignment.id == found.submission)
                .values(timestamp=row.timestamp)
            )
        for number, (name, score) in enumerate(row.scores.items()):
            grade = found.grades[name]
            by_hand = grade.manual_score is not None or score is None
            connection.execute(
                update(Grade)
                .where(Grade.id == grade.id)
                .values(
                    auto_score=score,
                    needs_manual_grade=by_hand or (row.review and number == 0),
                )
            )
        for name, comment in row.comments.items():
            connection.execute(
                update(Comment)
                .where(
                    Comment.cell_id == lab.commented[name], Comment.notebook_id == found.notebook
                )
                .values(auto_comment=comment)
            )
        penalty = self._penalty(student, row, found, lab.duedate)
        connection.execute(
            update(SubmittedNotebook)
            .where(SubmittedNotebook.id == found.notebook)
            .values(late_submission_penalty=penalty)
        )
        return Total(found.score(row.scores), penalty or 0.0)

    def _penalty(
        self, student: str, row: Row, found: Entry, duedate: dt.datetime | None
    ) -> float | None:
        """Return what nbgrader's plug-in takes away for lateness."""
        timestamp = row.timestamp or found.timestamp
        if timestamp is None or duedate is None:
            return None
        late = (timestamp - duedate - (found.extension or dt.timedelta())).total_seconds()
        if late <= 0:
            return None
        score = found.score(row.scores)
        penalty = self._penalties.plugin_inst.late_submission_penalty(student, score, late)
        if penalty is None:
            return None
        notebook = SimpleNamespace(score=score)
        return float(self._penalties._check_late_penalty(notebook, penalty))  # noqa: SLF001 - its rule

    def _in(self, connection: Connection) -> LabEntry:
        if self._lab is None:
            self._lab = find_lab(connection, self._name)
        assert self._lab is not None, "the lab is put into the gradebook before its marks"
        return self._lab
