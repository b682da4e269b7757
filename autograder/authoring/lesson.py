"""A lesson's source to its notebook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from autograder.authoring import words
from autograder.authoring.front_matter import LessonFront, line_of
from autograder.authoring.markdown import Cell, Document
from autograder.authoring.notebook import NotebookCell, written
from autograder.authoring.problems import Problem
from autograder.authoring.python import syntax_problem
from autograder.authoring.regions import marker_problems
from autograder.course import Lab, Lesson


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
    if "raises" in cell.words:
        metadata["raises"] = words.text(cell, "raises")
    return NotebookCell(kind="code", text=cell.text, metadata=metadata)


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
    for cell in document.cells:
        yield from marker_problems(document, cell)
        if cell.kind == "code":
            yield from words.problems(document, cell, in_lab=False)
            yield from code_problems(document, cell)


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
    title, *rest = map(plain_cell, source.document.cells)
    line = _navigation(source, course)
    return written(
        [
            title,
            NotebookCell(kind="markdown", text=line, name="navigation"),
            *rest,
            NotebookCell(kind="markdown", text=line, name="navigation-end"),
        ]
    )


def _navigation(source: LessonSource, course: tuple[LessonSource, ...]) -> str:
    """Return the line with the neighbours, the time, the level and the lab."""
    place = course.index(source)
    before = course[place - 1] if place else None
    after = course[place + 1] if place + 1 < len(course) else None
    lab = source.front.lab
    parts = [
        f"[← {_label(before)}]({before.lesson.name}.ipynb)" if before else "",
        f"{source.front.minutes} minutes",
        source.front.level,
        f"[Lab {lab[3:5]}](../labs/{lab}/{lab}.ipynb)" if lab else "",
        f"[{_label(after)} →]({after.lesson.name}.ipynb)" if after else "",
    ]
    return " · ".join(part for part in parts if part)


def _label(source: LessonSource) -> str:
    return f"{source.lesson.name[:2]} {source.front.title}"
