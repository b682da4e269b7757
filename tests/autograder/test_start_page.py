"""The start page: what is done and what comes next, read from what lies beside the notebooks."""

import json
import shutil
from pathlib import Path

import pytest

from autograder.checks import last_said
from autograder.checks.records import CheckResult, Outcome, TestRecord
from autograder.jupyterlab.start.state import read_course

ROOT = Path(__file__).parents[2]


@pytest.fixture
def course(tmp_path):
    """A folder with the notebooks that a student has."""
    for name in ("notebooks", "labs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".*"))
    return tmp_path


def result(lab, task, *outcomes, points=0.0, max_points=0.0):
    """Return what a check says."""
    tests = [
        TestRecord(id=f"{task}.{number}", meaning="", outcome=outcome, points=0, max_points=0)
        for number, outcome in enumerate(outcomes)
    ]
    return CheckResult(lab=lab, task=task, max_points=max_points, points=points, tests=tuple(tests))


def passed(page, folder, tasks):
    """Let the checks of these tasks pass."""
    lab = "lesson" if "notebooks" in page.path else "lab"
    number = page.path.rpartition("/")[2].removeprefix("lab")[:2]
    for task in tasks:
        done = result(f"{lab}{number}", task, Outcome.PASSED, points=page.tasks[task])
        last_said.note(done, (folder / page.path).parent)


def test_the_course_is_shown_in_its_order(course):
    """Each lesson comes with its lab, its minutes, its exercises and its tasks."""
    steps = read_course(course).steps
    assert [step.number for step in steps] == sorted(step.number for step in steps)
    first, second = steps[:2]
    assert first.lab is None
    assert second.lesson.title.startswith("01 ")
    assert second.lab.title.startswith("Lab 01")
    assert second.lab.max_points == pytest.approx(20)
    assert all(step.lesson.minutes and step.lesson.tasks for step in steps)


def test_whoever_has_not_begun_is_sent_to_the_first_lesson(course):
    """Nothing is done, and nothing counts."""
    read = read_course(course)
    assert not read.is_begun
    assert read.next == read.steps[0].lesson
    assert read.points == (0, 0)


def test_after_a_lesson_comes_its_lab(course):
    """When all exercises of lesson 01 pass, lab 01 is next; after it lesson 02."""
    step = read_course(course).steps[1]
    passed(step.lesson, course, step.lesson.tasks)
    assert read_course(course).next.path == step.lab.path
    passed(step.lab, course, step.lab.tasks)
    read = read_course(course)
    assert read.next.path == read.steps[2].lesson.path
    assert read.points == (pytest.approx(20), pytest.approx(20))
    assert read.steps[1].lab.is_done


def test_what_was_begun_is_gone_on_with(course):
    """A lab of which one task is done is next, with what it has so far."""
    lab = read_course(course).steps[1].lab
    passed(lab, course, ["t2"])
    read = read_course(course)
    assert (read.next.path, read.next.done, read.next.is_done) == (lab.path, 1, False)


def test_a_check_that_fails_later_counts_as_it_said_last(tmp_path):
    """The last word stands, and other tasks keep theirs."""
    last_said.note(result("lab01", "t1", Outcome.PASSED, points=3, max_points=3), tmp_path)
    last_said.note(result("lab01", "t2", Outcome.PASSED, points=4, max_points=4), tmp_path)
    last_said.note(result("lab01", "t1", Outcome.FAILED, Outcome.PASSED, max_points=3), tmp_path)
    said = last_said.read("lab01", tmp_path)
    assert (said["t1"].passing, said["t1"].tests, said["t1"].points) == (1, 2, 0)
    assert said["t2"].all_pass


@pytest.mark.parametrize("text", ["", "[1, 2", '{"t1": 3}', '{"t1": {"passing": "x"}}'])
def test_a_broken_file_is_as_good_as_none(course, text):
    """Whatever lies there, the page is shown."""
    file = last_said.file_of("lab01", course / "labs" / "lab01-path-operations")
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    assert not read_course(course).is_begun


def test_a_broken_notebook_is_left_out(course):
    """The other lessons are shown."""
    before = read_course(course).steps
    file = course / before[0].lesson.path
    file.write_text(json.dumps({"cells": 3}), encoding="utf-8")
    assert read_course(course).steps == before[1:]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    """The check goes on without a word."""
    (tmp_path / ".attempts").write_text("no folder", encoding="utf-8")
    last_said.note(result("lab01", "t1", Outcome.PASSED), tmp_path)
    assert last_said.read("lab01", tmp_path) == {}
