"""The glossary: every term that a lesson defines, in the sentence that defines it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.authoring.lesson import LessonSource, label
from autograder.authoring.notebook import NotebookCell, written
from autograder.authoring.problems import Problem

BOLD = re.compile(r"\*\*(?P<term>[^*]+)\*\*")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"#+ +(?P<text>.+)")
LIST_MARK = re.compile(r"^(?:[-*]|\d+\.) +")
LABELS = (
    "You will be able to",
    "Before you start",
    "In a hurry",
    "Exercise",
    "To go further",
)
"""Words in bold that begin a paragraph and define nothing."""
LONGEST = 5
"""Words of a term; more is a sentence that shouts."""
INTRODUCTION = """# Glossary

Every term of the lessons in one place, in the sentence that defines it.
"""


@dataclass(frozen=True, kw_only=True)
class Term:
    """A term and where it is defined.

    Attributes:
        name: The term.
        sentence: The sentence that says what it is.
        section: The heading above it.
        source: The lesson.
        line: Its line in the lesson's file.
    """

    name: str
    sentence: str
    section: str
    source: LessonSource
    line: int


def terms(source: LessonSource) -> Iterator[Term]:
    """Yield the terms that a lesson defines: those in bold, with the line they stand in."""
    section = ""
    for cell in source.document.cells:
        if cell.kind != "markdown":
            continue
        text = FENCE.sub(lambda match: "\n" * match[0].count("\n"), cell.text)
        for number, line in enumerate(text.split("\n"), start=cell.line):
            if heading := HEADING.match(line):
                section = heading["text"]
            for match in BOLD.finditer(line):
                if not (match["term"].startswith(LABELS) and line.startswith(match[0])):
                    yield Term(
                        name=match["term"].strip(),
                        sentence=LIST_MARK.sub("", line).replace("**", ""),
                        section=section,
                        source=source,
                        line=number,
                    )


def term_problems(lessons: tuple[LessonSource, ...]) -> Iterator[Problem]:
    """Yield what stands in bold and is no term, and terms that are defined twice."""
    known: dict[str, Term] = {}
    for source in lessons:
        for term in terms(source):
            first = known.setdefault(term.name.lower(), term)
            if len(term.name.split()) > LONGEST or term.name[-1] in ".?!:":
                yield source.document.problem(
                    term.line,
                    f'"{term.name}" stands in bold and is not a term',
                    "Bold is for a term where it is defined; write a question as a quotation.",
                )
            elif first is not term:
                where = f"{first.source.document.file}:{first.line}"
                yield source.document.problem(
                    term.line,
                    f'"{term.name}" is defined a second time, first in {where}',
                    "Define it once, where it is first used; here it needs no bold.",
                )


def notebook(lessons: tuple[LessonSource, ...]) -> str:
    """Return the glossary's notebook: the terms of all lessons, by the alphabet."""
    letters: dict[str, list[Term]] = {}
    for term in sorted((term for source in lessons for term in terms(source)), key=_order):
        initial = _order(term)[:1].upper()
        letters.setdefault(initial if initial.isalpha() else "#", []).append(term)
    cells = [NotebookCell(kind="markdown", text=INTRODUCTION)]
    cells += [
        NotebookCell(kind="markdown", text="\n\n".join([f"## {letter}", *map(_entry, group)]))
        for letter, group in letters.items()
    ]
    return written(cells)


def _order(term: Term) -> str:
    """Return what a term is sorted by: its letters, without the marks of code."""
    return term.name.lstrip("`_.@").lower()


def _entry(term: Term) -> str:
    place = f"[{label(term.source)}]({term.source.lesson.name}.ipynb), *{term.section}*"
    return f"**{term.name}**: {term.sentence} ({place})"
