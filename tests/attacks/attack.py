"""One attack: a submission of lab 01 that is up to something, with the mark that it must get.

Most attacks start from an *honest part*: the lab's own solution with task 4 left undone, which is
worth 17 of 20 points. What an attack gains shows as an eighteenth point; what it breaks of its
own work it loses.
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode, v4

from autograder.corpus import Submission
from autograder.course import Course

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course.find(ROOT)
LAB = COURSE.lab("lab01")
FILE = f"{LAB.name}.ipynb"

HONEST = 17.0
"""Points of the solution without task 4."""
THREE_TASKS = 10.0
"""Points of its first three tasks."""

Places = Mapping[str, str]
"""Names that an attack's text may use, such as `$outside`."""
Make = Callable[[Path, Places], None]
"""Writes what is handed in into a student's folder."""


@dataclass(frozen=True)
class Attack:
    """A hostile submission.

    Attributes:
        name: The student's name.
        make: Writes it.
        points: The mark that it must get, which is what its honest cells earn.
        says: Part of a line that the student is told.
        least: What it gets at the least, where it depends on time how much of its own it breaks.
        status: What `--json` says of it.
    """

    name: str
    make: Make
    points: float
    says: str
    status: str = "graded"
    least: float | None = None


def notebook(base: str = "unfinished", **answers: str) -> NotebookNode:
    """Return a submission of the lab.

    Args:
        base: `solution`, `release`, or `unfinished`: the solution without task 4.
        **answers: Source of a task's cell, by the task's name.
    """
    if base == "unfinished":
        answers = {"t4": "pass"} | answers
        base = "solution"
    plain = Submission("", "", "right", base, frozenset(), 0, tasks=answers)
    made: NotebookNode = plain.notebook(COURSE, LAB)
    for one in made.cells:
        if one.source.startswith("serve(app)"):
            one.source = ""  # the cells to try things in would call endless routes once more
    return made


def cell(made: NotebookNode, name: str) -> NotebookNode:
    """Return a notebook's cell by its id."""
    found: NotebookNode = next(one for one in made.cells if one.id == name)
    return found


def insert(made: NotebookNode, source: str, *, after: str = "setup") -> None:
    """Add a code cell of the student's own."""
    place = next(number for number, one in enumerate(made.cells) if one.id == after) + 1
    made.cells.insert(place, v4.new_code_cell(source))


def write(made: NotebookNode, folder: Path, places: Places) -> None:
    """Write a notebook with its places filled in."""
    for one in made.cells:
        one.source = string.Template(one.source).safe_substitute(places)
    # Not by nbformat, which puts right what is to be wrong.
    (folder / FILE).write_text(json.dumps(made), encoding="utf-8")


def in_a_cell(
    name: str,
    source: str,
    *,
    says: str,
    points: float = HONEST,
    after: str = "setup",
    base: str = "unfinished",
    breaks_others: bool = False,
    least: float | None = None,
    **answers: str,
) -> Attack:
    """Return an attack by a cell that is added to an honest part.

    With `breaks_others`, tests of other tasks that look at the list of task 4 suffer from it.
    With `least`, the cell may cost some of the honest part, down to this.
    """

    def make(folder: Path, places: Places) -> None:
        made = notebook(base, **answers)
        insert(made, source, after=after)
        write(made, folder, places)

    return Attack(name, make, points, says, least=THREE_TASKS if breaks_others else least)


def by_answers(
    name: str, *, says: str, points: float, base: str = "solution", **answers: str
) -> Attack:
    """Return an attack by what stands in the cells of tasks."""
    return Attack(
        name, lambda folder, places: write(notebook(base, **answers), folder, places), points, says
    )


def altered(
    name: str,
    change: Callable[[NotebookNode], None],
    *,
    says: str,
    points: float = HONEST,
    base: str = "unfinished",
) -> Attack:
    """Return an attack by a change of the notebook's structure."""

    def make(folder: Path, places: Places) -> None:
        made = notebook(base)
        change(made)
        write(made, folder, places)

    return Attack(name, make, points, says)


def as_file(
    name: str, make: Make, *, says: str, points: float = 0.0, status: str = "review"
) -> Attack:
    """Return an attack by what lies in the student's folder."""
    return Attack(name, make, points, says, status)
