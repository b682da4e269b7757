"""The course on disk: where it begins, which lessons and labs it has, what they are called."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

CONFIG = "nbgrader_config.py"
HANDED_IN = frozenset({"submitted", "autograded", "feedback"})
"""nbgrader's folders of what students hand in, and of what is made of it."""
PARTS: Final = {
    0: "The web, and FastAPI's core",
    4: "Async, live and safe",
    9: "What stands behind",
    13: "In good hands",
}
"""The number of each part's first lesson, and what the part is called."""
NAME = re.compile(r"(?P<number>\d\d)-[a-z0-9]+(-[a-z0-9]+)*")


def part_of(number: int) -> str:
    """Return what the part of the course is called to which a lesson's number belongs."""
    return PARTS[max(first for first in PARTS if first <= number)]


class CourseError(Exception):
    """Something about the course on disk that its user can put right."""


class CourseNotFoundError(CourseError):
    """No folder from here upward is the root of a course."""


class LabNotFoundError(CourseError):
    """No lab, or more than one, has a name that begins so."""


_NEVER_IN_A_NAME = frozenset('<>&"`\\\x7f')


def is_plain_name(student: str) -> bool:
    """Tell whether a student's name can be shown everywhere: no markup, nothing invisible."""
    return student.isprintable() and not _NEVER_IN_A_NAME & set(student)


def with_settings(start: Path) -> Iterator[Path]:
    """Yield the folders that hold settings of nbgrader, from a folder upward.

    Settings are code. Those that a student may have handed in are left out: below `submitted/`
    and the like, and where anybody may write.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        with suppress(OSError):  # it is not there, or not to be seen
            file, anybody = (folder / CONFIG).stat(), folder.stat().st_mode & stat.S_IWOTH
            trusted = not anybody or file.st_uid in {0, os.geteuid()}
            if stat.S_ISREG(file.st_mode) and trusted and not HANDED_IN & set(folder.parts):
                yield folder


def is_handed_in(path: Path) -> bool:
    """Tell whether a file lies in a course's folder of what students handed in."""
    folders = path.resolve().parents
    return any(one.name in HANDED_IN and (one.parent / CONFIG).is_file() for one in folders)


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One lesson: `content/lessons/03-pydantic.md`.

    Attributes:
        name: Name of the source file without its ending, and of the notebook: `03-pydantic`.
        source: The file.
    """

    name: str
    source: Path

    @property
    def number(self) -> int:
        """Place in the course, from 0."""
        return int(self.name[:2])


@dataclass(frozen=True, kw_only=True)
class Lab:
    """One lab: `content/labs/03-pydantic/lab.md`.

    Attributes:
        folder: Name of its folder in content/: `03-pydantic`.
        source: The file `lab.md`.
    """

    folder: str
    source: Path

    @property
    def number(self) -> int:
        """Number of the lab, which is that of the lesson it belongs to."""
        return int(self.folder[:2])

    @property
    def name(self) -> str:
        """What nbgrader calls the assignment: `lab03-pydantic`."""
        return f"lab{self.folder}"

    @property
    def short(self) -> str:
        """Short name: `lab03`."""
        return self.name[:5]


@dataclass(frozen=True)
class Course:
    """A course on disk.

    Attributes:
        root: The folder that holds nbgrader_config.py and content/.
    """

    root: Path

    @classmethod
    def find(cls, start: Path) -> Course:
        """Return the course that a folder lies in.

        Raises:
            CourseNotFoundError: Neither the folder nor one above it is a course.
        """
        for folder in with_settings(start):
            if (folder / "content").is_dir():
                return cls(folder)
        raise CourseNotFoundError(
            f"{start} is not inside a course: no folder from there upward holds {CONFIG} "
            "and content/. Go into the course's folder and try again."
        )

    @property
    def content(self) -> Path:
        """The folder of the sources."""
        return self.root / "content"

    @cached_property
    def lessons(self) -> tuple[Lesson, ...]:
        """Every lesson, in the course's order; files with other names are left out."""
        return tuple(
            Lesson(name=path.stem, source=path)
            for path in sorted((self.content / "lessons").glob("*.md"))
            if NAME.fullmatch(path.stem)
        )

    @cached_property
    def labs(self) -> tuple[Lab, ...]:
        """Every lab, in the course's order; folders with other names are left out."""
        return tuple(
            Lab(folder=path.parent.name, source=path)
            for path in sorted((self.content / "labs").glob("*/lab.md"))
            if NAME.fullmatch(path.parent.name)
        )

    def lab(self, beginning: str) -> Lab:
        """Return the one lab whose name is, or begins with, a text such as `lab03`.

        Raises:
            LabNotFoundError: None does, or more than one.
        """
        found = [lab for lab in self.labs if lab.name == beginning] or [
            lab for lab in self.labs if beginning and lab.name.startswith(beginning)
        ]
        if len(found) == 1:
            return found[0]
        names = ", ".join(lab.name for lab in found or self.labs) or "none yet"
        if found:
            raise LabNotFoundError(f'"{beginning}" begins more than one lab: {names}. Say more.')
        raise LabNotFoundError(f'No lab begins with "{beginning}". The labs are: {names}.')
