"""What seems new to judge, guessed from folders and times before nbgrader is imported."""

import os

import pytest

from autograder.course import CONFIG
from autograder.grading.early import STATE, busy_workers

LAB = "lab01-path-operations"


@pytest.fixture
def course(tmp_path):
    """A course in which five students have handed in a lab."""
    (tmp_path / CONFIG).touch()
    for number in range(5):
        folder = tmp_path / "submitted" / f"student{number}" / LAB
        folder.mkdir(parents=True)
        (folder / f"{LAB}.ipynb").touch()
    return tmp_path


def graded(course, student, *, seconds_later=1):
    """Leave a record of a grading, some time after the notebook was written."""
    record = course / STATE / LAB / f"{student}.json"
    record.parent.mkdir(parents=True, exist_ok=True)
    record.touch()
    written = (course / "submitted" / student / LAB / f"{LAB}.ipynb").stat().st_mtime
    os.utime(record, (written + seconds_later, written + seconds_later))


def test_there_are_never_more_workers_than_submissions_or_jobs(course):
    """Five new submissions keep up to five workers busy."""
    assert [busy_workers(course, "lab01", [], jobs=jobs) for jobs in (1, 3, 8)] == [1, 3, 5]


def test_only_the_lab_and_the_students_that_are_named_count(course):
    """Others do not have a worker started."""
    assert busy_workers(course, "lab02", [], jobs=8) == 0
    assert busy_workers(course, "lab01", ["student3", "stranger"], jobs=8) == 1


def test_what_was_graded_since_it_was_written_counts_only_when_it_is_graded_again(course):
    """A record that is newer than the notebook stands for it, an older one does not."""
    graded(course, "student0")
    graded(course, "student1", seconds_later=-1)
    assert busy_workers(course, "lab01", [], jobs=8) == 4
    assert busy_workers(course, "lab01", [], jobs=8, again=True) == 5


def test_a_folder_inside_the_course_will_do_and_one_outside_has_no_work(course, tmp_path_factory):
    """The course is found from any folder below it."""
    assert busy_workers(course / "submitted" / "student0", "lab01", [], jobs=8) == 5
    assert busy_workers(tmp_path_factory.mktemp("elsewhere"), "lab01", [], jobs=8) == 0
