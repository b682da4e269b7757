"""A lab as it is graded: what students were given, its checks, its data files, its grants."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.checks.cell import BadCheckLine, CheckCell
from autograder.course import CourseError
from autograder.grading.folder import CourseFolder
from autograder.judge.grants import BadGrantsError, Grants, grants_of
from autograder.judge.steps import checks_of


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
        api.log.setLevel("CRITICAL")
        result = api.generate_assignment(name)
        if not result["success"]:
            reason = str(result.get("error") or result.get("log") or "no reason given")
            last = reason.strip().splitlines()[-1]
            raise BadLabError(f"nbgrader could not release {name}: {last}")
        return _read(Path(folder) / name / f"{name}.ipynb")


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
