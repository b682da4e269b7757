"""The command `autograder report`: pages and tables about a class, in a folder."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from autograder.authoring.skills import Dimension, dimensions
from autograder.course import CourseError
from autograder.grading.cache import write_whole
from autograder.grading.folder import CourseFolder
from autograder.report.evidence import ClassEvidence, gather
from autograder.report.pages import Pages, file_name
from autograder.report.tables import tables

DONE, NOTHING, WRONG_USE = 0, 1, 2


def run(start: Path, lab: str | None, *, to: Path | None, console: Console) -> int:
    """Write the report.

    Args:
        start: A folder inside the course.
        lab: Any unique beginning of a lab's name; all that have marks if None.
        to: Folder to write; `reports` in the course's folder if None.
        console: Where to say what was written.

    Returns:
        The exit code: 0 done, 1 nothing is graded yet, 2 wrong use.
    """
    try:
        course = CourseFolder.find(start)
        names = [course.lab(lab)] if lab else course.labs()
        evidence = gather(course, names)
        if not evidence.labs:
            what = names[0] if lab else "any lab"
            console.print(
                f"The gradebook has no marks of {what} yet: run `autograder grade {lab or 'LAB'}`.",
                style="red", highlight=False, soft_wrap=True,
            )  # fmt: skip
            return NOTHING
        folder = to or course.path("reports")
        pages = Pages(
            evidence, _dimensions(course, evidence), f"Class report of {course.root.name}"
        )
        _write(folder, evidence, pages)
    except CourseError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return WRONG_USE
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        console.print(f"The gradebook cannot be used: {reason}", style="red", markup=False)
        return WRONG_USE
    _say(console, folder, evidence, pages)
    return DONE


def _dimensions(course: CourseFolder, evidence: ClassEvidence) -> dict[str, Dimension]:
    """Return the skills with their sentences; where the course has no list, with their names."""
    file = course.root / "content" / "skills.toml"
    if file.is_file():
        return dimensions(file)
    names = sorted({test.skill for lab in evidence.labs for test in lab.tests if test.skill})
    found: dict[str, dict[str, str]] = {}
    for name in names:
        key, _, skill = name.partition(".")
        found.setdefault(key, {})[skill] = f"{skill.capitalize()}."
    return {key: Dimension(name=key.upper(), skills=skills) for key, skills in found.items()}


def _write(folder: Path, evidence: ClassEvidence, pages: Pages) -> None:
    """Write every file whole; names of students who have left the gradebook go."""
    students = folder / "students"
    students.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "class.html", pages.of_class().encode(errors="replace"))
    for name, text in tables(evidence, pages).items():
        write_whole(folder / name, text.encode(errors="replace"))
    wanted = {file_name(student): student for student in evidence.students}
    for name, student in wanted.items():
        write_whole(students / name, pages.of_student(student).encode(errors="replace"))
    for file in students.glob("*.html"):
        if file.name not in wanted:
            file.unlink()


def _say(console: Console, folder: Path, evidence: ClassEvidence, pages: Pages) -> None:
    for skill in pages.figures:
        if skill.weak:
            console.print(
                f"Teach again: [bold]{escape(skill.name)}[/] ({escape(skill.sentence)}) "
                f"{skill.share:.0%} of its points; {skill.struggling} of {skill.of} students "
                "have less than half.",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
    console.print(
        f"{len(evidence.students)} students, {len(evidence.labs)} labs, "
        f"{len(pages.notices)} to look at.", highlight=False,
    )  # fmt: skip
    console.print(
        f"{folder / 'class.html'} is for you; students/ holds one page for each student, to be "
        "handed out as it is; marks, tasks, tests and skills lie beside them as CSV and JSON.",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
