"""The command `autograder bundle`: what a class may have, without answers and hidden tests.

A repository that shows solutions/ and the hidden tests is right for self-learners and wrong for
a marked class: there, give students this folder instead.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console

from autograder.bundle import notebooks
from autograder.course import CONFIG, CourseError
from autograder.grading.folder import CourseFolder

PARTS = ("__init__.py", "py.typed", "course.py", "checks", "jupyterlab", "profile", "render")
"""What a student's checks and start page need of this package."""
FILES = (
    *("LICENSE", "environment.yml", "requirements.lock", "pyproject.toml", "setup.py"),
    "docs/stuck.md",
)
WRITTEN = ("README.md", CONFIG, "Makefile")
"""What is written for the bundle, from templates."""
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "*.egg-info")
_COMMANDS = re.compile(r"^\[project\.scripts\]\n(?:[^\[\n].*\n)*\n*", flags=re.MULTILINE)
_TEMPLATES: Final = Environment(  # noqa: S701 - Markdown, Python and make, of the course's own words
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


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
    for file in to.rglob("*.ipynb"):
        notebooks.adapt(file, to)
    stuck = to / "docs" / "stuck.md"
    if stuck.exists():
        lines = stuck.read_text("utf-8").splitlines(keepends=True)
        stuck.write_text("".join(line for line in lines if "`autograder " not in line), "utf-8")
    _write_templates(course, list(labs), to)


def _write_templates(course: CourseFolder, labs: list[str], to: Path) -> None:
    """Write the files that a class has in place of the repository's own."""
    releases = to / str(course.nbgrader.release_directory)
    by_number = {name[3:5]: notebooks.page(releases / name / f"{name}.ipynb", to) for name in labs}
    lessons = sorted((to / "notebooks").glob("[0-9][0-9]-*.ipynb"))
    told = {
        "rows": [(notebooks.page(file, to), by_number.get(file.name[:2])) for file in lessons],
        "labs": labs,
        "course_id": str(course.nbgrader.course_id),
        "exchange": str(course.config.Exchange.get("root", "")),
        "ignore": list(course.nbgrader.ignore),
    }
    for name in WRITTEN:
        text = _TEMPLATES.get_template(f"{name}.j2").render(told)
        (to / name).write_text(text, encoding="utf-8")


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
