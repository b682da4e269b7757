"""What every lesson has: an honest time, folded answers, exercises, one definition a term."""

import re
from pathlib import Path

import pytest

from autograder.authoring.glossary import term_problems, terms
from autograder.authoring.pace import sittings
from autograder.authoring.sources import read_sources
from autograder.authoring.tasks import cells_of
from autograder.authoring.words import Role
from autograder.course import Course

ROOT = Path(__file__).parents[2]
SOURCES = read_sources(Course(ROOT))
LESSONS = SOURCES.lessons
SITTING = 75
"""Minutes of one sitting, at most."""

lessons = pytest.mark.parametrize("source", LESSONS, ids=lambda source: source.lesson.name)


@lessons
def test_a_lesson_says_how_long_it_takes(source):
    """What it says of its minutes is what its text takes at a reader's pace, within a fifth."""
    measured = [part.minutes for part in sittings(source.document)]
    said = source.front.sittings or [source.front.minutes]
    assert len(said) == len(measured), f"measured {measured}, it says {said}"
    for one, other in zip(said, measured, strict=True):
        assert abs(one - other) <= max(5, 0.2 * other), f"measured {measured}, it says {said}"
        assert one <= SITTING


@lessons
def test_every_try_it_has_its_answer_folded(source):
    """Below *Try it* stands what happens, to be opened after the guess."""
    for cell in source.document.cells:
        asked = cell.text.count("*Try it*") if cell.kind == "markdown" else 0
        assert cell.text.count("<details>") >= asked, cell.text


@lessons
def test_a_lesson_begins_with_its_gist_and_has_exercises(source):
    """There is an *In a hurry*, and a check of one's own in every sitting."""
    text = "\n".join(cell.text for cell in source.document.cells if cell.kind == "markdown")
    assert "**In a hurry**" in text
    exercises = [part.exercises for part in sittings(source.document)]
    assert all(exercises), exercises
    assert sum(exercises) >= 3


@lessons
def test_a_lesson_defines_its_words(source):
    """The glossary has terms of every lesson."""
    assert [*terms(source)]
    assert cells_of(source.document, Role.CHECK)


def test_no_term_is_defined_twice_and_bold_is_for_terms():
    """The glossary has one sentence for a term."""
    assert not [*term_problems(tuple(LESSONS))]


MISLEADING = {
    r"\bdear(er|est)?\b": "expensive",
    r"\b[Ss]hall\b": "must, or the plain future",
    r"\bbelongs? into\b": "belongs in",
    r"\bforty tokens\b": "thread slots",
    r"\bSSE frames?\b": "SSE event",
    r"\bbest-known\b": "a fact that can be checked",
    r"\bin the same breath\b": "at once",
    r"\bexpected was\b": "Expected:",
    r"\bhold no watch\b": "never measure time",
    r"\bfactory's door\b": "route",
    r"\bthe other end of the line\b": "connection",
}
"""Words that once had a second meaning in the course, and what to say instead."""


@pytest.mark.parametrize(
    "path",
    sorted([*ROOT.glob("content/lessons/*.md"), *ROOT.glob("content/labs/*/lab.md")]),
    ids=lambda path: str(path.relative_to(ROOT / "content")),
)
def test_a_word_means_one_thing(path):
    """No lesson and no lab uses a word that readers stumbled over."""
    found = [
        f"{path.name}:{number}: {match[0]} -> {instead}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for pattern, instead in MISLEADING.items()
        if (match := re.search(pattern, line))
    ]
    assert not found
