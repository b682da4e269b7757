"""Throw-away courses with a small lab, and `autograder grade` as its user calls it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from autograder.grading import quick_imports  # noqa: F401 - as the command does
from autograder.grading.folder import CourseFolder
from autograder.grading.lab import made_release
from autograder.trial import Trial

ROOT = Path(__file__).resolve().parents[2]
SMALL = "lab91-small"

SET_UP = (
    "%load_ext autograder\nfrom pathlib import Path\nfrom fastapi import FastAPI\n\napp = FastAPI()"
)
T1 = '@app.get("/double/{number}")\ndef double(number: int) -> int:\n    return 2 * number'
T2 = """\
@app.get("/words")
def words() -> list[str]:
    return Path("words.txt").read_text().split()"""
HIDDEN = "KEPT_FROM_STUDENTS"
CHECK_T1 = f'''\
%%check lab91/t1 points=2
import os

import pytest

from autograder.checks import probe


@probe
async def test_the_double_comes_back(client, draw):
    """The double of a number comes back."""
    number = draw.randrange(1_000)
    reply = await client.get(f"/double/{{number}}")
    if reply.json() == "kill the grader":
        os.kill(os.getpid(), 9)
    assert reply.json() == 2 * number


### BEGIN HIDDEN TESTS
@pytest.mark.parametrize("{HIDDEN}_name", [-7654321])
async def test_below_zero(client, {HIDDEN}_name):
    """Also below zero."""
    reply = await client.get(f"/double/{{{HIDDEN}_name}}")
    assert reply.json() == -15308642, "{HIDDEN}_message"
### END HIDDEN TESTS
'''
CHECK_T2 = '''\
%%check lab91/t2 points=1.5 needs=t1
async def test_words(client):
    """The words of the file come back."""
    reply = await client.get("/words")
    assert reply.json() == ["one", "two"]
'''


def cell(name: str, source: str, *, kind: str = "code", **flags):
    make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
    made = make(source, id=name)
    told = {"grade": False, "solution": False, "locked": False, "task": False, **flags}
    made.metadata.nbgrader = {"schema_version": 3, "grade_id": name, "cell_type": kind, **told}
    return made


def small_lab(**metadata):
    """Return the small lab with its answers: two checks, and an answer for a person to mark."""
    cells = [
        v4.new_markdown_cell("# A small lab", id="title"),
        cell("setup", SET_UP, locked=True),
        cell("t1", f"### BEGIN SOLUTION\n{T1}\n### END SOLUTION", solution=True),
        cell("check-t1", CHECK_T1, grade=True, locked=True, points=2),
        cell("t2", f"### BEGIN SOLUTION\n{T2}\n### END SOLUTION", solution=True),
        cell("check-t2", CHECK_T2, grade=True, locked=True, points=1.5),
        cell("why", "Because.", kind="markdown", grade=True, solution=True, points=1),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, **metadata})


@dataclass(frozen=True)
class Class(Trial):
    """A course folder with the small lab."""

    lab: str = SMALL

    def hand_in(self, student: str, t1: str = T1, t2: str = T2, *, why: str = "Why not.") -> Path:
        """Hand in the small lab with these answers."""
        notebook = self.release()
        for one in notebook.cells:
            one.source = {"t1": t1, "t2": t2, "why": why}.get(one.id, one.source)
        file = self.submitted(student)
        nbformat.write(notebook, file)
        return file

    def change(self, replacements: dict[str, str]) -> None:
        """Change texts in the cells of the lab's own notebook."""
        source = nbformat.read(self.source(), as_version=4)
        for old, new in replacements.items():
            assert any(old in cell.source for cell in source.cells), old
            for cell in source.cells:
                cell.source = cell.source.replace(old, new)
        nbformat.write(source, self.source())

    def release(self):
        return nbformat.read(self.path / "labs" / self.lab / f"{self.lab}.ipynb", as_version=4)


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A course with the small lab, released; only to be copied."""
    path = tmp_path_factory.mktemp("released")
    shutil.copy(ROOT / "nbgrader_config.py", path)
    folder = path / "solutions" / SMALL
    folder.mkdir(parents=True)
    nbformat.write(small_lab(), folder / f"{SMALL}.ipynb")
    (folder / "words.txt").write_text("one two\n")
    release = made_release(CourseFolder(path), SMALL)
    (path / "labs" / SMALL).mkdir(parents=True)
    nbformat.write(release, path / "labs" / SMALL / f"{SMALL}.ipynb")
    return path


@pytest.fixture
def small(released, tmp_path):
    """A course of one's own with the small lab."""
    shutil.copytree(released, tmp_path / "course")
    return Class(tmp_path / "course")
