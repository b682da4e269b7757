"""A lab as it is graded: what students were given, its checks, its data files, its grants."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.checks.cell import BadCheckLine, CheckCell
from autograder.course import CourseError
from autograder.grading.folder import CourseFolder
from autograder.judge.grants import BadGrantsError, Grants, grants_of
from autograder.judge.steps import checks_of

_SUBMISSIONS = "there are submissions associated with it"
"""How nbgrader's refusal ends; it is split over two lines of its source."""
_RAISED = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception): .+$", flags=re.MULTILINE)


class BadLabError(CourseError):
    """A lab in solutions/ that cannot be graded; the message says why."""


@dataclass(frozen=True)
class GradedLab:
    """One lab.

    Attributes:
        name: nbgrader's name for it.
        solution: Its own notebook, with answers and hidden tests.
        release: The notebook that students were given.
        checks: Its check cells, by nbgrader's names for them.
        grants: What its submissions may use.
        data: Its data files, by their path inside the lab's folder.
    """

    name: str
    solution: NotebookNode
    release: NotebookNode
    checks: dict[str, CheckCell]
    grants: Grants
    data: dict[str, Path]

    @property
    def max_score(self) -> float:
        """Points of the lab, manually graded answers included."""
        told = [cell.metadata.get("nbgrader", {}) for cell in self.solution.cells]
        return sum(
            float(cell.get("points", 0)) for cell in told if cell.get("grade") or cell.get("task")
        )

    def data_digest(self) -> str:
        """Return a hash of the data files and the grants."""
        digest = hashlib.sha256(self.grants.model_dump_json().encode())
        for name, path in sorted(self.data.items()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(json.dumps([name, content]).encode())
        return digest.hexdigest()


def read_lab(course: CourseFolder, name: str) -> GradedLab:
    """Read a lab from solutions/, and its release from where nbgrader wrote it.

    Raises:
        BadLabError: It cannot be graded.
    """
    folder = course.sources / name
    solution = _read(folder / f"{name}.ipynb")
    try:
        checks, grants = checks_of(solution), grants_of(solution.metadata)
    except (BadCheckLine, BadGrantsError) as error:
        raise BadLabError(f"{folder / name}.ipynb cannot be graded: {error}") from error
    if not checks:
        raise BadLabError(
            f"{folder / name}.ipynb holds no check cell (%%check ...), so there is nothing to "
            f"grade here. Use `nbgrader autograde {name}`."
        )
    released = course.path(course.nbgrader.release_directory) / name / f"{name}.ipynb"
    release = _read(released) if released.is_file() else made_release(course, name)
    if differing := sorted(_tested(release) ^ checks.keys()):
        raise BadLabError(
            f"{name} differs between {released.parent} and {folder}, or is tested by more than "
            f"check cells: {', '.join(differing)}. Run `nbgrader generate_assignment {name}`."
        )
    return GradedLab(name, solution, release, checks, grants, dict(_data(folder)))


def made_release(course: CourseFolder, name: str) -> NotebookNode:
    """Have nbgrader make a lab's release and its entry in the gradebook; return the release.

    The course's own release folder stays as it is.

    Raises:
        BadLabError: nbgrader refused the lab.
    """
    from nbgrader.apps import NbGraderAPI  # type: ignore[import-untyped]  # noqa: PLC0415 - slow
    from nbgrader.coursedir import CourseDirectory  # type: ignore[import-untyped]  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        directory = CourseDirectory(config=course.config)
        directory.release_directory = folder
        api = NbGraderAPI(directory, config=course.config)
        with _only_collected(api.log):
            result = api.generate_assignment(name)
        if not result["success"]:
            raise BadLabError(
                _why_not_released(name, f"{result.get('log')}\n{result.get('error')}")
            )
        return _read(Path(folder) / name / f"{name}.ipynb")


@contextmanager
def _only_collected(log: logging.Logger) -> Iterator[None]:
    """Keep nbgrader's complaints from the terminal: they are collected by its own API."""
    level, handlers, up = log.level, log.handlers, log.propagate
    log.handlers, log.propagate = [], False
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.handlers, log.propagate = handlers, up
        log.setLevel(level)


def _why_not_released(name: str, said: str) -> str:
    """Say why nbgrader refused a lab, and the way out where one is known.

    Args:
        name: The lab.
        said: All that nbgrader has logged and raised.
    """
    if _SUBMISSIONS in said:
        return (
            f"Cells of {name} were added, removed or renamed, and the gradebook holds submissions "
            f"of it as it was. nbgrader cannot change that. Save {name}'s marks if you need them "
            f"(`nbgrader export`), run `nbgrader db assignment remove {name} --force`, and grade "
            "again: submitted work stays where it is, marks given by hand are lost."
        )
    # The first error is the cause; the last one only sends the reader to the first.
    errors = _RAISED.findall(said)
    reason = errors[0] if errors else (said.strip().splitlines() or ["no reason given"])[-1]
    return f"nbgrader could not release {name}: {reason}"


def _tested(notebook: NotebookNode) -> set[str]:
    """Return the names of the cells that hold tests."""
    told = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
    return {cell["grade_id"] for cell in told if cell.get("grade") and not cell.get("solution")}


def _read(file: Path) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(file, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise BadLabError(f"{file} cannot be read: {error}") from error
    return notebook


def _data(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the regular files beside the notebook."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        left_out = path.suffix == ".ipynb" or any(
            part.startswith((".", "__")) for part in name.parts
        )
        if path.is_file() and not path.is_symlink() and not left_out:
            yield str(name), path
