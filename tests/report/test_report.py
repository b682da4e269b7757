"""`autograder report` on planted classes: what is named, what is kept apart, what is harmless."""

from __future__ import annotations

import csv
import re
import shutil

import pytest
from nbgrader.api import Gradebook

from .conftest import report
from .planted import Planted, plant


@pytest.fixture
def course(tmp_path):
    return tmp_path / "course"


def test_the_skill_that_half_of_a_class_lacks_is_named(weak):
    """It is the only one to teach again, in the terminal, on the page and in the JSON."""
    assert weak.code == 0
    again = [name for name, one in weak.json()["skills"].items() if one["teach_again"]]
    assert again == ["d2.lifecycles"]
    assert weak.json()["skills"]["d2.lifecycles"]["students_under_half"] >= 100
    assert "Teach again: d2.lifecycles" in weak.said
    shown = weak.text("class.html")
    assert shown.index("d2.lifecycles") < shown.index('id="look"')


def test_a_student_is_told_what_to_practise_with_the_evidence(weak):
    """Who lacks the skill finds it among the first, with its tests; who has it, earns of it."""
    lacking, having = weak.text("students/s0001.html"), weak.text("students/s0000.html")
    first = lacking[: lacking.index("Your skills")]
    assert "d2.lifecycles" in first
    assert re.search(r"Begin with lab01, Task \d: Sentence \d of task \d holds", first)
    assert re.search(r"d2.lifecycles, 0 of \d+ tests", lacking)
    assert not re.search(r"d2.lifecycles, 0 of", having)


def test_a_students_page_speaks_of_nobody_else(weak):
    """No classmate, no rank: it is handed out as it is."""
    page = weak.text("students/s0001.html")
    assert set(re.findall(r"s\d{4}", page)) == {"s0001"}
    assert not re.search(r"\bP\d|percentile|median|mean", page)


def test_pages_need_nothing_else(weak):
    """No script, no other host: they are read offline, printed, sent by mail."""
    for name in ("class.html", "students/s0000.html"):
        page = weak.text(name)
        assert "<script" not in page
        assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
        assert "@import" not in page


def test_each_test_has_its_difficulty_and_discrimination(weak):
    """The tests of the skill that half lacks are hard; tests of other skills are easy."""
    with (weak.folder / "tests.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 45
    hard = [float(row["difficulty"]) for row in rows if row["skill"] == "d2.lifecycles"]
    easy = [float(row["difficulty"]) for row in rows if row["skill"] != "d2.lifecycles"]
    assert max(hard) < 0.5 < min(easy)
    assert all(-1 <= float(row["discrimination"]) <= 1 for row in rows)


def test_every_mark_is_that_of_the_gradebook(weak):
    """The table of marks and nbgrader's own gradebook agree, to the cent."""
    url = f"sqlite:///{weak.folder.parent / 'gradebook.db'}"
    with (weak.folder / "marks.csv").open(newline="") as file, Gradebook(url, "planted") as book:
        for row in csv.DictReader(file):
            for lab in ("lab01-planted", "lab02-planted", "lab03-planted"):
                kept = book.find_submission(lab, row["student"])
                assert float(row[lab]) == pytest.approx(kept.score, abs=0.005)


def test_who_handed_in_nothing_is_one_to_look_at(course):
    """A student of the roster without a submission is named, and has a page."""
    plant(course, Planted(students=9))
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "planted") as book:
        book.add_student("zoe", first_name="Zoe", last_name="Zahn")
    made = report(course)
    assert made.json()["look_at"]["zoe"] == ["lab01: nothing handed in"]
    assert "Zoe Zahn" in made.text("students/zoe.html")


def test_who_has_left_the_roster_has_no_page_any_more(course):
    """A second report removes the page of a student who was removed."""
    plant(course, Planted(students=9))
    first = report(course)
    assert (first.folder / "students" / "s0003.html").is_file()
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "planted") as book:
        book.remove_student("s0003")
    second = report(course)
    assert not (second.folder / "students" / "s0003.html").exists()
    assert "s0003" not in second.text("class.html")


def test_names_of_any_kind_are_harmless(course):
    """HTML in a student's id is shown as text; a formula is none; a long id has a file."""
    names = ["<script>alert(1)", "=1+1", "x" * 240, "plain", "ä é", *"abcd"]
    plant(course, Planted(students=len(names), names=names))
    made = report(course)
    assert made.code == 0, made.said
    assert "<script" not in made.text("class.html")
    with (made.folder / "marks.csv").open(newline="") as file:
        students = {row["student"] for row in csv.DictReader(file)}
    assert "'=1+1" in students
    assert len(list((made.folder / "students").glob("*.html"))) == len(names)
    links = re.findall(r'href="(students/[^"]+)"', made.text("class.html"))
    assert len(set(links)) == len(names)


def test_marks_without_verdicts_are_shown_all_the_same(course):
    """Where the records are gone, marks stand and nothing is invented about tests."""
    plant(course, Planted(students=9))
    shutil.rmtree(course / ".autograder" / "lab01-planted")
    made = report(course)
    assert made.code == 0
    assert made.json()["labs"]["lab01-planted"]["tests"] == {}
    assert "There is no evidence yet." in made.text("students/s0000.html")


def test_a_course_without_marks_says_what_to_do(course):
    """Exit code 1 and the command that makes marks; nothing is written."""
    plant(course, Planted(students=9))
    (course / "gradebook.db").unlink()
    made = report(course, "lab01")
    assert made.code == 1
    assert "autograder grade lab01" in made.said
    assert not made.folder.exists()
