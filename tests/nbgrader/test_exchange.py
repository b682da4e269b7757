"""An instructor's whole way by the commands of docs/instructors.md, with two students."""

import csv
import shutil
from pathlib import Path

import nbformat
import pytest

from autograder.corpus import read_corpus
from autograder.course import Course

COURSE = Course.find(Path(__file__).parent)
LAB = COURSE.lab("lab01")
NOTEBOOK = f"{LAB.name}/{LAB.name}.ipynb"
HANDED_IN = {
    student: next(one for one in read_corpus(COURSE, LAB) if one.name == name)
    for student, name in {"ann": "right-sqlite", "ben": "partial-half-finished"}.items()
}

pytestmark = pytest.mark.notebook


@pytest.fixture(scope="module")
def exchange(tmp_path_factory):
    """The folder through which releases, submissions and feedback go."""
    return tmp_path_factory.mktemp("exchange")


@pytest.fixture(scope="module")
def instructor(new_course, exchange):
    """A course that names its exchange in nbgrader_config.py."""
    folder = new_course("instructor")
    with (folder.path / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.Exchange.root = {str(exchange)!r}\n")
    return folder


@pytest.fixture(scope="module")
def students(instructor, tmp_path_factory):
    """Each student's folder, which knows the course's settings."""
    folders = {}
    for student in HANDED_IN:
        path = tmp_path_factory.mktemp(student)
        shutil.copy(instructor.path / "nbgrader_config.py", path)
        env = instructor.env | {"JUPYTER_DATA_DIR": str(path / "data")}
        folders[student] = type(instructor)(path, env)
    return folders


def at_once(students, command):
    """Run a command as every student, all at the same time."""
    running = {
        name: folder.start(command, LAB.name, "--student", name)
        for name, folder in students.items()
    }
    return [students[name].end(process) for name, process in running.items()]


@pytest.fixture(scope="module")
def class_done(instructor, students):
    """A class from the release to the feedback; the notebooks' folders tell what came of it."""
    instructor.nbgrader("release_assignment", LAB.name)
    at_once(students, "fetch_assignment")
    for student, submission in HANDED_IN.items():
        folder = students[student].path / LAB.name
        nbformat.write(submission.notebook(COURSE, LAB), folder / f"{LAB.name}.ipynb")
        (folder / ".attempts").mkdir()
        (folder / ".attempts" / "lab01.json").write_text("{}")
    at_once(students, "submit")
    instructor.nbgrader("collect", LAB.name)
    instructor.nbgrader("autograde", LAB.name)
    instructor.nbgrader("generate_feedback", LAB.name)
    instructor.nbgrader("release_feedback", LAB.name)
    at_once(students, "fetch_feedback")
    instructor.nbgrader("export", "--to", "marks.csv")
    return instructor


def test_the_marks_arrive_in_the_exported_table(class_done):
    """The CSV has a row per student with the mark that the corpus states."""
    with (class_done.path / "marks.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert {student: float(row["score"]) for student, row in rows.items()} == pytest.approx(
        {student: submission.points for student, submission in HANDED_IN.items()}
    )
    assert {float(row["max_score"]) for row in rows.values()} == {20}
    assert all(row["timestamp"] for row in rows.values())


def test_a_student_fetches_what_the_repository_shows(class_done, exchange):
    """What goes out through the exchange is the notebook in labs/, byte for byte."""
    [out] = exchange.glob(f"*/outbound/{LAB.name}")
    assert [file.name for file in out.iterdir()] == [f"{LAB.name}.ipynb"]
    assert (out / f"{LAB.name}.ipynb").read_bytes() == (
        COURSE.root / "labs" / NOTEBOOK
    ).read_bytes()


def test_the_count_of_attempts_stays_with_the_student(class_done):
    """`.attempts/` beside the notebook is neither submitted nor collected."""
    for student in HANDED_IN:
        collected = class_done.path / "submitted" / student / LAB.name
        assert sorted(file.name for file in collected.iterdir()) == [
            f"{LAB.name}.ipynb",
            "submission_secret.txt",
            "timestamp.txt",
        ]


def test_every_student_gets_his_own_feedback(class_done, students):
    """The fetched page is the one that was made for this student, with his mark."""
    for student, submission in HANDED_IN.items():
        folder = students[student].path / LAB.name / "feedback"
        [page] = folder.glob(f"*/{LAB.name}.html")
        made = class_done.path / "feedback" / student / LAB.name / page.name
        assert page.read_bytes() == made.read_bytes()
        assert f"{LAB.name}: {submission.points:g} of 20 points" in page.read_text(encoding="utf-8")


def test_a_release_that_lies_there_already_is_made_again_by_force(released, tmp_path):
    """In a fresh clone only `--force` enters the lab in the gradebook; the release stays equal."""
    assert (released.path / "labs" / NOTEBOOK).read_bytes() == (
        COURSE.root / "labs" / NOTEBOOK
    ).read_bytes()

    shutil.copytree(released.path, tmp_path, dirs_exist_ok=True)
    (tmp_path / "gradebook.db").unlink()
    clone = type(released)(tmp_path, released.env)
    assert "Skipping existing assignment" in clone.nbgrader("generate_assignment", LAB.name)
    HANDED_IN["ben"].write(tmp_path / "submitted" / "ben" / LAB.name, COURSE, LAB)
    assert "No assignment with ID" in clone.nbgrader("autograde", LAB.name, code=1)
