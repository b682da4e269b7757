"""Throw-away courses in which the real nbgrader works, away from the machine's settings."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.checks.notebook import RECORD_TYPE
from autograder.checks.records import CheckResult
from autograder.course import Course

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course.find(ROOT)
LAB = COURSE.lab("lab01")
NBGRADER = Path(sys.executable).with_name("nbgrader")


@dataclass(frozen=True)
class Folder:
    """A folder of an instructor or a student, and the environment of their commands."""

    path: Path
    env: dict

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start a command of nbgrader in this folder."""
        # A file, not a pipe: several commands run at once, and a full pipe would stop one.
        with (self.path / "printed.txt").open("w") as printed:
            return subprocess.Popen(
                [NBGRADER, *arguments],
                cwd=self.path,
                env=self.env,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )

    def end(self, process: subprocess.Popen, code: int = 0) -> str:
        """Wait for a command's end and return what it printed."""
        process.wait()
        printed = (self.path / "printed.txt").read_text()
        assert process.returncode == code, printed
        return printed

    def nbgrader(self, *arguments: str, code: int = 0) -> str:
        """Run a command of nbgrader to its end and return what it printed."""
        return self.end(self.start(*arguments), code)

    def marked(self, student: str, lab: str = LAB.name) -> tuple[float, tuple[CheckResult, ...]]:
        """Return a student's mark in the gradebook and the records in the marked notebook."""
        with Gradebook(f"sqlite:///{self.path / 'gradebook.db'}") as gradebook:
            mark = float(gradebook.find_submission(lab, student).score)
        return mark, tuple(
            CheckResult.model_validate(output["data"][RECORD_TYPE])
            for cell in self.autograded(student, lab).cells
            if cell.metadata.get("nbgrader", {}).get("grade")
            for output in cell.get("outputs", [])
            if RECORD_TYPE in output.get("data", {})
        )

    def autograded(self, student: str, lab: str = LAB.name) -> nbformat.NotebookNode:
        """Return a student's notebook as nbgrader ran it."""
        return nbformat.read(
            self.path / "autograded" / student / lab / f"{lab}.ipynb", as_version=4
        )


@pytest.fixture(scope="session")
def environment(environment):
    """An environment without an activated virtual environment, whose home is a new folder."""
    scripts = str(NBGRADER.parent)
    path = [folder for folder in os.environ["PATH"].split(os.pathsep) if folder != scripts]
    # These tests are about nbgrader as it comes; tests/plugin/ has the engine in it.
    return environment | {"PATH": os.pathsep.join(path), "AUTOGRADER_ENGINE": "stock"}


@pytest.fixture(scope="session")
def released(tmp_path_factory, environment):
    """A clone of the course in which lab 01 has been generated anew; only to be copied."""
    path = tmp_path_factory.mktemp("released")
    shutil.copy(ROOT / "nbgrader_config.py", path)
    for name in ("solutions", "labs"):
        shutil.copytree(ROOT / name / LAB.name, path / name / LAB.name)
    folder = Folder(path, environment)
    folder.nbgrader("generate_assignment", LAB.name, "--force")
    return folder


@pytest.fixture(scope="session")
def new_course(tmp_path_factory, released):
    """Make a course of one's own in which lab 01 has been generated."""

    def make(name: str = "course") -> Folder:
        path = tmp_path_factory.mktemp(name)
        shutil.copytree(released.path, path, dirs_exist_ok=True)
        return Folder(path, released.env)

    return make
