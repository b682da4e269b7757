"""How long a lesson takes, from its text: the pace at which a reader reads, types and thinks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autograder.authoring import words
from autograder.authoring.lesson import only_asks
from autograder.authoring.markdown import Cell, Document
from autograder.authoring.words import Role

WORDS_A_MINUTE = 180
LINES_A_MINUTE = 4
MINUTES_AN_EXERCISE = 2
NEXT_SITTING = re.compile(r"^## (?:Second|Third|Fourth) sitting", re.MULTILINE)
APPENDIX = re.compile(r"^## Appendix", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


@dataclass
class Sitting:
    """What one sitting asks of a reader."""

    words: int = 0
    lines: int = 0
    exercises: int = 0
    guesses: int = 0

    @property
    def minutes(self) -> int:
        """Minutes, rounded to five."""
        taken = (
            self.words / WORDS_A_MINUTE
            + self.lines / LINES_A_MINUTE
            + self.exercises * MINUTES_AN_EXERCISE
            + self.guesses
        )
        return 5 * round(taken / 5)


def sittings(document: Document) -> list[Sitting]:
    """Measure a lesson; what stands below a heading "Appendix ..." is not counted."""
    found = [Sitting()]
    for cell in document.cells:
        if cell.kind == "markdown":
            if APPENDIX.search(cell.text):
                break
            if NEXT_SITTING.search(cell.text):
                found.append(Sitting())
        _add(found[-1], cell)
    return found


def _add(sitting: Sitting, cell: Cell) -> None:
    if cell.kind == "markdown":
        prose = FENCE.sub("", cell.text)
        sitting.words += len(re.findall(r"\w[\w'-]*", prose))
        sitting.lines += sum(match.count("\n") - 1 for match in FENCE.findall(cell.text))
        sitting.guesses += prose.count("*Try it*")
    elif words.role(cell) is Role.CHECK:
        sitting.exercises += 1
    elif only_asks(cell.text):
        sitting.guesses += cell.text.count("Question(") or 1
    elif "fold" not in cell.words:
        sitting.lines += sum(1 for line in cell.text.split("\n") if line.strip())
