"""A lesson's source to its notebook."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.authoring import words
from autograder.authoring.answers import answer_problems
from autograder.authoring.check_tests import check_problems
from autograder.authoring.front_matter import LessonFront, line_of
from autograder.authoring.markdown import Cell, Document
from autograder.authoring.notebook import FOLDED, NotebookCell, written
from autograder.authoring.problems import Problem
from autograder.authoring.python import syntax_problem
from autograder.authoring.regions import Marker, marker_problems, regions
from autograder.authoring.tasks import answer, cells_of, check_line, pair_problems, stub
from autograder.authoring.words import Role
from autograder.course import Lab, Lesson

GLOSSARY = "glossary.ipynb"
LOADS = "%load_ext autograder"
ANSWER = "<details><summary>An answer</summary>\n\n```python\n{}\n```\n\n</details>"


@dataclass(frozen=True, kw_only=True)
class LessonSource:
    """A lesson that has been read."""

    lesson: Lesson
    document: Document
    front: LessonFront


def plain_cell(cell: Cell) -> NotebookCell:
    """Return a Markdown cell, or a code cell that nothing is asked of."""
    if cell.kind == "markdown":
        return NotebookCell(kind="markdown", text=cell.text)
    tags = {"raises": "raises-exception", "optional": "skip-execution"}
    given = [tag for word, tag in tags.items() if word in cell.words]
    metadata: dict[str, object] = {"tags": given} if given else {}
    if "fold" in cell.words or only_asks(cell.text):
        metadata |= FOLDED
    if "raises" in cell.words:
        metadata["raises"] = words.text(cell, "raises")
    return NotebookCell(kind="code", text=cell.text, metadata=metadata)


def only_asks(source: str) -> bool:
    """Return whether a cell does nothing but ask: its source holds the answer, so it is folded."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a magic
        return False
    match body:
        case [ast.Expr(ast.Call(ast.Name("predict" | "quiz")))]:
            return True
    return False


def code_problems(document: Document, cell: Cell) -> Iterator[Problem]:
    """Yield where a code cell that nothing is asked of is not Python."""
    if words.text(cell, "raises") != "SyntaxError" and (found := syntax_problem(document, cell)):
        yield found


def link_problems(source: LessonSource, labs: tuple[Lab, ...]) -> Iterator[Problem]:
    """Yield that a lesson's front matter names a lab which does not exist."""
    lab = source.front.lab
    if lab and lab not in {known.name for known in labs}:
        yield source.document.problem(
            line_of(source.document, "lab"),
            f'there is no lab "{lab}"',
            "Write the lab's full name, such as lab03-pydantic, or leave it empty.",
        )


def lesson_problems(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with a lesson's text."""
    yield from heading_problems(document)
    yield from pair_problems(document)
    yield from _not_loaded(document)
    for cell in document.cells:
        markers = [*marker_problems(document, cell)]
        yield from markers
        if cell.kind == "code":
            yield from words.problems(document, cell, in_lab=False)
            python = [*code_problems(document, cell)]
            yield from python
            if not (markers or python):
                yield from _exercise_problems(document, cell)


def _exercise_problems(document: Document, cell: Cell) -> Iterator[Problem]:
    """Yield what is wrong with an exercise's task or check, which are Python."""
    role = words.role(cell)
    if role is Role.TASK:
        yield from answer_problems(document, cell)
    elif role is Role.CHECK:
        yield from check_problems(document, cell, frozenset())
        for region in regions(cell, Marker.BEGIN_HIDDEN):
            yield document.problem(
                cell.line + region.begin,
                "an exercise of a lesson has a hidden test",
                "Nothing is marked here: show every test.",
            )


def _not_loaded(document: Document) -> Iterator[Problem]:
    """Yield that a lesson with checks never loads what runs them."""
    checks = cells_of(document, Role.CHECK)
    if checks and not any(LOADS in cell.text for cell in cells_of(document, Role.PLAIN)):
        yield document.problem(
            checks[0].fence,
            "the lesson has a check, and no cell loads what runs it",
            f"Write {LOADS} into the lesson's first code cell.",
        )


def heading_problems(document: Document) -> Iterator[Problem]:
    """Yield that a source does not begin with its title."""
    first = document.cells[0] if document.cells else None
    if first is None or not first.text.startswith("# "):
        yield document.problem(
            first.line if first else 1,
            "the text does not begin with a title",
            'Begin it, below the front matter, with a heading: "# Title".',
        )


def notebook(source: LessonSource, course: tuple[LessonSource, ...]) -> str:
    """Return the notebook of a lesson.

    Args:
        source: The lesson.
        course: All lessons in order, for the links to the previous and the next one.
    """
    title, *rest = (made for cell in source.document.cells for made in _made_of(source, cell))
    line = _navigation(source, course)
    return written(
        [
            title,
            NotebookCell(kind="markdown", text=line, name="navigation"),
            *rest,
            NotebookCell(kind="markdown", text=line, name="navigation-end"),
        ]
    )


def _made_of(source: LessonSource, cell: Cell) -> Iterator[NotebookCell]:
    """Yield the notebook's cells for one of the source; below a check comes the answer, folded."""
    role = words.role(cell) if cell.kind == "code" else Role.PLAIN
    if role is Role.TASK:
        text = stub(cell)
        metadata = {"autograder": {"stub": text}}
        yield NotebookCell(kind="code", text=text, metadata=metadata, name=words.task(cell))
    elif role is Role.CHECK:
        name = words.task(cell)
        line = check_line(f"lesson{source.lesson.name[:2]}", cell)
        text = f"{line}\n{cell.text}"
        yield NotebookCell(kind="code", text=text, metadata=FOLDED, name=f"check-{name}")
        tasks = cells_of(source.document, Role.TASK)
        told = next(answer(task) for task in tasks if words.task(task) == name)
        yield NotebookCell(kind="markdown", text=ANSWER.format(told), name=f"answer-{name}")
    else:
        yield plain_cell(cell)


def _navigation(source: LessonSource, course: tuple[LessonSource, ...]) -> str:
    """Return the line with the neighbours, the time, the level and the lab."""
    place = course.index(source)
    before = course[place - 1] if place else None
    after = course[place + 1] if place + 1 < len(course) else None
    lab = source.front.lab
    parts = [
        f"[← {label(before)}]({before.lesson.name}.ipynb)" if before else "",
        source.front.time,
        source.front.level,
        f"[Lab {lab[3:5]}](../labs/{lab}/{lab}.ipynb)" if lab else "",
        f"[Glossary]({GLOSSARY})",
        f"[{label(after)} →]({after.lesson.name}.ipynb)" if after else "",
    ]
    return " · ".join(part for part in parts if part)


def label(source: LessonSource) -> str:
    """Return what links call a lesson: `03 Pydantic`."""
    return f"{source.lesson.name[:2]} {source.front.title}"
