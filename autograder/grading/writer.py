"""Brings notebook, gradebook and memory of a submission up to date."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from nbformat import NotebookNode

from autograder.grading import autograded, beside, cache
from autograder.grading.cache import Record, Records
from autograder.grading.folder import CourseFolder
from autograder.grading.gradebook import Marks, Row, Total
from autograder.grading.handed_in import Fetched, HandedIn
from autograder.grading.judging import Question
from autograder.grading.lab import GradedLab
from autograder.judge.judged import Judged

_NOTEBOOK_MODE = 0o444


@dataclass(frozen=True, kw_only=True)
class Work:
    """A submission that is being graded.

    Attributes:
        student: Whose it is.
        fetched: What was handed in.
        submission: As it is graded; None while nobody has needed to know more than that it is
            as it was.
        altered: What the student changed that is not part of an answer.
        reason: Why it cannot be read; empty if it can.
        file: Hash of the file that was handed in and of all that it is judged in.
        question: What is to be judged, and what is known of it.
        seconds: How long reading took.
        lock: Keeps other graders away.
    """

    student: str
    fetched: Fetched
    submission: HandedIn | None
    altered: tuple[str, ...]
    reason: str
    file: str
    question: Question
    seconds: float
    lock: contextlib.ExitStack


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes what came of submissions, and only what is not there yet.

    Attributes:
        course: The course.
        lab: The lab.
        marks: Its marks in the gradebook.
        records: What is remembered of its submissions.
        layout: Hash of what every autograded notebook is made from.
        checks: Hash of each check, by its cell's id.
    """

    course: CourseFolder
    lab: GradedLab
    marks: Marks
    records: Records
    layout: str
    checks: Mapping[str, str]

    def write(self, work: Work, judged: Judged | None, reason: str, *, cached: bool) -> Total:
        """Bring notebook and gradebook up to date, and return what the row comes to.

        Args:
            work: The submission.
            judged: What came of it, if anything.
            reason: Why a person should look at it; empty if nobody needs to.
            cached: Whether nothing was run for it.
        """
        target = self.course.of_student(
            self.course.nbgrader.autograded_directory, work.student, self.lab.name
        )
        file = target / f"{self.lab.name}.ipynb"
        ignored = list(self.course.nbgrader.ignore)
        files = beside.listing(work.fetched.folder, ignored) | self.lab.data
        cells, before = work.question.cells, work.question.record
        made_of = cache.digest(self.layout, cells.all, work.altered, reason, beside.states(files))
        if cached and made_of == before.written and _is(file, before.notebook):
            row = _row(work, before, reason)
            return self.marks.written(work.student, row) or self.marks.write(work.student, row)
        notebook = autograded.notebook_of(
            (work.submission or work.fetched.rebuilt(self.lab.release)).notebook,
            checks=self.lab.checks,
            judged=judged,
            altered=work.altered,
            reason=reason,
        )
        record = Record(
            cells=cells,
            checks=dict(self.checks),
            judged=None if judged is None or judged.overtime else judged,
            handed_in=work.file,
            altered=work.altered,
            scores=autograded.scores_of(notebook) if judged else _no_points(notebook),
            comments=_with_reason(autograded.comments_of(notebook), reason),
        )
        # The verdict first: what is lost after this is made again without running anything.
        self.records.write(work.student, record)
        # In one line: nbformat's own writer takes ten times as long.
        content = json.dumps(notebook, ensure_ascii=False).encode() + b"\n"
        cache.write_whole(file, content, mode=_NOTEBOOK_MODE)
        beside.copy(files, target, keep={file.name})
        total = self.marks.write(work.student, _row(work, record, reason))
        self.records.write(
            work.student, replace(record, written=made_of, notebook=cache.hash_of(content))
        )
        return total


def _row(work: Work, record: Record, reason: str) -> Row:
    return Row(
        scores=record.scores,
        comments=record.comments,
        timestamp=work.fetched.timestamp,
        review=bool(reason),
    )


def _no_points(notebook: NotebookNode) -> dict[str, float | None]:
    return dict.fromkeys(autograded.scores_of(notebook), 0.0)


def _with_reason(comments: dict[str, str | None], reason: str) -> dict[str, str | None]:
    """Put the reason for a review where formgrader and feedback show it: at the first answer."""
    if reason and comments:
        return comments | {next(iter(comments)): reason}
    return comments


def _is(file: Path, expected: str) -> bool:
    try:
        return cache.hash_of(file.read_bytes()) == expected
    except OSError:
        return False
