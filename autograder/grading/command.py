"""The command `autograder grade`: progress, a line of JSON per submission, a table for each lab."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
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
from autograder.grading.cache import write_whole
from autograder.grading.folder import CourseFolder, NothingToGradeError
from autograder.grading.grade import Options, open_grading
from autograder.grading.outcome import Graded, Status
from autograder.judge.pool import CannotGradeError
from autograder.judge.staff import Staff
from autograder.render.csv import harmless

INTERRUPTED = 130
"""The exit code of what was stopped by Ctrl+C, as shells know it."""
WIDE = 140
"""Columns of a table that goes into a file or a pipe."""
SMALL_CLASS = 60
"""Up to this size, every submission gets a line in the table at the end."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """How results are shown.

    Attributes:
        as_json: Print one line of JSON per submission instead of a table.
        csv: A file to write all marks into, task by task; none if None.
    """

    as_json: bool = False
    csv: Path | None = None


def run(
    start: Path,
    labs: Sequence[str],
    *,
    students: list[str],
    options: Options,
    output: Output,
    staff: Staff | None = None,
) -> int:
    """Grade labs, one after the other, and print what came of it.

    Args:
        start: A folder inside the course.
        labs: Any unique beginning of each lab's name; every lab that was handed in if empty.
        students: Only these; everybody who has handed in if empty.
        options: How to grade.
        output: How to show the results.
        staff: Workers that have started already, if any have.

    Returns:
        The exit code: 0 done, 1 some submissions need a person, 2 wrong use, 130 interrupted.
    """
    complaints = Console(stderr=True)
    seen = Seen(complaints, output)
    try:
        course = CourseFolder.find(start)
        classes = list(_classes(course, labs, students))
        if options.unsafe:
            complaints.print("[bold red]Without a sandbox: students' code may do as you may.")
        for name, wanted in classes:
            seen.show(open_grading(course, name, options, staff).grade(wanted), name, len(wanted))
    except (CourseError, CannotGradeError) as error:
        complaints.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        complaints.print(f"The gradebook cannot be used: {reason}", style="red", markup=False)
        return 2
    except KeyboardInterrupt:
        complaints.print(
            f"Interrupted: {seen.count} submissions are graded and kept. "
            "Give the same command again to go on.",
            style="red", highlight=False, soft_wrap=True,
        )  # fmt: skip
        return INTERRUPTED
    finally:
        seen.write_csv()
    return 1 if seen.for_a_person else 0


def _classes(
    course: CourseFolder, labs: Sequence[str], students: list[str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each lab with those whose work is to be graded.

    Raises:
        CourseError: A lab or a student who was named does not exist or has handed in nothing.
    """
    if labs:
        for name in dict.fromkeys(map(course.lab, labs)):
            yield name, course.students(name, students)
        return
    found = False
    for name in course.labs():
        with suppress(NothingToGradeError):  # of all labs, many may not be due yet
            wanted = course.students(name, [])
            if chosen := [one for one in wanted if not students or one in students]:
                found = True
                yield name, chosen
    if not found:
        who = f"{', '.join(students)} in any lab" if students else "any lab"
        raise NothingToGradeError(
            f"There are no submissions of {who}. Run `nbgrader collect LAB`, or put them into "
            f"{course.path(course.nbgrader.submitted_directory)}."
        )


class Seen:
    """Shows results as they come, and remembers what is shown at the end.

    Args:
        console: Where progress and complaints go.
        output: How results are shown.
    """

    def __init__(self, console: Console, output: Output) -> None:
        self._console = console
        self._output = output
        self._rows: list[Row] = []
        self.count = 0
        self.for_a_person = 0

    def show(self, results: Iterable[Graded], lab: str, total: int) -> None:
        """Show one lab's results as they come, and its table when all are there."""
        tally: Counter[Status] = Counter()
        shown: list[Row] = []
        with Progress(
            TextColumn(f"Grading {lab}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            disable=not self._console.is_terminal,
        ) as progress:
            task = progress.add_task("", total=total)
            for graded in results:
                tally[graded.status] += 1
                self.count += 1
                self.for_a_person += graded.status is Status.REVIEW
                progress.update(task, advance=1, description=escape(graded.student))
                row = Row.of(graded)
                if self._output.csv is not None:
                    self._rows.append(row)
                if self._output.as_json:
                    print(json.dumps(as_line(graded)), flush=True)
                elif total <= SMALL_CLASS or graded.status is Status.REVIEW:
                    shown.append(row)
        if not self._output.as_json:
            _print_table(lab, sorted(shown, key=lambda row: row.graded.student), tally)

    def write_csv(self) -> None:
        """Write all marks, task by task, if that was asked for."""
        if self._output.csv is None or not self._rows:
            return
        tasks = sorted({task for row in self._rows for task in row.tasks}, key=_in_order)
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(
            ["lab", "student", *tasks, "penalty", "score", "max_score", "status", "message"]
        )
        for row in self._rows:
            one = row.graded
            writer.writerow(
                [
                    one.lab, harmless(one.student), *(row.tasks.get(task, "") for task in tasks),
                    one.penalty, one.score, one.max_score, one.status, harmless(one.message),
                ]
            )  # fmt: skip
        write_whole(self._output.csv, text.getvalue().encode(errors="replace"))


@dataclass(frozen=True)
class Row:
    """A result without what takes memory: its mark, and the points of each task."""

    graded: Graded
    tasks: dict[str, float]

    @classmethod
    def of(cls, graded: Graded) -> Row:
        """Keep of a result what is shown."""
        return cls(
            replace(graded, checks=()), {check.task: check.points for check in graded.checks}
        )


def _in_order(task: str) -> tuple[int, str]:
    """Order `t2` before `t10`."""
    return len(task), task


def as_line(graded: Graded) -> dict[str, object]:
    """Return what `--json` says of one submission."""
    return {
        "student": graded.student,
        "lab": graded.lab,
        "score": graded.score,
        "penalty": graded.penalty,
        "max_score": graded.max_score,
        "status": graded.status,
        "sandbox": graded.sandbox,
        "altered": list(graded.altered),
        "seconds": graded.seconds,
        "message": graded.message,
        "seed": graded.seed,
    }


def _print_table(lab: str, rows: list[Row], tally: Counter[Status]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    if rows:
        tasks = sorted({task for row in rows for task in row.tasks}, key=_in_order)
        table = Table(title=f"Marks of {lab}", title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("student", overflow="fold")
        for name in (*tasks, "mark", "of"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("status", no_wrap=True)
        table.add_column("remarks", overflow="fold")
        for row in rows:
            graded = row.graded
            table.add_row(
                escape(graded.student),
                *(as_number(row.tasks[task]) if task in row.tasks else "" for task in tasks),
                as_number(graded.score),
                as_number(graded.max_score),
                f"[red]{graded.status}" if graded.status is Status.REVIEW else graded.status,
                escape("; ".join(_remarks(graded))),
            )
        console.print(table)
    counted = ", ".join(f"{tally[status]} {status}" for status in Status if tally[status])
    console.print(f"{sum(tally.values())} submissions of {lab}: {counted}.", highlight=False)


def _remarks(graded: Graded) -> Iterator[str]:
    if graded.penalty:
        yield f"{as_number(graded.penalty)} points taken away for lateness"
    if graded.message:
        yield graded.message
    if graded.altered:
        yield f"altered: {', '.join(graded.altered)}"
