"""The words on the fence of a cell, read and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from autograder.authoring.markdown import Cell, Document
from autograder.authoring.problems import Problem


class Role(StrEnum):
    """What a code cell is for."""

    PLAIN = "plain"
    SETUP = "setup"
    TASK = "task"
    CHECK = "check"


ALLOWED = {
    Role.PLAIN: ("raises", "optional", "fold"),
    Role.SETUP: ("setup",),
    Role.TASK: ("task",),
    Role.CHECK: ("check", "points", "skill", "taught", "needs"),
}
IN_A_LESSON = {
    Role.PLAIN: ALLOWED[Role.PLAIN],
    Role.TASK: ("task",),
    Role.CHECK: ("check",),
}
FLAGS = ("setup", "optional", "fold")
TASK_NAME = re.compile(r"[a-z][a-z0-9_]*")


def role(cell: Cell) -> Role:
    """Return what a code cell is for."""
    return next(
        (one for one in (Role.SETUP, Role.TASK, Role.CHECK) if one in cell.words), Role.PLAIN
    )


def task(cell: Cell) -> str:
    """Return the task that a task cell or a check cell is about."""
    return str(cell.words[role(cell)])


def points(cell: Cell) -> float:
    """Return what a check cell is worth; 0 if that cannot be said."""
    value = cell.words.get("points")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(str(value)) if number else 0.0


def text(cell: Cell, word: str) -> str:
    """Return the text behind a word; empty if there is none."""
    return str(cell.words.get(word) or "")


def problems(document: Document, cell: Cell, *, in_lab: bool) -> Iterator[Problem]:
    """Yield what is wrong with the words on a code cell's fence."""
    what = role(cell)
    allowed = ALLOWED if in_lab else IN_A_LESSON
    known = {word for words in allowed.values() for word in words}
    for word in cell.words:
        if word not in known:
            yield _unknown(document, cell, word, sorted(known))
        elif word not in allowed[what]:
            kind = f"a {what} cell" if what is not Role.PLAIN else "a cell without task or check"
            yield document.problem(
                cell.fence,
                f'"{word}" has no meaning on {kind}',
                f"There the words are: {', '.join(allowed[what])}.",
            )
        else:
            yield from _value(document, cell, word)
    if what is Role.CHECK and in_lab:
        yield from _missing(document, cell)


def _unknown(document: Document, cell: Cell, word: str, known: list[str]) -> Problem:
    if word == "incorrectly_encoded_metadata":
        return document.problem(
            cell.fence,
            f"the fence cannot be read: {cell.words[word]}",
            'Write words as name="value", points=3 or optional, with a space between them.',
        )
    return document.problem(
        cell.fence,
        f'"{word}" is not a word for a fence here',
        f"The words are: {', '.join(known)}.",
    )


def _value(document: Document, cell: Cell, word: str) -> Iterator[Problem]:
    value = cell.words[word]
    if word in FLAGS:
        if value is not None:
            yield document.problem(cell.fence, f'"{word}" takes no value', f"Write: {word}.")
    elif word == "points":
        if points(cell) <= 0:
            yield document.problem(
                cell.fence, "points is not a positive number", "Write for example: points=3."
            )
    elif not (isinstance(value, str) and value):
        yield document.problem(cell.fence, f'"{word}" has no text', f'Write {word}="...".')
    elif word in {"task", "check", "needs"} and (
        not TASK_NAME.fullmatch(value) or value == "setup"
    ):
        yield document.problem(
            cell.fence,
            f'"{value}" cannot be the name of a task',
            "Use a small letter, then small letters, digits and underscores, such as t1.",
        )
    elif word == "raises" and not value.isidentifier():
        yield document.problem(
            cell.fence, f'"{value}" is not the name of an error', 'Write raises="ValueError".'
        )


def _missing(document: Document, cell: Cell) -> Iterator[Problem]:
    advice = {
        "points": "Say what it is worth, for example points=3.",
        "skill": 'Name one of content/skills.toml, for example skill="d2.routes".',
        "taught": 'Name the section that teaches it, for example taught="01#status-codes".',
    }
    for word, sentence in advice.items():
        if word not in cell.words:
            yield document.problem(
                cell.fence, f'the check of {text(cell, "check")} has no "{word}"', sentence
            )
