"""Every source of a course, read and checked as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.front_matter import Front, LabFront, LessonFront, front_matter
from autograder.authoring.glossary import term_problems
from autograder.authoring.lab import LabSource, LabText, lab_problems
from autograder.authoring.lab import link_problems as lab_links
from autograder.authoring.lesson import LessonSource, lesson_problems
from autograder.authoring.lesson import link_problems as lesson_links
from autograder.authoring.markdown import Document, read
from autograder.authoring.problems import Problem, WrongSourceError
from autograder.authoring.skills import skill_names
from autograder.course import NAME, Course

IGNORED = {"__pycache__"}


@dataclass(frozen=True)
class Sources:
    """The lessons and labs of a course, found to be in order."""

    lessons: tuple[LessonSource, ...]
    labs: tuple[LabSource, ...]


def read_sources(course: Course) -> Sources:
    """Read every lesson and lab.

    Raises:
        WrongSourceError: With every fault that was found.
    """
    problems = [*_names(course)]
    lessons: list[LessonSource] = []
    documents: dict[int, Document] = {}
    for lesson in course.lessons:
        document = _read(course, lesson.source, problems)
        documents.setdefault(lesson.number, document)
        problems += lesson_problems(document)
        front = _front(document, LessonFront, problems)
        if front:
            lessons.append(LessonSource(lesson=lesson, document=document, front=front))
            problems += lesson_links(lessons[-1], course.labs)
    labs: list[LabSource] = []
    skills = skill_names(course.content / "skills.toml") if course.labs else frozenset[str]()
    for lab in course.labs:
        document = _read(course, lab.source, problems)
        problems += lab_problems(LabText(lab=lab, document=document), documents, skills)
        lab_front = _front(document, LabFront, problems)
        if lab_front:
            labs.append(LabSource(lab=lab, document=document, front=lab_front))
            problems += lab_links(labs[-1], documents)
    problems += term_problems(tuple(lessons))
    if problems:
        raise WrongSourceError(problems)
    return Sources(tuple(lessons), tuple(labs))


def _front(document: Document, model: type[Front], problems: list[Problem]) -> Front | None:
    found = front_matter(document, model)
    if isinstance(found, list):
        problems += found
        return None
    return found


def other_files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that are no Markdown at its top and not hidden."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part in IGNORED for part in parts)
        if path.is_file() and not hidden and not (len(parts) == 1 and path.suffix == ".md"):
            yield path


def _relative(course: Course, path: Path) -> str:
    return path.relative_to(course.root).as_posix()


def _read(course: Course, path: Path, problems: list[Problem]) -> Document:
    document, found = read(path.read_text(encoding="utf-8"), file=_relative(course, path))
    problems += found
    for line, address in document.pictures:
        local = ":" not in address and not address.startswith(("/", "#"))
        if local and not (path.parent / address).is_file():
            problems.append(
                document.problem(
                    line, f"there is no picture {address}", "Put the file there, or mend the name."
                )
            )
    return document


def _names(course: Course) -> Iterator[Problem]:
    """Yield files and folders with names that say no number, or the same one twice."""
    sources = [
        *((path, path.stem) for path in sorted((course.content / "lessons").glob("*.md"))),
        *((path, path.parent.name) for path in sorted((course.content / "labs").glob("*/lab.md"))),
    ]
    numbers: dict[tuple[bool, str], list[Path]] = defaultdict(list)
    for path, name in sources:
        if NAME.fullmatch(name):
            numbers[path.name == "lab.md", name[:2]].append(path)
        else:
            yield Problem(
                _relative(course, path),
                1,
                f'"{name}" is not a name for a lesson or a lab',
                "Write two digits and small letters, such as 03-pydantic.",
            )
    for (is_lab, number), paths in numbers.items():
        for path in paths[1:]:
            what = "labs" if is_lab else "lessons"
            yield Problem(
                _relative(course, path),
                1,
                f"two {what} have the number {number}",
                f"Renumber this one or {_relative(course, paths[0])}.",
            )
    for folder in sorted((course.content / "labs").glob("*/")):
        yield from _lab_folder(course, folder)


def _lab_folder(course: Course, folder: Path) -> Iterator[Problem]:
    if not (folder / "lab.md").is_file() and not folder.name.startswith("."):
        yield Problem(
            _relative(course, folder),
            1,
            "the folder has no lab.md",
            "Write it, or move the folder.",
        )
    for path in other_files(folder):
        if path.suffix == ".ipynb":
            yield Problem(
                _relative(course, path),
                1,
                "nbgrader would take this notebook for a part of the lab",
                "Move it away: a lab is one notebook, built from lab.md.",
            )
