"""Throw-away courses in which nbgrader grades with the engine, as nbgrader_config.py sets it up."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from nbgrader.api import Gradebook

from autograder.checks.output import RECORD_TYPE
from autograder.checks.records import CheckResult
from autograder.corpus import read_corpus
from autograder.course import Course

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course.find(ROOT)
LAB = COURSE.lab("lab01")
CORPUS = {one.name: one for one in read_corpus(COURSE, LAB)}
NBGRADER = Path(sys.executable).with_name("nbgrader")
CLASS = {
    "ann": "partial-half-finished",
    "ben": "right-sqlite",
    "cleo": "wrong-put-merges",
    "dan": "wrong-secret-leaks",
    "eve": "wrong-unknown-fields-pass",
    "fay": "blank",
}
"""Students, and what of the corpus they handed in as it is."""


@dataclass(frozen=True)
class Folder:
    """A course, and the environment of its commands."""

    path: Path
    env: dict

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command of nbgrader to its end and return what it printed."""
        done = subprocess.run(
            [NBGRADER, *arguments],
            cwd=self.path,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def hand_in(self, student: str, content, lab: str = LAB.name) -> Path:
        """Hand in a notebook, or a text in its place; return the folder."""
        folder = self.path / "submitted" / student / lab
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            (folder / f"{lab}.ipynb").write_text(content)
        else:
            (folder / f"{lab}.ipynb").write_text(json.dumps(content))
        return folder

    def hand_in_corpus(self, student: str, name: str, lab: str = LAB.name) -> Path:
        """Hand in a submission of the corpus."""
        return self.hand_in(student, CORPUS[name].notebook(COURSE, LAB), lab)

    def autograded(self, student: str, lab: str = LAB.name) -> nbformat.NotebookNode:
        """Return a student's notebook as it was marked."""
        return nbformat.read(
            self.path / "autograded" / student / lab / f"{lab}.ipynb", as_version=4
        )

    def records(self, student: str, lab: str = LAB.name) -> list[CheckResult]:
        """Return the records of the checks in a marked notebook."""
        return [
            CheckResult.model_validate(output["data"][RECORD_TYPE])
            for cell in self.autograded(student, lab).cells
            for output in cell.get("outputs", [])
            if RECORD_TYPE in output.get("data", {})
        ]

    def rows(self, lab: str = LAB.name) -> dict[str, dict]:
        """Return what the gradebook says of every submission, without its random ids."""
        with Gradebook(f"sqlite:///{self.path / 'gradebook.db'}") as gradebook:
            return {
                row.student.id: {
                    "timestamp": row.timestamp,
                    "score": row.score,
                    "max_score": row.max_score,
                    "late": row.late_submission_penalty,
                    "manual": row.needs_manual_grade,
                    "grades": {
                        grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                        for grade in row.notebooks[0].grades
                    },
                    "comments": {
                        comment.name: comment.auto_comment for comment in row.notebooks[0].comments
                    },
                }
                for row in gradebook.assignment_submissions(lab)
            }


@pytest.fixture(scope="session")
def new_course(tmp_path_factory, environment):
    """Make a course with lab 01, whose gradebook does not know it yet."""

    def make(name: str = "course", config: str = "") -> Folder:
        path = tmp_path_factory.mktemp(name)
        shutil.copy(ROOT / "nbgrader_config.py", path)
        with (path / "nbgrader_config.py").open("a") as file:
            file.write(config)
        for folder in ("solutions", "labs"):
            shutil.copytree(ROOT / folder / LAB.name, path / folder / LAB.name)
        return Folder(path, environment)

    return make


def cell(name: str, source: str, *, kind: str = "code", **flags):
    """Return a cell that nbgrader knows."""
    make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
    made = make(source, id=name)
    told = {"grade": False, "solution": False, "locked": False, "task": False, **flags}
    made.metadata.nbgrader = {"schema_version": 3, "grade_id": name, "cell_type": kind, **told}
    return made


def notebook(*cells):
    """Return a notebook of Python."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=list(cells), metadata={"kernelspec": kernel})


@pytest.fixture(scope="session")
def write_lab():
    """Write the source of a lab into a course."""

    def write(folder: Folder, name: str, *cells) -> None:
        file = folder.path / "solutions" / name / f"{name}.ipynb"
        file.parent.mkdir(parents=True)
        nbformat.write(notebook(*cells), file)

    return write


@pytest.fixture(scope="session")
def make_cell():
    """Make a cell that nbgrader knows."""
    return cell


@pytest.fixture(scope="session")
def corpus():
    """The corpus of lab 01, by name."""
    return CORPUS


@pytest.fixture(scope="session")
def handed_in():
    """Students, and what of the corpus they handed in as it is."""
    return CLASS


@pytest.fixture(scope="session")
def lab_name():
    """nbgrader's name for lab 01."""
    return LAB.name
