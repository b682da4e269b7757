"""One run of nbgrader's Autograde over the submissions of a lab that the engine judges.

nbgrader is sent to a folder of its own, in which every submission has been rebuilt just before
nbgrader comes to it. So it never opens what a student handed in: not the notebook, not a link,
a pipe or a huge file beside it, not a time of submission that is none.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import weakref
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.coursedir import CourseDirectory  # type: ignore[import-untyped]  # it ships no types

from autograder.course import is_plain_name
from autograder.grading import beside
from autograder.grading.folder import CourseFolder
from autograder.grading.handed_in import HandedIn, read, timestamp_text
from autograder.grading.lab import GradedLab
from autograder.grading.sanitise import lost_answers
from autograder.judge.pool import AT_ONCE
from autograder.nbgrader.verdicts import Begun, Verdict, Verdicts
from autograder.own_folder import OwnFolder

TIMESTAMP = "timestamp.txt"
_LINK = "Its folder is a link, which is not followed."
_PREFIX = "handed-in-"


@dataclass(frozen=True)
class UnderWay:
    """A submission that is being judged.

    Attributes:
        student: Whose it is.
        handed_in: What was handed in, rebuilt.
        begun: Its judging, under way.
    """

    student: str
    handed_in: HandedIn
    begun: Begun


class Run:
    """One run.

    Args:
        converter: nbgrader's Autograde, which knows its submissions already.
        course: The course.
        lab: The lab.
        verdicts: What judges its submissions.
    """

    def __init__(
        self, converter: Any, course: CourseFolder, lab: GradedLab, verdicts: Verdicts
    ) -> None:
        self.lab = lab
        self._course = course
        self._verdicts = verdicts
        self._log = converter.log
        self._current: UnderWay | None = None
        self.verdict = Verdict(judged=None)
        """The verdict on the submission that was judged last."""
        handed_in = dict(self._named(_submissions(converter, lab.name)))
        course.state.mkdir(parents=True, exist_ok=True)
        own = OwnFolder(_PREFIX, course.state)  # and those of runs that were killed are removed
        self._root = own.path
        weakref.finalize(converter, own.remove)
        converter.coursedir = _sent_to(self._root, converter.coursedir)
        self._given: dict[str, tuple[str, Path]] = {}
        converter.assignments = dict(self._announced(converter, handed_in))
        self._theirs = converter.pre_convert_hook
        converter.pre_convert_hook = self._before
        due = [folder for folder in sorted(self._given) if self._is_due(converter, folder)]
        self._due = deque(due)
        self._ahead: dict[str, UnderWay] = {}
        self._folder = ""
        self._jobs = min(len(due), len(os.sched_getaffinity(0)))
        if due:
            verdicts.prepare(jobs=self._jobs)

    def judge(self, student: str) -> Verdict:
        """Judge the submission that nbgrader is at."""
        current = self._current
        if current is None or current.student != student:
            raise RuntimeError(f"The submission of {student} could not be rebuilt; see above.")
        verdict = self._verdicts.on(current.begun)
        lost = lost_answers(self.altered, self.lab.release)
        self.verdict = replace(verdict, reason=verdict.reason or lost)
        if self.verdict.reason:
            self._log.warning("%s is marked for review: %s", student, self.verdict.reason)
        return self.verdict

    @property
    def altered(self) -> tuple[str, ...]:
        """What the current submission changed that it should not have."""
        return self._current.handed_in.altered if self._current else ()

    def _named(self, handed_in: Iterator[tuple[str, Path]]) -> Iterator[tuple[str, Path]]:
        """Leave out whose name would be markup on formgrader's pages, and say so."""
        for student, folder in handed_in:
            if is_plain_name(student):
                yield student, folder
            else:
                self._log.error("%a is no name of a student: rename the folder.", str(folder))

    def _announced(
        self, converter: Any, handed_in: dict[str, Path]
    ) -> Iterator[tuple[str, list[str]]]:
        """Make an empty folder per submission, with its time: nbgrader asks for that first."""
        directory = converter.coursedir
        for student, given in handed_in.items():
            folder = Path(directory.format_path(str(self._root), student, self.lab.name))
            folder.mkdir(parents=True)
            if time := timestamp_text(given / TIMESTAMP)[0]:
                (folder / TIMESTAMP).write_text(time, encoding="utf-8")
            self._given[str(folder)] = student, given
            yield str(folder), [str(folder / f"{self.lab.name}.ipynb")]

    def _before(self, *, assignment: str, student: str, notebooks: list[str]) -> None:
        """Rebuild a submission when nbgrader comes to it, and have the next ones judged."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._current = None
        self._folder = str(Path(notebooks[0]).parent)
        current = self._ahead.pop(self._folder, None) or self._begun(self._folder)
        self._look_ahead()
        folder = Path(self._folder)
        name = f"{self.lab.name}.ipynb"
        nbformat.write(current.handed_in.notebook, folder / name)
        # An unreadable one's too: nbgrader names its feedback by what lies beside it.
        if current.handed_in.reason != _LINK:
            files = beside.listing(
                current.handed_in.folder, [*self._course.nbgrader.ignore, TIMESTAMP]
            )
            beside.copy(files, folder, keep={name, TIMESTAMP})
        if current.handed_in.altered:
            told = ", ".join(current.handed_in.altered)
            self._log.warning("%s altered: %s", current.student, told)
        self._current = current
        if self._theirs:
            self._theirs(assignment=assignment, student=student, notebooks=notebooks)

    def _begun(self, folder: str) -> UnderWay:
        student, given = self._given[folder]
        handed_in = _read(given, self.lab)
        return UnderWay(student, handed_in, self._verdicts.begin(student, handed_in))

    def _look_ahead(self) -> None:
        """Give the workers what nbgrader will come to next: it does its books meanwhile."""
        while self._due and len(self._ahead) < AT_ONCE * self._jobs and self._verdicts.has_room:
            folder = self._due.popleft()
            if folder > self._folder:
                self._ahead[folder] = self._begun(folder)

    def _is_due(self, converter: Any, folder: str) -> bool:
        """Tell whether nbgrader is sure to grade a submission."""
        student, _ = self._given[folder]
        directory = converter.coursedir
        made = directory.format_path(directory.autograded_directory, student, self.lab.name)
        left_out = student in str(directory.student_id_exclude).split(",")
        return not left_out and (bool(converter.force) or not Path(made).exists())


def _submissions(converter: Any, lab: str) -> Iterator[tuple[str, Path]]:
    """Yield students and their folders, also of those who handed in no notebook."""
    directory = converter.coursedir
    step = directory.submitted_directory
    pattern = re.compile(directory.format_path(step, "(?P<student>.*)", lab, escape=True))
    folders = glob.glob(directory.format_path(step, directory.student_id, lab))  # noqa: PTH207 - as nbgrader does
    for folder in sorted({*folders, *converter.assignments}):
        found = pattern.fullmatch(folder)
        if found and Path(folder).is_dir():
            yield found["student"], Path(folder)


def _sent_to(folder: Path, directory: Any) -> Any:
    """Return nbgrader's settings of the course with another folder of submissions."""
    told = directory.trait_values(config=True) | {"submitted_directory": str(folder)}
    return CourseDirectory(parent=directory.parent, log=directory.log, **told)


def _read(folder: Path, lab: GradedLab) -> HandedIn:
    if folder.is_symlink() or folder.parent.is_symlink():
        # Its like could name another student's work.
        return HandedIn(
            folder=folder, notebook=lab.release, altered=(), reason=_LINK, timestamp=None
        )
    return read(folder, f"{lab.name}.ipynb", lab.release)
