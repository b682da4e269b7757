"""A lab's source to nbgrader's source notebook, with answers and all tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from autograder.authoring import words
from autograder.authoring.answers import answer_problems
from autograder.authoring.check_tests import check_problems, shares, tests
from autograder.authoring.front_matter import LabFront, line_of
from autograder.authoring.lesson import (
    GLOSSARY,
    LessonSource,
    code_problems,
    heading_problems,
    label,
    plain_cell,
)
from autograder.authoring.markdown import Cell, Document
from autograder.authoring.notebook import FOLDED, NotebookCell, written
from autograder.authoring.problems import Problem
from autograder.authoring.python import syntax_problem
from autograder.authoring.regions import marker_problems
from autograder.authoring.tasks import cells_of, check_line, pair_problems, stub
from autograder.authoring.words import Role
from autograder.course import Lab

VISIBLE_SHARE = 0.7
NOTEBOOKS = "../../notebooks"
"""The lessons' folder, from a lab's."""
END = """\
## Check everything

Choose *Kernel → Restart Kernel and Run All Cells*.
This is how your notebook is run when it is marked, but in a sandbox: without the internet and
without other programs, with at most 10 seconds of computing for each cell.
Your files beside the notebook are there.

If you learn alone, open a terminal (*File → New → Terminal*) in the folder of the course.
Run `autograder check {short}` there.
The command runs all tests on this notebook, also the hidden ones.
With `--as-graded` it runs your notebook in the same sandbox.
One answer to every task is in `solutions/{lab}`; there are other good ones.

If you are in a class, press *Validate* in the toolbar: it says which checks are short of points.
Then submit your notebook in the *Nbgrader* menu under *Assignment List*.
The hidden tests run when it is marked.

{navigation}
"""
"""The last cell of every lab."""
TAUGHT = re.compile(r"(?P<lesson>\d\d)#(?P<anchor>\S+)")


@dataclass(frozen=True, kw_only=True)
class LabText:
    """The text of a lab, whatever its front matter says."""

    lab: Lab
    document: Document

    def cells(self, role: Role) -> list[Cell]:
        """Return the code cells of one role."""
        return cells_of(self.document, role)


@dataclass(frozen=True, kw_only=True)
class LabSource(LabText):
    """A lab that has been read."""

    front: LabFront


def link_problems(source: LabSource, lessons: Mapping[int, Document]) -> Iterator[Problem]:
    """Yield that a lab's front matter names a lesson which does not exist."""
    if source.front.lesson not in lessons:
        yield source.document.problem(
            line_of(source.document, "lesson"),
            f"there is no lesson {source.front.lesson:02}",
            "Name the lesson that this lab follows, by its number.",
        )


def lab_problems(
    source: LabText, lessons: Mapping[int, Document], skills: frozenset[str]
) -> Iterator[Problem]:
    """Yield what is wrong with a lab's text.

    Args:
        source: The lab.
        lessons: The lessons by number.
        skills: The skills that a check may name.
    """
    document = source.document
    yield from heading_problems(document)
    yield from _setup_problems(source)
    yield from pair_problems(document)
    sound = True
    for cell in document.cells:
        found = [*_cell_problems(document, cell, skills)]
        if cell.kind == "code" and words.role(cell) is Role.CHECK:
            found += _taught(source, cell, lessons)
            found += _needs(source, cell)
        sound = sound and not found
        yield from found
    if sound:
        yield from _visible_share(source)


def _cell_problems(document: Document, cell: Cell, skills: frozenset[str]) -> Iterator[Problem]:
    """Yield what is wrong with a cell, taken alone."""
    markers = [*marker_problems(document, cell)]
    yield from markers
    if cell.kind == "markdown":
        return
    yield from words.problems(document, cell, in_lab=True)
    role = words.role(cell)
    if role is Role.CHECK:
        wrong = syntax_problem(document, cell, magics=False)
        if wrong:
            yield wrong
        elif not markers:
            yield from check_problems(document, cell, skills)
        return
    python = [*code_problems(document, cell)]
    yield from python
    if role is Role.TASK and not markers and not python:
        yield from answer_problems(document, cell)


def _setup_problems(source: LabText) -> Iterator[Problem]:
    setups = source.cells(Role.SETUP)
    code = [cell for cell in source.document.cells if cell.kind == "code"]
    if not setups:
        yield source.document.problem(
            code[0].fence if code else 1,
            "the lab has no setup cell",
            "Begin with a ```python setup cell that loads the checks.",
        )
    elif code[0] is not setups[0]:
        yield source.document.problem(
            setups[0].fence,
            "the setup cell is not the first code cell",
            "Move it above every other one.",
        )
    for cell in setups[1:]:
        yield source.document.problem(
            cell.fence, "the lab has a second setup cell", "Put everything into the first one."
        )


def _taught(source: LabText, cell: Cell, lessons: Mapping[int, Document]) -> Iterator[Problem]:
    """Yield places named by `taught` that do not exist or come too late."""
    for place in words.text(cell, "taught").split():
        match = TAUGHT.fullmatch(place)
        if match is None:
            yield source.document.problem(
                cell.fence,
                f'taught names "{place}", which is not a lesson and a section',
                'Write it like taught="01#status-codes"; several stand with a space between.',
            )
            continue
        number, anchor = int(match["lesson"]), match["anchor"]
        if number > source.lab.number:
            yield source.document.problem(
                cell.fence,
                f"lesson {number:02} comes later than this lab",
                f"Name a section of lessons 00 to {source.lab.number:02}, or move the concept.",
            )
        elif number not in lessons:
            yield source.document.problem(
                cell.fence,
                f"there is no lesson {number:02}",
                f"Name a section of lessons 00 to {source.lab.number:02}.",
            )
        elif anchor not in lessons[number].headings:
            yield source.document.problem(
                cell.fence,
                f"lesson {number:02} has no section #{anchor}",
                f"Its sections are: {', '.join(sorted(lessons[number].headings))}.",
            )


