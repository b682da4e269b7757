"""The regions that nbgrader cuts out of a release: answers and hidden tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from autograder.authoring import words
from autograder.authoring.markdown import Cell, Document
from autograder.authoring.problems import Problem
from autograder.authoring.words import Role

RESERVED = ("BEGIN MARK SCHEME", "END MARK SCHEME", "AUTOTEST")


class Marker(StrEnum):
    """A line that begins or ends a region."""

    BEGIN_SOLUTION = "### BEGIN SOLUTION"
    END_SOLUTION = "### END SOLUTION"
    BEGIN_HIDDEN = "### BEGIN HIDDEN TESTS"
    END_HIDDEN = "### END HIDDEN TESTS"


PLACE = {
    Marker.BEGIN_SOLUTION: Role.TASK,
    Marker.END_SOLUTION: Role.TASK,
    Marker.BEGIN_HIDDEN: Role.CHECK,
    Marker.END_HIDDEN: Role.CHECK,
}
END_OF = {
    Marker.BEGIN_SOLUTION: Marker.END_SOLUTION,
    Marker.BEGIN_HIDDEN: Marker.END_HIDDEN,
}


@dataclass(frozen=True)
class Region:
    """Lines of a cell from a begin marker to its end marker, both included, from 0."""

    begin: int
    end: int

    def inside(self, lines: list[str]) -> list[str]:
        """Return the lines between the markers."""
        return lines[self.begin + 1 : self.end]


def regions(cell: Cell, begin: Marker) -> list[Region]:
    """Return a cell's regions of one kind; the markers are known to be balanced."""
    lines = [line.strip() for line in cell.text.split("\n")]
    starts = [i for i, line in enumerate(lines) if line == begin]
    ends = [i for i, line in enumerate(lines) if line == END_OF[begin]]
    return [Region(start, end) for start, end in zip(starts, ends, strict=True)]


def marker_problems(document: Document, cell: Cell) -> Iterator[Problem]:
    """Yield markers that are misspelt, in a wrong place, nested or unbalanced."""
    role = words.role(cell) if cell.kind == "code" else None
    open_marker: Marker | None = None
    opened = 0
    for number, line in enumerate(cell.text.split("\n"), start=cell.line):
        marker = _marker(line)
        if marker is None:
            yield from _misspelt(document, number, line)
        elif role is not PLACE[marker]:
            where = "a task cell" if PLACE[marker] is Role.TASK else "a check cell"
            yield document.problem(
                number, f'"{marker}" stands outside {where}', f"Move it into {where}."
            )
        elif marker in END_OF:
            if open_marker:
                yield document.problem(
                    number,
                    f'"{marker}" stands inside a region that began on line {opened}',
                    f'End that one first, with "{END_OF[open_marker]}".',
                )
            open_marker, opened = marker, number
        elif open_marker is None:
            yield document.problem(
                number, f'"{marker}" ends nothing', "Begin the region above it, or remove the line."
            )
        else:
            open_marker = None
    if open_marker:
        yield document.problem(
            opened, f'"{open_marker}" has no end', f'End it with "{END_OF[open_marker]}".'
        )


def _marker(line: str) -> Marker | None:
    return next((marker for marker in Marker if line.strip() == marker), None)


def _misspelt(document: Document, number: int, line: str) -> Iterator[Problem]:
    """Yield a line that nbgrader would take for a marker although it is not spelt as one."""
    for marker in Marker:
        if marker.removeprefix("### ") in line:
            yield document.problem(
                number,
                f'nbgrader would take this line for "{marker}"',
                f'Write exactly "{marker}" on a line of its own, or other words.',
            )
    for word in RESERVED:
        if word in line:
            yield document.problem(
                number, f'nbgrader gives "{word}" a meaning of its own', "Use other words."
            )
