"""A course in which a class is graded: nbgrader_config.py and solutions/, nothing else needed."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory  # type: ignore[import-untyped]  # it ships no types
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.course import (
    CONFIG,
    CourseError,
    CourseNotFoundError,
    LabNotFoundError,
    with_settings,
)
from autograder.grading.early import STATE

_ANYBODY = "-anybody-"


class NothingToGradeError(CourseError):
    """No submission of the lab, or not of the students that were named."""


class CourseFolder:
    """A folder in which nbgrader works, with the directories that its settings name.

    Args:
        root: The folder that holds nbgrader_config.py.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config: Config = PyFileConfigLoader(CONFIG, path=str(root)).load_config()
        self.config.CourseDirectory.root = str(root)
        # What nbgrader logs is said by the results, better and once.
        self.config.NbGrader.log_level = self.config.Application.log_level = "CRITICAL"
        self.nbgrader: Any = CourseDirectory(config=self.config)

    @classmethod
    def find(cls, start: Path) -> CourseFolder:
        """Return the course that a folder lies in.

        Raises:
            CourseNotFoundError: Neither the folder nor one above it is a course.
        """
        found: CourseFolder | None = None
        # From the outside inward: a course says which folders in it hold what was handed in.
        for folder in reversed(list(with_settings(start))):
            if found is not None and found.was_handed_in(folder):
                break
            course = cls(folder)
            if course.sources.is_dir():
                found = course
        if found is not None:
            return found
        raise CourseNotFoundError(
            f"{start} is not inside a course: no folder from there upward holds {CONFIG} "
            "and the solutions that it names. Go into the course's folder and try again."
        )

    @property
    def sources(self) -> Path:
        """The folder of the labs with their answers and tests."""
        return self.path(self.nbgrader.source_directory)

    @property
    def state(self) -> Path:
        """Where the engine remembers what it has graded."""
        return self.root / STATE

    @property
    def gradebook_url(self) -> str:
        """Where the gradebook is, as SQLAlchemy names it."""
        return str(self.nbgrader.db_url)

    @property
    def secrets(self) -> tuple[Path, ...]:
        """What no submission may read."""
        steps = (
            self.nbgrader.source_directory,
            self.nbgrader.submitted_directory,
            self.nbgrader.autograded_directory,
            self.nbgrader.feedback_directory,
        )
        gradebook = self.gradebook_url.removeprefix("sqlite:///")
        files = [Path(gradebook)] if gradebook != self.gradebook_url else []
        return (*map(self.path, steps), self.state, *files)

    def was_handed_in(self, folder: Path) -> bool:
        """Tell whether a folder holds what students handed in, or what is made of it."""
        steps = (
            self.nbgrader.submitted_directory,
            self.nbgrader.autograded_directory,
            self.nbgrader.feedback_directory,
        )
        return any(folder.is_relative_to(self.path(step).resolve()) for step in steps)

    def path(self, step: str) -> Path:
        """Return the folder of one of nbgrader's steps, such as `submitted`."""
        return self.root / step

    def labs(self) -> list[str]:
        """Return the names of all labs."""
        return sorted(
            folder.name
            for folder in self.sources.iterdir()
            if (folder / f"{folder.name}.ipynb").is_file()
        )

    def lab(self, beginning: str) -> str:
        """Return the one lab whose name is, or begins with, a text such as `lab03`.

        Raises:
            LabNotFoundError: None does, or more than one.
        """
        names = self.labs()
        found = [name for name in names if name == beginning] or [
            name for name in names if beginning and name.startswith(beginning)
        ]
        if len(found) == 1:
            return found[0]
        known = ", ".join(found or names) or "none yet"
        if found:
            raise LabNotFoundError(f'"{beginning}" begins more than one lab: {known}. Say more.')
        raise LabNotFoundError(f'No lab begins with "{beginning}". The labs are: {known}.')

    def of_student(self, step: str, student: str, lab: str) -> Path:
        """Return a student's folder for a lab in one of nbgrader's steps."""
        return Path(self.nbgrader.format_path(step, student, lab))

    def students(self, lab: str, wanted: list[str]) -> list[str]:
        """Return who has handed in a lab, in alphabetical order.

        Args:
            lab: The lab's full name.
            wanted: Only these; everybody if empty.

        Raises:
            NothingToGradeError: Nobody has, or somebody who is wanted has not.
        """
        handed_in = set(self._handed_in(lab))
        where = self.nbgrader.format_path(self.nbgrader.submitted_directory, "STUDENT", lab)
        if missing := sorted(set(wanted) - handed_in):
            raise NothingToGradeError(
                f"Nothing of {', '.join(missing)} is in {where}. Collect it, or check the name."
            )
        if not handed_in:
            raise NothingToGradeError(
                f"There are no submissions of {lab}: nothing is in {where}. "
                "Run `nbgrader collect` or put them there."
            )
        return sorted(set(wanted) or handed_in)

    def _handed_in(self, lab: str) -> Iterator[str]:
        step = self.nbgrader.submitted_directory
        pattern = re.compile(
            self.nbgrader.format_path(step, "(?P<student_id>[^/]+)", lab, escape=True)
        )
        left_out = set(str(self.nbgrader.student_id_exclude).split(","))
        # The path itself may hold what is a pattern to glob: a course in a folder `b [2026]`.
        anybody = glob.escape(self.nbgrader.format_path(step, _ANYBODY, lab))
        for folder in Path("/").glob(anybody.replace(_ANYBODY, "*").lstrip("/")):
            found = pattern.fullmatch(str(folder))
            hidden = folder.name.startswith(".") or folder.parent.name.startswith(".")
            if found and not hidden and folder.is_dir() and not folder.is_symlink():
                student = found["student_id"]
                if student not in left_out:
                    yield student
