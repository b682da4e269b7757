"""The command `autograder grade`: progress, one line of JSON per submission, a table at the end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from autograder.checks.scoring import as_number
from autograder.course import CourseError
from autograder.grading.folder import CourseFolder
from autograder.grading.grade import Options, open_grading
from autograder.grading.outcome import Graded, Status
from autograder.judge.pool import CannotGradeError
from autograder.judge.staff import Staff

SMALL_CLASS = 60
"""Up to this size, every submission gets a line in the table at the end."""


def run(
    start: Path,
    lab: str,
    *,
    students: list[str],
    options: Options,
    as_json: bool,
    staff: Staff | None = None,
) -> int:
    """Grade a lab and print what came of it.

    Args:
        start: A folder inside the course.
        lab: Any unique beginning of the lab's name.
        students: Only these; everybody who has handed in if empty.
        options: How to grade.
        as_json: Print one line of JSON per submission instead of a table.
        staff: Workers that have started already, if any have.

    Returns:
        The exit code: 0 done, 1 some submissions need a person, 2 wrong use.
    """
    complaints = Console(stderr=True)
    try:
        course = CourseFolder.find(start)
        name = course.lab(lab)
        wanted = course.students(name, students)
        if options.unsafe:
            complaints.print("[bold red]Without a sandbox: students' code may do as you may.")
        results = open_grading(course, name, options, staff).grade(wanted)
        tally = _shown(results, name, len(wanted), complaints, as_json=as_json)
    except (CourseError, CannotGradeError) as error:
        complaints.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        complaints.print(f"The gradebook cannot be used: {reason}", style="red", markup=False)
        return 2
    return 1 if tally[Status.REVIEW] else 0


def _shown(
    results: Iterable[Graded], lab: str, total: int, console: Console, *, as_json: bool
) -> Counter[Status]:
    """Print results as they come, and return how many there are of each status."""
    tally: Counter[Status] = Counter()
    kept: list[Graded] = []
    with Progress(
        TextColumn(f"Grading {lab}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=total)
        for graded in results:
            tally[graded.status] += 1
            progress.update(task, advance=1, description=escape(graded.student))
            if as_json:
                print(json.dumps(as_line(graded)), flush=True)
            elif total <= SMALL_CLASS or graded.status is Status.REVIEW:
                kept.append(_without_records(graded))
    if not as_json:
        _print_table(lab, sorted(kept, key=lambda graded: graded.student), tally)
    return tally


def as_line(graded: Graded) -> dict[str, object]:
    """Return what `--json` says of one submission."""
    return {
        "student": graded.student,
        "lab": graded.lab,
        "score": graded.score,
        "max_score": graded.max_score,
        "status": graded.status,
        "sandbox": graded.sandbox,
        "altered": list(graded.altered),
        "seconds": graded.seconds,
        "message": graded.message,
        "seed": graded.seed,
    }


def _without_records(graded: Graded) -> Graded:
    """Forget what takes memory and is not shown."""
    return Graded(
        student=graded.student,
        score=graded.score,
        max_score=graded.max_score,
        status=graded.status,
        altered=graded.altered,
        message=graded.message,
        seconds=graded.seconds,
    )


def _print_table(lab: str, kept: list[Graded], tally: Counter[Status]) -> None:
    console = Console()
    if kept:
        table = Table(title=f"Marks of {lab}", title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("student", overflow="fold")
        table.add_column("mark", justify="right", no_wrap=True)
        table.add_column("of", justify="right", no_wrap=True)
        table.add_column("status", no_wrap=True)
        table.add_column("remarks", overflow="fold")
        for graded in kept:
            table.add_row(
                escape(graded.student),
                as_number(graded.score),
                as_number(graded.max_score),
                f"[red]{graded.status}" if graded.status is Status.REVIEW else graded.status,
                escape("; ".join(_remarks(graded))),
            )
        console.print(table)
    counted = ", ".join(f"{tally[status]} {status}" for status in Status if tally[status])
    console.print(f"{sum(tally.values())} submissions of {lab}: {counted}.", highlight=False)


def _remarks(graded: Graded) -> Iterator[str]:
    if graded.message:
        yield graded.message
    if graded.altered:
        yield f"altered: {', '.join(graded.altered)}"
