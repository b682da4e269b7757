"""What is wrong in a source: where, what, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of a source.

    Attributes:
        file: The file, relative to the course's root, with forward slashes.
        line: Its line, from 1.
        what: What is wrong, without a full stop.
        advice: What to do, one sentence with its full stop.
    """

    file: str
    line: int
    what: str
    advice: str

    def __str__(self) -> str:
        """Return the line that the writer reads."""
        return f"{self.file}:{self.line}: {self.what}. {self.advice}"


class WrongSourceError(Exception):
    """The sources hold faults; nothing can be built from them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))
