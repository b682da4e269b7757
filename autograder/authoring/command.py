"""`autograder build`: everything from content/ anew, or only a look whether it is needed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder.authoring import folders, glossary, lab, lesson
from autograder.authoring.problems import WrongSourceError
from autograder.authoring.sources import Sources, other_files, read_sources
from autograder.course import CONFIG, Course, CourseError, CourseNotFoundError

DONE, FAILED, WRONG_USE = 0, 1, 2


def run(cwd: Path, *, check: bool) -> int:
    """Build the course that a folder lies in.

    Args:
        cwd: The folder.
        check: Change nothing; only say what is out of date.

    Returns:
        0 when everything is up to date now, 1 when sources are wrong or, with `check`, a
        notebook is out of date, 2 outside a course.
    """
    try:
        course = Course.find(cwd)
        wanted = built(course)
    except CourseNotFoundError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except (WrongSourceError, CourseError) as error:
        print(error, file=sys.stderr)
        return FAILED
    found = folders.differences(wanted, folders.held(course.root))
    if check:
        return _report(found)
    folders.apply(found, wanted, course.root)
    for name in (*found.missing, *found.changed):
        print(f"wrote {name}")
    for name in found.stray:
        print(f"removed {name}")
    if not found:
        print("everything is up to date")
    return DONE


def built(course: Course) -> folders.Files:
    """Return every generated file of a course; nothing is written into it.

    Raises:
        WrongSourceError: The sources hold faults.
        CourseError: nbgrader refused a lab, or the list of skills cannot be read.
    """
    sources = read_sources(course)
    with TemporaryDirectory(prefix="autograder-build-") as name:
        scratch = Path(name).resolve()
        root = scratch / "course"
        root.mkdir()
        _write_lessons(course, sources, root / "notebooks")
        _write_labs(sources, root / "solutions")
        if sources.labs:
            from autograder.authoring.release import generate  # noqa: PLC0415 - nbgrader loads slowly

            generate(
                [source.lab.name for source in sources.labs],
                root=root,
                config_file=course.root / CONFIG,
                gradebook=scratch / "gradebook.db",
            )
        return folders.held(root)


def _write_lessons(course: Course, sources: Sources, target: Path) -> None:
    _copy_others(course.content / "lessons", target)
    for source in sources.lessons:
        text = lesson.notebook(source, sources.lessons)
        _write(target / f"{source.lesson.name}.ipynb", text)
    if sources.lessons:
        _write(target / lesson.GLOSSARY, glossary.notebook(sources.lessons))


def _write_labs(sources: Sources, target: Path) -> None:
    for source in sources.labs:
        folder = target / source.lab.name
        _copy_others(source.lab.source.parent, folder)
        _write(folder / f"{source.lab.name}.ipynb", lab.notebook(source, sources.lessons))


def _copy_others(origin: Path, target: Path) -> None:
    for path in other_files(origin):
        copy = target / path.relative_to(origin)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _report(found: folders.Differences) -> int:
    for names, what in (
        (found.missing, "is missing"),
        (found.changed, "is not what content/ makes"),
        (found.stray, "is made by nothing in content/"),
    ):
        for name in names:
            print(f"{name} {what}", file=sys.stderr)
    if not found:
        return DONE
    print("Run `make build` and commit the result.", file=sys.stderr)
    return FAILED
