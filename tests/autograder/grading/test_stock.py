"""A class that nbgrader marks after every submission has been rebuilt."""

import json
import shutil
from pathlib import Path

import pytest

from autograder.corpus import read_corpus
from autograder.course import Course
from autograder.grading.outcome import Status
from autograder.grading.stock import StockCourse

COURSE = Course.find(Path(__file__).parent)
LAB = COURSE.lab("lab01")
CORPUS = {one.name: one for one in read_corpus(COURSE, LAB)}

pytestmark = pytest.mark.notebook


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A class of three: a copied and altered notebook, a broken one, and a folder without any."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(COURSE.root / "nbgrader_config.py", folder)
    shutil.copytree(COURSE.root / "solutions" / LAB.name, folder / "solutions" / LAB.name)
    CORPUS["wrong-put-merges"].write(folder / "submitted" / "ann" / LAB.name, COURSE, LAB)
    CORPUS["wrong-not-a-notebook"].write(folder / "submitted" / "ben" / LAB.name, COURSE, LAB)
    (folder / "submitted" / "cleo" / LAB.name).mkdir(parents=True)
    handed_in = folder / "submitted" / "ann" / LAB.name
    file = handed_in / f"{LAB.name}.ipynb"
    document = json.loads(file.read_text())
    copies = []
    for cell in document["cells"]:
        copies.append(cell)
        if cell["metadata"].get("nbgrader", {}).get("grade_id") in ("t1", "check-t1"):
            copies.append(cell)
    file.write_text(json.dumps(document | {"cells": copies}))
    (handed_in / "timestamp.txt").write_text("the day before yesterday")
    (handed_in / "submission_secret.txt").write_text("secret")
    stock = StockCourse(folder)
    stock.release(LAB.name)
    return stock


@pytest.fixture(scope="module")
def graded(course):
    return {one.student: one for one in course.grade(LAB.name, course.students(LAB.name))}


def test_copied_cells_stop_nobody_and_count_once(graded):
    """Copies run as in a kernel, are reported, and the mark is that of the notebook without."""
    ann = graded["ann"]
    assert ann.status is Status.GRADED
    assert ann.score == pytest.approx(CORPUS["wrong-put-merges"].points)
    assert [check.task for check in ann.checks] == ["t1", "t2", "t3", "t4", "t5"]
    assert ann.altered == ("timestamp.txt", "duplicated: t1", "duplicated: check-t1")


@pytest.mark.parametrize(
    ("student", "reason"),
    [("ben", "The file is no notebook: it is not JSON."),
     ("cleo", f"{LAB.name}.ipynb was not handed in.")],
)  # fmt: skip
def test_what_cannot_be_read_is_for_review(graded, student, reason):
    """It is a row with 0 and a reason, and the others are marked all the same."""
    one = graded[student]
    assert (one.status, one.score, one.max_score, one.checks) == (Status.REVIEW, 0, 20, ())
    assert one.message == reason


def test_feedback_finds_its_way_back(graded, course):
    """The secret by which the exchange knows a submission goes with the feedback."""
    feedback = course.write_feedback(LAB.name, "ann")
    assert (feedback / "submission_secret.txt").read_text() == "secret"
    assert (feedback / f"{LAB.name}.html").is_file()
