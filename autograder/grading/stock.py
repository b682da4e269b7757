"""Grades with nbgrader as it comes: a kernel for every submission.

nbgrader reads submissions only after `sanitise` has rebuilt them, so that one damaged file
cannot stop the class.
"""

from __future__ import annotations

import os
import shutil
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook  # type: ignore[import-untyped]  # it ships no types
from nbgrader.apps import NbGraderAPI  # type: ignore[import-untyped]
from nbgrader.coursedir import CourseDirectory  # type: ignore[import-untyped]
from nbgrader.utils import is_grade  # type: ignore[import-untyped]
from sqlalchemy.exc import SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.checks.notebook import RECORD_TYPE
from autograder.checks.records import CheckResult
from autograder.grading.handed_in import timestamp_text
from autograder.grading.outcome import Graded, Status
from autograder.grading.sanitise import Unreadable, read_submission, rebuild

CONFIG = "nbgrader_config.py"
_ENGINE = "AUTOGRADER_ENGINE"
"""The environment variable that nbgrader_config.py reads."""
REBUILT = ".rebuilt"
"""Folder of a course that holds the submissions as nbgrader may read them."""
_TIMESTAMP = "timestamp.txt"
"""What `nbgrader submit` adds to say how late it is."""
_SECRET = "submission_secret.txt"  # noqa: S105 - a name
"""What it adds to say where the feedback goes."""
_LONGEST_SECRET = 1_000


class StockCourse:
    """A course folder that nbgrader works in: nbgrader_config.py, solutions/, submitted/.

    Args:
        folder: The course's root.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = _stock_settings(folder)
        config.CourseDirectory.root = str(folder)
        config.NbGrader.log_level = config.Application.log_level = "CRITICAL"
        self._directory = CourseDirectory(config=config)
        self._submitted = folder / self._directory.submitted_directory
        self._directory.submitted_directory = REBUILT
        self._api = NbGraderAPI(self._directory, config=config)
        self._api.log.setLevel("CRITICAL")

    def release(self, lab: str) -> None:
        """Make the students' notebook of a lab, and the gradebook's entry for it.

        Raises:
            RuntimeError: nbgrader refused the lab.
        """
        _demand(self._api.generate_assignment(lab), f"nbgrader could not release {lab}")

    def students(self, lab: str) -> list[str]:
        """Return who has handed in a lab."""
        return sorted(folder.parent.name for folder in self._submitted.glob(f"*/{lab}"))

    def grade(self, lab: str, students: Iterable[str]) -> Iterator[Graded]:
        """Grade submissions one by one."""
        for student in students:
            yield self._grade(lab, student)

    def write_feedback(self, lab: str, student: str) -> Path:
        """Write a student's feedback, and return its folder.

        Raises:
            RuntimeError: nbgrader could not write it.
        """
        _demand(
            self._api.generate_feedback(lab, student),
            f"nbgrader could not write the feedback of {student}",
        )
        feedback = self.folder / str(self._directory.feedback_directory)
        return feedback / student / lab

    def _grade(self, lab: str, student: str) -> Graded:
        begun = time.perf_counter()
        altered, reason = self._rebuild(lab, student)
        with warnings.catch_warnings():
            # nbgrader adds rows in an order that SQLAlchemy warns about, without harm.
            warnings.simplefilter("ignore", SAWarning)
            result = self._api.autograde(lab, student, force=True, create=True)
        if not result["success"]:
            reason = reason or f"nbgrader could not run it: {_last_line(result)}"
        with Gradebook(self._directory.db_url, self._directory.course_id) as gradebook:
            row = gradebook.find_submission(lab, student)
            if reason:
                _mark_for_review(row, reason)
                gradebook.db.commit()
            return Graded(
                student=student,
                score=float(row.score),
                max_score=float(row.max_score),
                status=Status.REVIEW if reason else Status.GRADED,
                checks=() if reason else self._records(lab, student),
                altered=altered,
                message=reason,
                seconds=time.perf_counter() - begun,
            )

    def _rebuild(self, lab: str, student: str) -> tuple[tuple[str, ...], str]:
        """Write the submission as nbgrader may read it; return what was altered, and a reason."""
        source, target = self._submitted / student / lab, self.folder / REBUILT / student / lab
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        with suppress(Unreadable):
            secret = read_submission(source / _SECRET, most=_LONGEST_SECRET)
            (target / _SECRET).write_bytes(secret)
        time, altered = timestamp_text(source / _TIMESTAMP)
        if time:
            (target / _TIMESTAMP).write_text(time, encoding="utf-8")
        released = self.folder / self._directory.release_directory / lab / f"{lab}.ipynb"
        release = nbformat.read(released, as_version=4)
        try:
            rebuilt = rebuild(read_submission(source / released.name), release)
        except Unreadable as error:
            nbformat.write(release, target / released.name)
            return altered, str(error)
        nbformat.write(rebuilt.notebook, target / released.name)
        return (*altered, *rebuilt.altered), ""

    def _records(self, lab: str, student: str) -> tuple[CheckResult, ...]:
        folder = self.folder / self._directory.autograded_directory / student / lab
        notebook = nbformat.read(folder / f"{lab}.ipynb", as_version=4)
        # Only where points are given: a student may have copied a check, or written one.
        checks = [cell for cell in notebook.cells if is_grade(cell)]
        outputs = [output for cell in checks for output in cell.get("outputs", [])]
        records = [output.get("data", {}).get(RECORD_TYPE) for output in outputs]
        return tuple(CheckResult.model_validate(record) for record in records if record)


def _stock_settings(folder: Path) -> Config:
    """Read the course's settings with the engine switched off."""
    before = os.environ.get(_ENGINE)
    os.environ[_ENGINE] = "stock"
    try:
        config: Config = PyFileConfigLoader(CONFIG, path=str(folder)).load_config()
        return config
    finally:
        if before is None:
            del os.environ[_ENGINE]
        else:
            os.environ[_ENGINE] = before


def _mark_for_review(row: Any, reason: str) -> None:
    """Give a submission no points, flag it, and say why where formgrader and feedback look."""
    for notebook in row.notebooks:
        for grade in notebook.grades:
            grade.auto_score = 0
        for grade in notebook.grades[:1]:
            grade.needs_manual_grade = True
        for comment in notebook.comments[:1]:
            comment.auto_comment = reason


def _demand(result: dict[str, Any], what: str) -> None:
    if not result["success"]:
        raise RuntimeError(f"{what}: {_last_line(result)}")


def _last_line(result: dict[str, Any]) -> str:
    text = str(result.get("error") or result.get("log") or "no reason given")
    return text.strip().splitlines()[-1]
