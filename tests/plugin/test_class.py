"""Plain `nbgrader autograde` with the engine: rows, and submissions that would stop it.

That it gives every lab the marks of the corpus is shown in tests/gates/.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.course import Course

from ..hidden_lines import hidden_lines

LAB = Course.find(Path(__file__).parent).lab("lab01")
AUTOGRADER = Path(sys.executable).with_name("autograder")
DUE = "2026-01-31 23:59:00 UTC"
REVIEW = {
    "no-notebook": "was not handed in",
    "other-name": "was not handed in",
    "text": "it is not JSON",
    "linked": "is a link",
    "linked-folder": "is a link",
    "folder": "is no ordinary file",
}
"""Submissions that a person must look at, and what is said of them."""

pytestmark = pytest.mark.notebook


def damage(course):
    """Hand in what nbgrader would stop at, follow, or take for full marks."""
    submitted, lab = course.path / "submitted", LAB.name
    (submitted / "no-notebook" / lab).mkdir(parents=True)
    (submitted / "other-name" / lab).mkdir(parents=True)
    (submitted / "other-name" / lab / "homework (1).ipynb").write_text("{}")
    course.hand_in("text", "This is no notebook.")
    (submitted / "linked" / lab).mkdir(parents=True)
    (submitted / "linked" / lab / f"{lab}.ipynb").symlink_to(
        submitted / "ben" / lab / f"{lab}.ipynb"
    )
    (submitted / "linked-folder").mkdir()
    (submitted / "linked-folder" / lab).symlink_to(submitted / "ben" / lab)
    (submitted / "folder" / lab / f"{lab}.ipynb").mkdir(parents=True)

    beside = course.hand_in_corpus("beside", "right-sqlite")
    (beside / "timestamp.txt").write_text("the day before yesterday")
    (beside / "notes.txt").write_text("my notes")
    (beside / "marks.txt").symlink_to(course.path / "gradebook.db")
    (beside / "zeros.txt").symlink_to("/dev/zero")
    os.mkfifo(beside / "pipe.txt")

    copied = course.hand_in_corpus("copied", "wrong-put-merges") / f"{lab}.ipynb"
    doubled = nbformat.read(copied, as_version=4)
    doubled.cells = [one for one in doubled.cells for _ in (1, 2)]
    course.hand_in("copied", doubled)

    skipped = nbformat.read(course.path / "labs" / lab / f"{lab}.ipynb", as_version=4)
    for one in skipped.cells:
        one.metadata.tags = ["skip-execution"]
    course.hand_in("skipped", skipped)
    shouted = course.hand_in_corpus("old-schema", "right-sqlite") / f"{lab}.ipynb"
    shouted.write_text(re.sub(r'"schema_version": \d', '"schema_version": 1', shouted.read_text()))
    nameless = nbformat.read(
        course.hand_in_corpus("nameless", "right-sqlite") / f"{lab}.ipynb", as_version=4
    )
    for one in nameless.cells:
        one.metadata = {}
        one.pop("id")
    course.hand_in("nameless", nameless)
    lacking = nbformat.read(
        course.hand_in_corpus("lacking", "right-sqlite") / f"{lab}.ipynb", as_version=4
    )
    lacking.cells = [one for one in lacking.cells if one.id != "t5"]
    course.hand_in("lacking", lacking)
    (course.hand_in_corpus("late", "right-sqlite") / "timestamp.txt").write_text(
        "2026-02-01 12:00:00 UTC"
    )


@pytest.fixture(scope="module")
def graded(new_course, handed_in):
    """A class with its damaged submissions, what nbgrader printed, and its feedback."""
    course = new_course("class", '\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    course.run("db", "assignment", "add", LAB.name, "--duedate", DUE)
    for student, name in handed_in.items():
        course.hand_in_corpus(student, name)
    damage(course)
    printed = course.run("autograde", LAB.name)
    course.run("generate_feedback", LAB.name)
    return course, printed


def test_a_bad_submission_is_a_row_with_0_and_its_reason(graded):
    """Unreadable, missing and linked submissions stop nobody and are marked for review."""
    course, printed = graded
    rows = course.rows()
    for student, reason in REVIEW.items():
        assert rows[student]["score"] == 0
        assert rows[student]["manual"]
        [comment] = {text for text in rows[student]["comments"].values() if text} - {"No response."}
        assert reason in comment
        assert f"{student} is marked for review: {comment}" in printed
        page = course.path / "feedback" / student / LAB.name / f"{LAB.name}.html"
        assert reason in page.read_text()


def test_what_was_altered_earns_and_costs_nothing(graded, corpus):
    """Copied cells, tags, an old schema, a wrong time: reported, and graded as if they were not."""
    course, printed = graded
    rows = course.rows()
    marks = {"copied": corpus["wrong-put-merges"].points, "skipped": 0, "old-schema": 20}
    for student, mark in marks.items():
        assert rows[student]["score"] == pytest.approx(mark)
        assert not rows[student]["manual"]
    assert "beside altered: timestamp.txt" in printed
    assert "copied altered: duplicated: " in printed
    assert "skipped altered: tags of " in printed


def test_a_notebook_that_lost_its_names_gets_its_marks(graded):
    """An editor that keeps neither metadata nor ids costs nothing; the log says what was done."""
    course, printed = graded
    assert course.rows()["nameless"]["score"] == 20
    assert "nameless altered: found by its text: t1" in printed


def test_a_task_without_a_cell_is_for_a_person(graded):
    """The other tasks are marked; the row is not taken for graded, and says which task it is."""
    course, printed = graded
    row = course.rows()["lacking"]
    assert 0 < row["score"] < 20
    assert row["manual"]
    assert "the cell of t5" in " ".join(text or "" for text in row["comments"].values())
    assert "lacking is marked for review: The notebook does not hold the cell of t5" in printed


def test_only_ordinary_files_are_copied(graded):
    """Notes come along; links to other people's files and pipes do not, and stop nobody."""
    course, _ = graded
    copied = course.path / "autograded" / "beside" / LAB.name
    assert {file.name for file in copied.iterdir()} == {f"{LAB.name}.ipynb", "notes.txt"}
    assert course.rows()["beside"]["score"] == 20


