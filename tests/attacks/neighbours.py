"""A small class of one lab: honest submissions before, between and after hostile ones.

One worker judges them in the order of their names, so whatever an attacker leaves in it falls on
the honest student who comes next.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

from autograder.corpus import Submission

from ..accounts import as_account
from .attack import COURSE, ROOT
from .conftest import watched

BIN = Path(sys.executable).parent
NOBODY = 65534
USERS = ("root", "ordinary") if os.geteuid() == 0 else ("ordinary",)
"""Who grades; root can be both."""

Hostile = str | Callable[[NotebookNode], None]
"""Source of a cell before all tasks, or what changes the solution's notebook."""


@dataclass
class Neighbours:
    """A course with one lab.

    Attributes:
        path: Its folder.
        lab: The lab's full name.
        temporary: Its folder for temporary files.
        user: Who grades: `root` or `ordinary`.
        honest: Names of the honest students, in the order of their judging.
        tasks: What is left of the lab's tasks; all if empty.
        largest: Bytes of memory that the largest worker held while the last command ran.
    """

    path: Path
    lab: str
    temporary: str
    user: str = USERS[0]
    honest: list[str] = field(default_factory=list)
    tasks: Sequence[str] = ()
    largest: int = 0

    @property
    def file(self) -> str:
        """Name of the lab's notebook."""
        return f"{self.lab}.ipynb"

    def folder(self, student: str) -> Path:
        """Return the folder that a student handed in."""
        return self.path / "submitted" / student / self.lab

    def hand_in(self, student: str, hostile: Hostile = "") -> Path:
        """Hand in the lab's own solution, changed by what is hostile."""
        solution = Submission("", "", "right", "solution", frozenset(), 0)
        made: NotebookNode = solution.notebook(COURSE, COURSE.lab(self.lab))
        _keep(made, self.tasks)
        if callable(hostile):
            hostile(made)
        elif hostile:
            place = next(n for n, one in enumerate(made.cells) if one.id == "setup") + 1
            made.cells.insert(place, v4.new_code_cell(hostile))
        folder = self.folder(student)
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, folder / self.file)
        return folder

    def hand_in_all(self, attacks: Mapping[str, Hostile]) -> None:
        """Hand in every attack, with an honest submission before the first and after each."""
        self.honest.append("a-honest")
        for name, hostile in attacks.items():
            self.hand_in(f"b-{name}", hostile)
            self.honest.append(f"b-{name}-next")
        for student in self.honest:
            self.hand_in(student)

    def run(
        self, *command: str | Path, cwd: Path | None = None, seconds: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as whoever grades."""
        if self.user == "ordinary" and os.geteuid() == 0:
            _give(self.path, NOBODY)
            _give(Path(self.temporary), NOBODY)
            command = (*as_account(NOBODY, NOBODY), *command)
        words = [str(word) for word in command]
        own = {"TMPDIR": self.temporary}
        code, printed, complaints, watch = watched(words, cwd or self.path, own, seconds=seconds)
        self.largest = watch.largest
        return subprocess.CompletedProcess(words, code, printed, complaints)

    def grade(self, *arguments: str, jobs: int = 1, cwd: Path | None = None) -> dict[str, dict]:
        """Run `autograder grade --json` and return its lines by student."""
        ran = self.run(BIN / "autograder", "grade", self.lab, "--json", "--jobs", str(jobs),
                       *arguments, cwd=cwd)  # fmt: skip
        lines = [json.loads(line) for line in ran.stdout.splitlines()]
        assert lines, ran.stderr
        assert ran.returncode in {0, 1}, ran.stderr
        return {line["student"]: line for line in lines}

    def autograde(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run plain `nbgrader autograde`."""
        return self.run(BIN / "nbgrader", "autograde", self.lab, *arguments)

    def autograded(self, student: str) -> Path:
        """Return a student's autograded folder."""
        return self.path / "autograded" / student / self.lab

    def printed(self, student: str) -> str:
        """Return what the cells of a student put out, as his autograded notebook has it."""
        made = nbformat.read(self.autograded(student) / self.file, as_version=4)
        outputs = [output for cell in made.cells for output in cell.get("outputs", [])]
        return "\n".join(
            "".join((output.get("text", ""), output.get("evalue", ""))) for output in outputs
        )

    def marks(self) -> dict[str, float]:
        """Return the marks in the gradebook."""
        from nbgrader.api import Gradebook  # noqa: PLC0415 - slow

        with Gradebook(f"sqlite:///{self.path / 'gradebook.db'}") as gradebook:
            rows = gradebook.assignment_submissions(self.lab)
            return {row.student_id: row.score for row in rows}


@contextmanager
def neighbours(
    lab: str, user: str = USERS[0], *, tasks: Sequence[str] = ()
) -> Iterator[Neighbours]:
    """Make a course with a lab of this repository, or with some of its tasks."""
    name = COURSE.lab(lab).name
    # Not in pytest's folder, which every other run of it closes to other users; and the names of
    # sockets must be short.
    with (
        tempfile.TemporaryDirectory(prefix="n-") as temporary,
        tempfile.TemporaryDirectory(prefix="course-") as home,
    ):
        Path(home).chmod(0o755)
        course = Path(home) / "course"
        course.mkdir()
        shutil.copy(ROOT / "nbgrader_config.py", course)
        for folder in ("solutions", "labs"):
            shutil.copytree(ROOT / folder / name, course / folder / name)
            file = course / folder / name / f"{name}.ipynb"
            made = nbformat.read(file, as_version=4)
            _keep(made, tasks)
            nbformat.write(made, file)
        yield Neighbours(course, name, temporary, user, tasks=tasks)


def _keep(notebook: NotebookNode, tasks: Sequence[str]) -> None:
    """Leave nothing in a notebook that is not needed for some tasks."""
    names = {"setup", *tasks, *(f"check-{task}" for task in tasks)}
    if tasks:
        last = max(n for n, one in enumerate(notebook.cells) if one.id in names)
        notebook.cells = [
            one
            for one in notebook.cells[: last + 1]
            if one.id in names or not one.metadata.get("nbgrader", {}).get("grade")
            if not one.metadata.get("nbgrader", {}).get("solution") or one.id in names
        ]


def _give(folder: Path, user: int) -> None:
    # Not by Python, which goes into folders by recursion.
    subprocess.run(["chown", "-hR", f"{user}:{user}", folder], check=True)


def full_marks(course: Neighbours, lines: dict[str, dict]) -> None:
    """Demand that every honest student has full marks, without a remark."""
    found = {name: (lines[name]["score"], lines[name]["status"]) for name in course.honest}
    most = next(iter(lines.values()))["max_score"]
    assert found == dict.fromkeys(course.honest, (most, "graded")), lines
