"""Print how long each lesson takes at a reader's pace, beside what it says of itself."""

from __future__ import annotations

from pathlib import Path

from autograder.authoring.pace import sittings
from autograder.authoring.sources import read_sources
from autograder.course import Course


def main() -> None:
    """Print one line for each lesson, and one for each of its sittings."""
    for source in read_sources(Course.find(Path.cwd())).lessons:
        parts = sittings(source.document)
        total = sum(part.minutes for part in parts)
        print(f"{source.lesson.name}: {total} minutes; it says {source.front.minutes}")
        for part in parts:
            print(
                f"  {part.minutes} minutes: {part.words} words, {part.lines} lines of code, "
                f"{part.exercises} exercises, {part.guesses} guesses"
            )


if __name__ == "__main__":
    main()