def test_nothing_of_a_hidden_test_is_shown(graded):
    """Neither the autograded notebooks nor the feedback nor the log have a line of them."""
    course, printed = graded
    source = course.path / "solutions" / LAB.name / f"{LAB.name}.ipynb"
    secrets = hidden_lines(nbformat.read(source, as_version=4))
    assert len(secrets) > 20
    files = [*course.path.glob("autograded/*/*/*.ipynb"), *course.path.glob("feedback/*/*/*.html")]
    assert len(files) == 2 * len(course.rows())
    for text in [printed, *(file.read_text() for file in files)]:
        assert not [secret for secret in secrets if secret in text]
    # The search does find what is there.
    assert "Tests of Task 1" in files[0].read_text()


def test_nothing_is_left_behind(graded):
    """The folder in which submissions were rebuilt is gone with the command."""
    course, _ = graded
    assert not list((course.path / ".autograder").glob("handed-in-*"))


def test_both_doors_write_the_same_rows(graded):
    """`autograder grade` in a copy of the course comes to the same gradebook, reasons included."""
    course, _ = graded
    other = course.path.with_name("other-door")
    left_out = shutil.ignore_patterns("autograded", "feedback", "gradebook.db", ".autograder")
    # Links stay links; a pipe cannot be copied.
    (course.path / "submitted" / "beside" / LAB.name / "pipe.txt").unlink()
    shutil.copytree(course.path, other, symlinks=True, ignore=left_out)
    ours = type(course)(other, course.env)
    ours.run("db", "assignment", "add", LAB.name, "--duedate", DUE)
    done = subprocess.run(
        [AUTOGRADER, "grade", LAB.name], cwd=other, env=course.env, check=False, capture_output=True
    )
    assert done.returncode == 1, done.stderr
    by_nbgrader, by_autograder = course.rows(), ours.rows()
    # A link in the place of a folder is no submission for `autograder grade`.
    assert by_nbgrader.keys() - by_autograder.keys() == {"linked-folder"}
    for row in (*by_nbgrader.values(), *by_autograder.values()):
        row["comments"] = {name: text for name, text in row["comments"].items() if text}
    assert by_autograder == {student: by_nbgrader[student] for student in by_autograder}
    assert by_nbgrader["late"]["late"] == 20


def test_what_is_known_is_not_judged_again(graded, handed_in):
    """`--force` writes everything anew from the verdicts that are remembered."""
    course, _ = graded
    records = [course.path / ".autograder" / LAB.name / f"{name}.json" for name in handed_in]
    before = [file.stat().st_mtime_ns for file in records], course.rows()
    course.run("autograde", LAB.name, "--force")
    assert before == ([file.stat().st_mtime_ns for file in records], course.rows())


def test_whoever_is_marked_already_is_skipped(graded):
    """Without --force only a newer submission is graded again; what a person gave stays."""
    course, _ = graded
    folder = course.hand_in_corpus("ann", "right-sqlite")
    (folder / "timestamp.txt").write_text("2026-01-02 12:00:00 UTC")
    printed = course.run("autograde", LAB.name)
    assert "Sanitizing" not in printed
    (course.path / "autograded" / "ann" / LAB.name / "timestamp.txt").write_text(
        "2026-01-01 12:00:00 UTC"
    )
    printed = course.run("autograde", LAB.name)
    assert printed.count("Sanitizing") == 1
    assert course.rows()["ann"]["score"] == 20
