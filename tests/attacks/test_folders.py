"""What lies beside a notebook: it never runs as the grader, and never stops the class."""

import os
import subprocess

import pytest

from .neighbours import BIN, USERS, full_marks, neighbours

RUN = "import pathlib\npathlib.Path({marker!r}).write_text('it ran')\n"
MODULES = ("json.py", "typing.py", "nbgrader_config.py", "conftest.py", "sitecustomize.py")
PAGES = ("index.html", "page.XHTML", "drawing.svg")


@pytest.fixture(scope="module", params=USERS)
def course(request):
    """A class, graded by `autograder grade`, begun inside a hostile folder."""
    with neighbours("lab01", request.param, tasks=["t1", "t2"]) as course:
        course.hand_in_all({"beside": "", "deep": "", "time": "", "secret": ""})
        course.marker = course.path / "ran"
        beside = course.folder("b-beside")
        for name in MODULES:
            (beside / name).write_text(RUN.format(marker=str(course.marker)))
        for name in PAGES:
            (beside / name).write_text("<script>alert(1)</script>")
        (beside / "solutions").mkdir()
        (beside / "notes.txt").write_text("kept")
        _nest(course.folder("b-deep"), 1_400)
        (course.folder("b-time") / "timestamp.txt").write_text("9" * 5_000_000)
        (course.folder("b-secret") / "submission_secret.txt").symlink_to("/dev/zero")
        yield course
        # Not by Python, which goes into folders by recursion.
        subprocess.run(["rm", "-rf", course.path], check=True)


def _nest(folder, depth):
    """Make folders inside folders, past what a path can name."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        inside = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inside
    os.close(here)


def test_a_class_is_graded(course):
    """Every honest student has full marks, and the hostile ones what their notebooks earn."""
    lines = course.grade(cwd=course.folder("b-beside"))
    full_marks(course, lines)
    assert {line["score"] for line in lines.values()} == {7}
    assert lines["b-time"]["altered"] == ["timestamp.txt"]
    assert not course.marker.exists()


def test_plain_nbgrader_grades_the_class_too(course):
    """So it does by nbgrader's own command."""
    done = course.autograde("--force")
    assert done.returncode == 0, done.stderr
    assert set(course.marks().values()) == {7}
    assert not course.marker.exists()


def test_nothing_that_runs_is_copied_on(course):
    """Neither settings nor pages come to autograded/ or feedback/; a text does."""
    made = course.run(BIN / "nbgrader", "generate_feedback", course.lab, "--student", "b-beside")
    assert made.returncode == 0, made.stderr
    for step in ("autograded", "feedback"):
        names = {path.name for path in (course.path / step / "b-beside").rglob("*")}
        assert "notes.txt" in names
        assert not names & {*MODULES[2:], *PAGES}, step


def test_a_handed_in_notebook_is_not_run_unprotected(course):
    """`autograder check` runs one's own work; what was handed in, it runs in the sandbox."""
    done = course.run(BIN / "autograder", "check", course.folder("a-honest") / course.file)
    assert done.returncode in {0, 1}, done.stderr
    assert "Judged as it would be graded" in done.stdout
