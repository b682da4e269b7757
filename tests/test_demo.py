"""`autograder demo`: a class from the release to the table of marks."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli import app
from autograder.corpus import read_corpus
from autograder.course import Course
from autograder.demo import some_of_each_kind

ROOT = Path(__file__).resolve().parents[1]
LAB = "lab01-path-operations"
SCRIPTS = Path(sys.executable).parent

WRONG_MARK = """\
---
about: The solution, of which the file says that it loses a point
kind: wrong
base: solution
loses: []
points: 19
---
"""


@pytest.fixture
def environment(tmp_path):
    """The environment of a user who has not activated anything; new folders come into `made`."""
    for name in ("home", "made"):
        (tmp_path / name).mkdir()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("JUPYTER")}
    return kept | {
        "HOME": str(tmp_path / "home"),
        "PATH": os.defpath,
        "TMPDIR": str(tmp_path / "made"),
        "COLUMNS": "80",
    }


@pytest.fixture
def small_course(tmp_path):
    """A copy of the course whose corpus is a broken file and a wrongly stated mark."""
    root = tmp_path / "course"
    for name in (f"solutions/{LAB}", f"labs/{LAB}", "content/labs/01-path-operations"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    corpus = root / "tests" / "corpus" / "lab01"
    corpus.mkdir(parents=True)
    shutil.copy(ROOT / "tests/corpus/lab01/wrong-not-a-notebook.md", corpus)
    (corpus / "zz-stated-wrongly.md").write_text(WRONG_MARK)
    return root


def demo(folder, environment, *options):
    """Run the demonstration as a user does."""
    return subprocess.run(
        [SCRIPTS / "autograder", "demo", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def row(printed, student):
    """Return the numbers in a student's row of the table."""
    [line] = re.findall(rf"^ {student} +([\d. ]+?) *$", printed, flags=re.MULTILINE)
    return [float(number) for number in line.split()]


@pytest.mark.notebook
def test_a_class_of_four(environment, tmp_path):
    """The first four of the corpus are graded as stated, and the folder is removed again."""
    done = demo(ROOT, environment, "--students", "4")
    assert (done.returncode, done.stderr) == (0, "")
    assert row(done.stdout, "right-solution") == [3, 4, 3, 3, 7, 20, 20]
    assert row(done.stdout, "blank") == [0] * 7
    assert row(done.stdout, "partial-half-finished")[-2:] == [8.27, 8.27]
    assert "4/4" in done.stdout
    assert "every mark is the one that the corpus states" in done.stdout
    assert list((tmp_path / "made").glob("autograder-demo-*")) == []


@pytest.mark.notebook
def test_what_cannot_be_read_and_what_is_not_as_stated(small_course, environment, tmp_path):
    """A broken file is a row with 0 and its reason; a mark that differs is named and gives 1."""
    done = demo(small_course, environment, "--keep", "--students", "5")
    assert (done.returncode, done.stderr) == (1, "")
    assert row(done.stdout, "wrong-not-a-notebook") == [0] * 7
    reason = "wrong-not-a-notebook: review: The file is no notebook: it is not JSON."
    said = " ".join(done.stdout.split())
    assert reason in said
    assert "1 marks differ from what the corpus states: zz-stated-wrongly" in said
    # The fifth student hands in the first submission once more.
    assert row(done.stdout, "right-solution-2") == [3, 4, 3, 3, 7, 20, 20]

    [kept] = (tmp_path / "made").glob("autograder-demo-*")
    assert kept.name in done.stdout
    subprocess.run(
        [SCRIPTS / "nbgrader", "export", "--to", "again.csv"],
        cwd=kept,
        env=environment,
        check=True,
        capture_output=True,
    )
    marks = {"right-solution": 20, "right-solution-2": 20, "blank": 0, "zz-stated-wrongly": 20}
    marks["wrong-not-a-notebook"] = 0
    for table, student in (("again.csv", "student_id"), ("marks.csv", "student")):
        with (kept / table).open() as file:
            found = {line[student]: float(line["score"]) for line in csv.DictReader(file)}
        assert found == marks
    pages = {page.parts[-3]: page for page in kept.glob("feedback/*/*/*.html")}
    assert pages.keys() == marks.keys()
    assert "it is not JSON" in pages["wrong-not-a-notebook"].read_text(encoding="utf-8")


@pytest.mark.parametrize("options", [["--students", "0"], ["--students", "many"], ["--all"]])
def test_wrong_use(options):
    """Options that make no sense are refused with exit code 2."""
    assert CliRunner().invoke(app, ["demo", *options]).exit_code == 2


def test_outside_a_course(tmp_path, monkeypatch):
    """Outside a course the message says where to go, with exit code 2."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["demo"])
    assert done.exit_code == 2
    assert "is not inside a course" in done.output


def test_a_course_that_was_not_built(small_course, monkeypatch):
    """Without the generated lab the message says how to make it."""
    shutil.rmtree(small_course / "solutions")
    monkeypatch.chdir(small_course)
    done = CliRunner().invoke(app, ["demo"])
    assert done.exit_code == 1
    assert f"has no solutions/{LAB}: run `autograder build`" in done.output


def test_a_corpus_that_cannot_be_read(small_course, monkeypatch):
    """A fault in the corpus is named with its file."""
    file = small_course / "tests/corpus/lab01/zz-stated-wrongly.md"
    file.write_text(WRONG_MARK.replace("loses: []", "looses: []"))
    monkeypatch.chdir(small_course)
    done = CliRunner().invoke(app, ["demo", "--students", "1"])
    assert done.exit_code == 1
    assert "zz-stated-wrongly.md" in done.output


def test_a_class_without_a_size_is_small_and_has_every_kind():
    """Right, wrong, half-done and unreadable submissions are there, and few enough to wait for."""
    corpus = read_corpus(Course.find(ROOT), Course.find(ROOT).lab("lab01"))
    some = some_of_each_kind(corpus)
    assert {one.kind for one in some} == {one.kind for one in corpus}
    assert some[0].name == "right-solution"
    assert 20 <= len(some) <= 40
