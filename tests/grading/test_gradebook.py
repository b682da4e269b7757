"""Marks in nbgrader's gradebook: what a person gave counts, and so does more time."""

import datetime as dt
from contextlib import contextmanager

import pytest
from nbgrader.api import Gradebook

from autograder.grading.database import Database
from autograder.grading.folder import CourseFolder
from autograder.grading.gradebook import Marks, Row

DUE = dt.datetime(2026, 1, 31, 12)  # noqa: DTZ001 - as nbgrader keeps it
SCORES = {"check-t1": 2.0, "check-t2": 1.5, "why": None}
COMMENTS = {"t1": None, "t2": None, "why": None}


@contextmanager
def marks_of(small):
    with (small.path / "nbgrader_config.py").open("a") as config:
        config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    course = CourseFolder(small.path)
    with Database(course.gradebook_url, str(course.nbgrader.course_id)) as database:
        yield Marks(database, small.lab, course.config)


def row(timestamp=DUE):
    return Row(scores=SCORES, comments=COMMENTS, timestamp=timestamp)


def gradebook(small):
    return Gradebook(f"sqlite:///{small.path / 'gradebook.db'}")


def test_extra_credit_counts(small):
    """What a person adds to a cell is part of the mark, as in nbgrader's own sum."""
    with marks_of(small) as marks:
        assert marks.write("amy", row()).points == 3.5
        with gradebook(small) as book:
            book.find_grade("check-t1", small.lab, small.lab, "amy").extra_credit = 0.25
            book.find_grade("why", small.lab, small.lab, "amy").manual_score = 1
            book.db.commit()
        assert marks.written("amy", row()) == (4.75, 0)
        assert marks.write("amy", row()).points == 4.75
        with gradebook(small) as book:
            assert book.find_submission(small.lab, "amy").score == 4.75


@pytest.mark.parametrize(("hours", "late"), [(0, 3.5), (1, 3.5), (2, 0), (3, 0)])
def test_an_extended_deadline_is_the_deadline(small, hours, late):
    """Handed in two hours late: nothing is taken from whoever had two hours more."""
    handed_in = DUE + dt.timedelta(hours=2)
    with marks_of(small) as marks:
        marks.write("amy", row(handed_in))
        with gradebook(small) as book:
            book.update_or_create_assignment(small.lab, duedate=f"{DUE} UTC")
            book.grant_extension(small.lab, "amy", hours=hours)
    with marks_of(small) as marks:
        marks.write("amy", row(handed_in))
        assert (small.rows()["amy"]["late"] or 0) == late
        assert marks.written("amy", row(handed_in)) == (3.5, late)
