"""What a reader of a student's file does at most: it works in the grader's own process."""

from __future__ import annotations

import re

MOST_CHARACTERS = 20_000
"""Of a file, and of each text that its variables make."""
MOST_INSTRUCTIONS = 500
MOST_VALUES = 2_000
"""Variables that are looked up for one text."""
DEEPEST = 20
"""Blocks inside blocks."""
_MOST_REPEATS = 4
_REPEATED_GROUP = re.compile(r"\)\s*[*+{]|\)\?\??[*+{]")
_REPEAT = re.compile(r"(?<!\\)[*+{?]")


class Refused(AssertionError):
    """A file that its program would not take, or that is too much for a check; it says why."""


def bounded(text: str, what: str) -> str:
    """Return a text that is not too long.

    Raises:
        Refused: It is.
    """
    if len(text) > MOST_CHARACTERS:
        raise Refused(f"{what} is longer than {MOST_CHARACTERS:,} characters.")
    return text


def searchable(pattern: str) -> str:
    """Return a regular expression of which every search comes to an end soon.

    Python's search cannot be stopped. It takes the longer the more repeats there are, and almost
    for ever where a group of repeats or choices is repeated.

    Raises:
        Refused: It has too many repeats, or a group that is repeated.
    """
    plain = re.sub(r"\\.", "x", pattern)
    plain = re.sub(r"\(\?(?:[:=!]|P?<\w+>|<[=!])", "(", plain)
    repeats = len(_REPEAT.findall(re.sub(r"\[[^\]]*\]", "x", plain)))
    if repeats > _MOST_REPEATS or _REPEATED_GROUP.search(plain):
        raise Refused(
            f"This check reads simple regular expressions only: at most {_MOST_REPEATS} repeats, "
            f"and no group that is repeated. Write `{pattern:.60}` in a simpler way."
        )
    return pattern
