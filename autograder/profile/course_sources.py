"""What the course's own sources say of a skill and of a task; a class has no sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.authoring import words
from autograder.authoring.markdown import Document, read
from autograder.authoring.skills import SkillsError, dimensions
from autograder.course import Course


def sentences(course: Course) -> dict[str, str]:
    """Return what somebody can do who has a skill, by the skill's name."""
    try:
        told = dimensions(course.content / "skills.toml")
    except SkillsError:
        return {}
    return {
        f"{key}.{skill}": sentence
        for key, dimension in told.items()
        for skill, sentence in dimension.skills.items()
    }


def sections(course: Course, labs: Iterable[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the lessons' sections that taught each task of some labs, by lab and task.

    Args:
        course: The course.
        labs: Short names, such as `lab07`.
    """
    wanted = set(labs)
    headings = _Headings(course)
    return {
        (lab.short, task): tuple(map(headings.of, words.text(cell, "taught").split()))
        for lab in course.labs
        if lab.short in wanted
        for cell in _document(lab.source).cells
        if cell.kind == "code" and (task := words.text(cell, "check"))
    }


class _Headings:
    """The headings of the lessons, each lesson read once."""

    def __init__(self, course: Course) -> None:
        self._sources = {f"{lesson.number:02}": lesson.source for lesson in course.lessons}
        self._known: dict[str, Mapping[str, str]] = {}

    def of(self, place: str) -> str:
        """Return a place such as `01#status-codes` in words."""
        number, _, anchor = place.partition("#")
        if number not in self._known:
            self._known[number] = _document(self._sources[number]).headings
        return f"lesson {number}, {self._known[number].get(anchor, anchor)}"


def _document(source: Path) -> Document:
    return read(source.read_text(encoding="utf-8"), file=source.name)[0]