def _needs(source: LabText, cell: Cell) -> Iterator[Problem]:
    """Yield a forerunner that does not come earlier."""
    name = words.text(cell, "needs")
    earlier = [words.task(other) for other in source.cells(Role.CHECK) if other.line < cell.line]
    if name and name not in earlier:
        yield source.document.problem(
            cell.fence,
            f"the check needs {name}, which is not checked above it",
            f"Name one of: {', '.join(earlier) or 'none, so leave it out'}.",
        )
    elif name and not _has_probe(source, name):
        yield source.document.problem(
            cell.fence,
            f"the check needs {name}, whose check has no visible probe",
            "Mark the visible test there that shows the task has been begun: @probe.",
        )


def _has_probe(source: LabText, name: str) -> bool:
    """Tell whether a task's check has a visible probe; one that is no Python is faulted anyway."""
    cell = next(cell for cell in source.cells(Role.CHECK) if words.task(cell) == name)
    broken = syntax_problem(source.document, cell, magics=False) or [
        *marker_problems(source.document, cell)
    ]
    return bool(broken) or any(test.probe and not test.hidden for test in tests(cell))


def _visible_share(source: LabText) -> Iterator[Problem]:
    """Yield that too many points depend on tests that students cannot see."""
    parts = [shares(cell) for cell in source.cells(Role.CHECK)]
    total = sum(points for _, points in parts)
    seen = sum(points for points, _ in parts)
    if total and seen < VISIBLE_SHARE * total - 1e-9:
        yield source.document.problem(
            1,
            f"only {seen / total:.0%} of the points are visible",
            f"Show tests worth at least {VISIBLE_SHARE:.0%}, or weigh the hidden ones less.",
        )


def notebook(source: LabSource, course: tuple[LessonSource, ...]) -> str:
    """Return nbgrader's source notebook of a lab.

    Args:
        source: The lab.
        course: All lessons in order, for the links to the lab's own and the next one.
    """
    grants = source.front.grants
    told = grants.model_dump(mode="json", exclude_unset=True) if grants else {}
    title, *rest = (_notebook_cell(source, cell) for cell in source.document.cells)
    line = _navigation(source, course)
    end = END.format(lab=source.lab.name, short=source.lab.short, navigation=line)
    return written(
        [
            title,
            NotebookCell(kind="markdown", text=line, name="navigation"),
            *rest,
            NotebookCell(kind="markdown", text=end, name="navigation-end"),
        ],
        {"autograder": told} if told else {},
    )


def _navigation(source: LabSource, course: tuple[LessonSource, ...]) -> str:
    """Return the line with the lab's lesson, its time and points, and the lesson that follows."""
    number = source.front.lesson
    own = next(lesson for lesson in course if lesson.lesson.number == number)
    after = next((lesson for lesson in course if lesson.lesson.number > number), None)
    points = sum(words.points(cell) for cell in source.cells(Role.CHECK))
    parts = [
        f"[← Lesson {label(own)}]({NOTEBOOKS}/{own.lesson.name}.ipynb)",
        f"{source.front.minutes} minutes",
        f"{points:g} points",
        f"[Glossary]({NOTEBOOKS}/{GLOSSARY})",
        f"[Lesson {label(after)} →]({NOTEBOOKS}/{after.lesson.name}.ipynb)" if after else "",
    ]
    return " · ".join(part for part in parts if part)


def _notebook_cell(source: LabSource, cell: Cell) -> NotebookCell:
    role = words.role(cell) if cell.kind == "code" else Role.PLAIN
    if role is Role.SETUP:
        text = f"{cell.text}\n\n{lab_line(source)}"
        return _locked(cell, text, name="setup", grade=False)
    if role is Role.TASK:
        name = words.task(cell)
        metadata = _nbgrader(name, grade=False, solution=True, locked=False)
        metadata["autograder"] = {"stub": stub(cell)}
        return NotebookCell(kind="code", text=cell.text, metadata=metadata, name=name)
    if role is Role.CHECK:
        line = check_line(source.lab.short, cell, entry=source.front.entry)
        text = f"{line}\n{cell.text}"
        return _locked(cell, text, name=f"check-{words.task(cell)}", grade=True)
    return plain_cell(cell)


def lab_line(source: LabSource) -> str:
    """Return the last line of the setup cell: the lab's tasks and what they are worth."""
    checks = source.cells(Role.CHECK)
    tasks = " ".join(f"{words.task(cell)}={words.points(cell):g}" for cell in checks)
    return f"%lab {source.lab.short} {tasks}"


def _locked(cell: Cell, text: str, *, name: str, grade: bool) -> NotebookCell:
    metadata = _nbgrader(name, grade=grade, solution=False, locked=True)
    if grade:
        metadata["nbgrader"]["points"] = cell.words["points"]
        metadata |= FOLDED
    return NotebookCell(kind="code", text=text, metadata=metadata, name=name)


def _nbgrader(
    name: str, *, grade: bool, solution: bool, locked: bool
) -> dict[str, dict[str, object]]:
    return {
        "nbgrader": {
            "cell_type": "code",
            "grade": grade,
            "grade_id": name,
            "locked": locked,
            "schema_version": 3,
            "solution": solution,
            "task": False,
        }
    }
