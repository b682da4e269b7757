"""`autograder demo`: a whole class, from the release to the table of marks.

Everything happens in a throw-away folder that afterwards is an ordinary nbgrader course.
"""

from __future__ import annotations

import csv
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.checks.scoring import as_number
from autograder.corpus import BadSubmission, Submission, read_corpus
from autograder.course import Course, CourseError, CourseNotFoundError, Lab
from autograder.grading.folder import CourseFolder
from autograder.grading.grade import Options, open_grading
from autograder.grading.outcome import Graded, Status
from autograder.grading.stock import CONFIG, StockCourse
from autograder.judge.pool import CannotGradeError

FIRST_LAB = "lab01"
SMALL_CLASS = 24
"""About how many students there are unless told."""
DONE, FAILED, WRONG_USE = 0, 1, 2


@dataclass(frozen=True)
class Row:
    """What one student of the demonstration got, beside what the corpus says."""

    submission: Submission
    graded: Graded

    @property
    def as_stated(self) -> bool:
        """Whether the mark is the one that the corpus states."""
        return math.isclose(self.graded.score, self.submission.points, abs_tol=0.005)


def run(start: Path, *, students: int | None, keep: bool, console: Console) -> int:
    """Grade a class from the corpus and print its marks.

    Args:
        start: A folder inside the course.
        students: Size of the class, which hands in the corpus from its first submission on; a
            small class with submissions of every kind unless told.
        keep: Leave the folder in place afterwards.
        console: Where to print.

    Returns:
        The exit code: 0 when every mark is the one that the corpus states, 1 when one is not or
        the course lacks something, 2 outside a course.
    """
    try:
        course = Course.find(start)
        return _run(course, course.lab(FIRST_LAB), students, keep=keep, console=console)
    except CourseNotFoundError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except (CourseError, BadSubmission) as error:
        print(error, file=sys.stderr)
        return FAILED


def _run(course: Course, lab: Lab, students: int | None, *, keep: bool, console: Console) -> int:
    with _folder(keep=keep) as folder:
        _set_up(course, lab, folder)
        graded_in = StockCourse(folder)
        console.print(f"Releasing [bold]{lab.name}[/] in {folder}")
        graded_in.release(lab.name)
        handed_in = _hand_in(course, lab, folder, students)
        rows = _grade(graded_in, lab, handed_in, console)
        _write_marks(folder, rows)
        console.print(_table(lab, rows))
        for row in rows:
            if note := _note(row.graded):
                console.print(f"{row.graded.student}: {note}", highlight=False)
        wrong = [row for row in rows if not row.as_stated]
        _say_what_came_of_it(console, folder, rows, wrong, keep=keep)
    return FAILED if wrong else DONE


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="autograder-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _set_up(course: Course, lab: Lab, folder: Path) -> None:
    for name in ("solutions", "labs"):
        if not (course.root / name / lab.name).is_dir():
            raise CourseError(f"{course.root} has no {name}/{lab.name}: run `autograder build`.")
    shutil.copyfile(course.root / CONFIG, folder / CONFIG)
    shutil.copytree(course.root / "solutions" / lab.name, folder / "solutions" / lab.name)


def _hand_in(course: Course, lab: Lab, folder: Path, students: int | None) -> dict[str, Submission]:
    """Put the class's submissions where `nbgrader collect` would."""
    corpus = read_corpus(course, lab)
    if students is None:
        corpus = some_of_each_kind(corpus)
    handed_in: dict[str, Submission] = {}
    for number, submission in enumerate(islice(cycle(corpus), students or len(corpus))):
        turn = number // len(corpus)
        student = submission.name if turn == 0 else f"{submission.name}-{turn + 1}"
        submission.write(folder / "submitted" / student / lab.name, course, lab)
        handed_in[student] = submission
    return handed_in


def some_of_each_kind(corpus: list[Submission]) -> list[Submission]:
    """Return about as many submissions as a small class has, every kind among them."""
    step = max(1, len(corpus) // SMALL_CLASS)
    kinds = dict.fromkeys(submission.kind for submission in corpus)
    return [one for kind in kinds for one in [s for s in corpus if s.kind == kind][::step]]


def _grade(
    graded_in: StockCourse, lab: Lab, handed_in: dict[str, Submission], console: Console
) -> list[Row]:
    rows: list[Row] = []
    with Progress(
        TextColumn("Grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
    ) as progress:
        task = progress.add_task("", total=len(handed_in))
        for graded in _graded(graded_in, lab, list(handed_in), console):
            progress.update(task, description=graded.student)
            rows.append(Row(handed_in[graded.student], graded))
            progress.advance(task)
        progress.update(task, description="writing feedback")
        for student in handed_in:
            graded_in.write_feedback(lab.name, student)
        progress.update(task, description="")
    order = list(handed_in)
    return sorted(rows, key=lambda row: order.index(row.graded.student))


def _graded(
    graded_in: StockCourse, lab: Lab, students: list[str], console: Console
) -> Iterator[Graded]:
    """Grade in the sandbox, as `autograder grade` does; where there is none, as nbgrader does."""
    options = Options(jobs=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    try:
        yield from open_grading(CourseFolder(graded_in.folder), lab.name, options).grade(students)
    except CannotGradeError as error:
        console.print(f"{error} So nbgrader itself grades, in kernels.", highlight=False)
        yield from graded_in.grade(lab.name, students)


def _table(lab: Lab, rows: list[Row]) -> Table:
    table = Table(
        title=f"Marks of {lab.name}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("student", overflow="fold")
    tasks = [check.task for check in rows[0].graded.checks]
    for name in (*tasks, "mark", "stated"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        marks = {check.task: as_number(check.points) for check in row.graded.checks}
        table.add_row(
            row.graded.student,
            *(marks.get(task, "0") for task in tasks),
            as_number(row.graded.score),
            as_number(row.submission.points),
            style="" if row.as_stated else "bold red",
        )
    return table


def _note(graded: Graded) -> str:
    notes = [f"review: {graded.message}"] if graded.status is Status.REVIEW else []
    if graded.altered:
        notes.append(f"altered: {', '.join(graded.altered)}")
    return "; ".join(notes)


def _write_marks(folder: Path, rows: list[Row]) -> None:
    with (folder / "marks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "score", "max_score", "status", "message"])
        for row in rows:
            graded = row.graded
            writer.writerow(
                [graded.student, graded.score, graded.max_score, graded.status, graded.message]
            )


def _say_what_came_of_it(
    console: Console, folder: Path, rows: list[Row], wrong: list[Row], *, keep: bool
) -> None:
    seconds = sum(row.graded.seconds for row in rows)
    console.print(f"{len(rows)} submissions graded in {seconds:.0f} s; ", end="")
    if wrong:
        names = ", ".join(row.graded.student for row in wrong)
        console.print(f"[bold red]{len(wrong)} marks differ from what the corpus states: {names}")
    else:
        console.print("every mark is the one that the corpus states.")
    if keep:
        here = os.path.relpath(folder)
        console.print(
            f"The class is in {folder} (marks.csv, feedback/, gradebook.db). "
            f"Look at it with: cd {here if len(here) < len(str(folder)) else folder} "
            f"&& {_jupyter()} lab, then Nbgrader > Formgrader in the menu."
        )
    else:
        console.print("The folder is removed; `autograder demo --keep` leaves it to look at.")


def _jupyter() -> str:
    """Return how this environment's jupyter is called in the user's shell."""
    return "jupyter" if shutil.which("jupyter") else str(Path(sys.executable).parent / "jupyter")
