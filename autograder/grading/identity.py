"""Finds the cells of a lab in a notebook that has lost its metadata and its ids.

Some editors keep neither (an upload to a web page and back, a conversion, a copy of all cells).
Then cells are known by their text and their order: locked cells and text by what stands in them,
and the cell of a task by its place between those, and by the lines that its stub gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.checks.stubs import PLACEHOLDER

ENOUGH = 0.5
"""Which share of a stub's lines a cell must have, where more than one could be the answer."""


@dataclass(frozen=True)
class Known:
    """A cell of the release.

    Attributes:
        name: By what it is known.
        text: What stands in it.
        is_answer: Whether it is the cell of a task.
    """

    name: str
    text: str
    is_answer: bool


@dataclass(frozen=True)
class Found:
    """A cell of a submission.

    Attributes:
        name: By what it calls itself; empty, or unknown to the release, if that was lost.
        text: What stands in it.
        is_code: Whether it holds code.
    """

    name: str
    text: str
    is_code: bool


def recover(release: Sequence[Known], found: Sequence[Found]) -> dict[int, str]:
    """Return the names of cells that do not say who they are.

    Args:
        release: The cells of the release.
        found: The cells of a submission.

    Returns:
        For places in the submission, the name of the release's cell that stands there; nothing
        where the submission names every task.
    """
    places = {cell.name: place for place, cell in reversed(list(enumerate(found))) if cell.name}
    if all(cell.name in places for cell in release if cell.is_answer):
        return {}
    known = {cell.name for cell in release}
    free = [place for place, cell in enumerate(found) if cell.name not in known]
    recovered = _by_text(release, found, places, free)
    for number, cell in enumerate(release):
        if cell.is_answer and cell.name not in places:
            low = max((places[c.name] for c in release[:number] if c.name in places), default=-1)
            after = (places[c.name] for c in release[number + 1 :] if c.name in places)
            high = min((place for place in after if place > low), default=len(found))
            between = [
                place
                for place in free
                if low < place < high and found[place].is_code and place not in recovered
            ]
            best = _likeliest(cell, {place: found[place].text for place in between})
            if best is not None:
                recovered[best] = cell.name
                places[cell.name] = best
    return recovered


def _by_text(
    release: Sequence[Known], found: Sequence[Found], places: dict[str, int], free: Sequence[int]
) -> dict[int, str]:
    """Find the cells that are as they were released; note their places."""
    recovered: dict[int, str] = {}
    for cell in release:
        if cell.name in places or not cell.text.strip():
            continue
        wanted = _plain(cell.text)
        same = [p for p in free if p not in recovered and _plain(found[p].text) == wanted]
        if same:
            recovered[same[0]] = cell.name
            places[cell.name] = same[0]
    return recovered


def _likeliest(cell: Known, candidates: Mapping[int, str]) -> int | None:
    """Return the place of the cell that is a task's answer, if one stands out."""
    if len(candidates) == 1:
        return next(iter(candidates))
    lines = {line.strip() for line in cell.text.splitlines()} - {*PLACEHOLDER, ""}
    if not lines or not candidates:
        return None
    shares = {
        place: len(lines & {line.strip() for line in text.splitlines()}) / len(lines)
        for place, text in candidates.items()
    }
    best = max(shares, key=lambda place: (shares[place], place))
    return best if shares[best] >= ENOUGH else None


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
