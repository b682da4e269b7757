"""`autograder grade` for several labs at once, and what it writes and says."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess

import nbformat
import pytest

from autograder.grading.folder import CourseFolder
from autograder.grading.lab import made_release
from autograder.trial import AUTOGRADER

from .conftest import small_lab

OTHER = "lab92-other"


@pytest.fixture
def two(small):
    """The course with a second lab, the same under another name, and its release."""
    folder = small.path / "solutions" / OTHER
    folder.mkdir()
    (folder / "words.txt").write_text("one two\n")
    nbformat.write(small_lab(), folder / f"{OTHER}.ipynb")
    release = made_release(CourseFolder(small.path), OTHER)
    (small.path / "labs" / OTHER).mkdir()
    nbformat.write(release, small.path / "labs" / OTHER / f"{OTHER}.ipynb")
    return small


def hand_in_other(course, student):
    """Hand in the second lab as it was released."""
    folder = course.path / "submitted" / student / OTHER
    shutil.copytree(course.path / "labs" / OTHER, folder)


def grade(course, *arguments):
    return subprocess.run(
        [str(AUTOGRADER), "grade", *arguments],
        cwd=course.path, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_all_grades_every_lab_that_was_handed_in(two):
    """One command, one line for each submission of each lab, one file of marks task by task."""
    two.hand_in("amy")
    two.hand_in("bob", t2="pass")
    hand_in_other(two, "amy")
    ran = grade(two, "--all", "--json", "--csv", "marks.csv")
    assert ran.returncode == 0, ran.stderr
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {(one["lab"], one["student"], one["score"]) for one in lines} == {
        (two.lab, "amy", 3.5), (two.lab, "bob", 2), (OTHER, "amy", 0),
    }  # fmt: skip
    with (two.path / "marks.csv").open(newline="") as file:
        rows = {(row["lab"], row["student"]): row for row in csv.DictReader(file)}
    assert [rows[two.lab, "bob"][name] for name in ("t1", "t2", "score", "status")] == [
        "2.0", "0.0", "2.0", "graded",
    ]  # fmt: skip


def test_a_lab_that_nobody_handed_in_is_left_out(two):
    """It may not be due yet: nothing is said of it, and nothing fails."""
    two.hand_in("amy")
    ran = grade(two, "--all")
    assert ran.returncode == 0
    assert OTHER not in ran.stdout + ran.stderr
    assert "1 submissions of" in ran.stdout


def test_the_table_has_a_column_for_each_task(small):
    """The instructor sees at once where the points went."""
    small.hand_in("bob", t2="pass")
    table = grade(small, small.lab).stdout
    header = next(line for line in table.splitlines() if "student" in line)
    assert header.split()[:4] == ["student", "t1", "t2", "mark"]
    row = next(line for line in table.splitlines() if "bob" in line)
    assert row.split()[:4] == ["bob", "2", "0", "2"]


def test_neither_a_lab_nor_all_is_wrong_use(small):
    """The line says both ways to say what is to be graded."""
    ran = grade(small)
    assert ran.returncode == 2
    assert "--all" in ran.stderr
    both = grade(small, "lab91", "--all")
    assert both.returncode == 2


def test_an_interrupted_run_says_what_is_kept(small):
    """Ctrl+C: one line with what to do, no traceback; the next run takes over what was done."""
    for student in ("amy", "bob", "cleo", "dora", "eve", "fay"):
        small.hand_in(student)
    process = subprocess.Popen(
        [str(AUTOGRADER), "grade", small.lab, "--json", "--jobs", "1"],
        cwd=small.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    rest, complaints = process.communicate()
    done = 1 + len(rest.splitlines())
    if process.returncode == 0:  # all were done before the signal came
        assert done == 6
    else:
        assert process.returncode == 130
        assert f"Interrupted: {done} submissions are graded and kept." in complaints
        assert "Traceback" not in complaints
    assert small.grade().lines[first["student"]]["status"] == "cached"
