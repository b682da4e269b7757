"""The command `autograder bundle`: what a class may have, without answers and hidden tests.

A repository that shows solutions/ and the hidden tests is right for self-learners and wrong for
a marked class: there, give students this folder instead.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from autograder.course import CourseError
from autograder.grading.folder import CourseFolder

PARTS = ("__init__.py", "py.typed", "checks", "jupyterlab", "render")
"""What a student's checks need of this package."""
FILES = ("README.md", "LICENSE", "environment.yml", "requirements.lock", "pyproject.toml")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "*.egg-info")
_COMMANDS = re.compile(r"^\[project\.scripts\]\n(?:[^\[\n].*\n)*\n*", flags=re.MULTILINE)


class BundleError(CourseError):
    """The bundle cannot be made; the message says why."""


def run(start: Path, lab: str | None, *, to: Path, console: Console) -> int:
    """Write a bundle and say what is in it.

    Args:
        start: A folder inside the course.
        lab: Any unique beginning of a lab's name; all labs if None.
        to: Folder to write, which must not exist or be empty.
        console: Where to print.

    Returns:
        The exit code: 0 done, 2 wrong use.
    """
    try:
        course = CourseFolder.find(start)
        labs = [course.lab(lab)] if lab else course.labs()
        write(course, labs, to)
    except (CourseError, OSError) as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    count = sum(path.is_file() for path in to.rglob("*"))
    console.print(f"{to}: {count} files, with {', '.join(labs)}; no answers, no hidden tests.")
    return 0


def write(course: CourseFolder, labs: Iterable[str], to: Path) -> None:
    """Write a bundle.

    Args:
        course: Where to take it from.
        labs: Full names of the labs.
        to: Folder to write.

    Raises:
        BundleError: The folder holds something already, or a lab has not been released.
    """
    if to.exists() and any(to.iterdir()):
        raise BundleError(f"{to} is not empty. Name a new folder, or empty this one.")
    releases = course.path(course.nbgrader.release_directory)
    missing = [lab for lab in labs if not (releases / lab / f"{lab}.ipynb").is_file()]
    if missing:
        raise BundleError(
            f"{', '.join(missing)} has not been released: nothing is in {releases}. "
            "Run `make build`, or `nbgrader generate_assignment`."
        )
    for lab in labs:
        _copy(releases / lab, to / releases.name / lab)
    for name in ("notebooks", "classroom", *(f"autograder/{part}" for part in PARTS), *FILES):
        _copy(_source(course.root, name), to / name)
    project = to / "pyproject.toml"
    if project.exists():
        # The commands are the instructor's.
        project.write_text(_COMMANDS.sub("", project.read_text("utf-8")), "utf-8")


def _source(root: Path, name: str) -> Path:
    """Return where a part of the course lies; packages may be installed elsewhere."""
    package, _, inside = name.partition("/")
    if package not in {"autograder", "classroom"} or (root / package).is_dir():
        return root / name
    module = __import__(package)
    return Path(module.__path__[0]) / inside


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder; what the course does not have is left out."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=_LEFT_OUT)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
