"""Which labs the engine judges in an nbgrader course, and with which checks."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry  # type: ignore[import-untyped]  # it ships no types
from nbgrader.utils import is_grade, is_locked, is_solution, is_task  # type: ignore[import-untyped]
from traitlets.config import Config

from autograder.grading.folder import CourseFolder
from autograder.grading.lab import BadLabError, GradedLab, made_release, read_lab
from autograder.judge.steps import MAGIC


class RunningCourse(CourseFolder):
    """The course that nbgrader works in, with the settings that it works with.

    Args:
        directory: nbgrader's own CourseDirectory.
        config: nbgrader's settings, those of its command line included.
    """

    def __init__(self, directory: Any, config: Config) -> None:
        # Not the parent's: that would read the settings again, without the command line's.
        self.root = Path(directory.root)
        self.nbgrader = directory
        self.config = copy.deepcopy(config)
        self.config.CourseDirectory.root = directory.root
        self.config.CourseDirectory.db_url = directory.db_url


def judged_lab(course: CourseFolder, name: str, log: logging.Logger) -> GradedLab | None:
    """Return a lab that the engine judges; None for one that is nbgrader's.

    The gradebook is brought up to date when solutions/ has changed since
    `generate_assignment`, as `autograder grade` does.

    Raises:
        BadLabError: It is the engine's, and cannot be judged.
    """
    file = course.sources / name / f"{name}.ipynb"
    if not file.is_file():
        if _has_checks_in_gradebook(course, name):
            raise BadLabError(f"{name} holds check cells, and {file} is missing. Bring it back.")
        return None
    cells = [cell for cell in _cells(file) if is_grade(cell) and not is_solution(cell)]
    plain = [cell for cell in cells if not cell.source.startswith(MAGIC)]
    if len(plain) == len(cells):
        return None
    if plain:
        names = ", ".join(cell.metadata.nbgrader.grade_id for cell in plain)
        raise BadLabError(
            f"{file} has tests that are no check cells: {names}. Write `%%check` into them all."
        )
    with _level_kept(log):
        lab = read_lab(course, name)
        if _in_gradebook(course, lab):
            return lab
        log.warning("The gradebook gets %s as it is in %s.", name, file)
        return replace(lab, release=made_release(course, name))


def _cells(file: Path) -> list[NotebookNode]:
    try:
        cells: list[NotebookNode] = nbformat.read(file, as_version=4).cells
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise BadLabError(f"{file} cannot be read: {error}") from error
    return [cell for cell in cells if cell.cell_type == "code"]


def _has_checks_in_gradebook(course: CourseFolder, name: str) -> bool:
    with Gradebook(course.gradebook_url, course.nbgrader.course_id) as gradebook:
        try:
            notebooks = gradebook.find_assignment(name).notebooks
        except MissingEntry:
            return False
        return any(cell.source.startswith(MAGIC) for one in notebooks for cell in one.source_cells)


def _in_gradebook(course: CourseFolder, lab: GradedLab) -> bool:
    """Tell whether the gradebook holds a lab's points and locked sources as they are."""
    told = {
        cell.metadata.nbgrader.grade_id: cell
        for cell in lab.solution.cells
        if "nbgrader" in cell.metadata
    }
    points = {
        name: float(cell.metadata.nbgrader.points)
        for name, cell in told.items()
        if is_grade(cell) or is_task(cell)
    }
    sources = {
        name: cell.source
        for name, cell in told.items()
        if not is_solution(cell) and (is_grade(cell) or is_locked(cell))
    }
    with Gradebook(course.gradebook_url, course.nbgrader.course_id) as gradebook:
        try:
            notebook = gradebook.find_notebook(lab.name, lab.name)
        except MissingEntry:
            return False
        graded = (*notebook.grade_cells, *notebook.task_cells)
        return points == {cell.name: cell.max_score for cell in graded} and sources == {
            cell.name: cell.source for cell in notebook.source_cells if cell.locked
        }


@contextmanager
def _level_kept(log: logging.Logger) -> Iterator[None]:
    """Undo what silences nbgrader's logger, which is one for the whole process."""
    level = log.level
    try:
        yield
    finally:
        log.setLevel(level)
