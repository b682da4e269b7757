"""`autograder check --as-graded`: the real engine, sandbox and all, on one notebook."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console

from autograder.checks.cell import BadCheckLine, CheckCell
from autograder.course import CourseError
from autograder.grading import beside
from autograder.grading.folder import CourseFolder
from autograder.grading.lab import read_lab
from autograder.grading.sanitise import Unreadable, read_submission, rebuild
from autograder.judge.grants import BadGrantsError, Grants, grants_of
from autograder.judge.judged import Judged
from autograder.judge.messages import Answer, SetUp, Task
from autograder.judge.pool import CannotGradeError, Pool
from autograder.judge.steps import checks_of, steps_of, without_checks
from autograder.sandbox.report import held_here
from autograder.self_check import NotALab, show


@dataclass(frozen=True, kw_only=True)
class _Lab:
    """What a notebook is judged by.

    Attributes:
        notebook: The notebook, rebuilt from the release if there is one.
        checks: The check cells, by nbgrader's names for them.
        grants: What the lab grants.
        data: The lab's own files.
        secrets: What no submission may read.
        complete: Whether the hidden tests are among the checks.
        altered: What was altered that is not part of an answer.
    """

    notebook: NotebookNode
    checks: dict[str, CheckCell]
    grants: Grants
    data: dict[str, Path]
    secrets: tuple[str, ...] = ()
    complete: bool = False
    altered: tuple[str, ...] = ()


def run(path: Path, *, console: Console, as_json: bool) -> int:
    """Judge a notebook as `autograder grade` would, and print what came of it.

    Args:
        path: The notebook; it is not changed, and neither is any gradebook.
        console: Where to print.
        as_json: Print one JSON record per check instead of tables.

    Returns:
        The exit code: 0 when every check gives its full points, else 1.

    Raises:
        NotALab: There is nothing to check, or nothing can be graded here.
    """
    try:
        lab = _lab_of(path)
        judged = _judged(path, lab)
    except (Unreadable, CourseError, BadCheckLine, BadGrantsError, CannotGradeError) as error:
        raise NotALab(f"{path}: {error}") from None
    results = list(judged.checks.values())
    show(results, console=console, as_json=as_json)
    complaints = Console(stderr=True) if as_json else console
    for line in _remarks(judged, lab):
        complaints.print(line, markup=False, highlight=False, soft_wrap=True)
    return 0 if results and all(result.all_pass for result in results) else 1


def _lab_of(path: Path) -> _Lab:
    """Return what a notebook is judged by: the course's lab, or else its own visible tests."""
    data = read_submission(path)
    try:
        course = CourseFolder.find(path.resolve().parent)
        graded = read_lab(course, course.lab(path.stem))
    except CourseError:
        try:
            own: NotebookNode = nbformat.reads(data.decode("utf-8", "replace"), as_version=4)
        except (ValueError, nbformat.ValidationError):
            raise Unreadable("It is no notebook that can be read.") from None
        return _Lab(notebook=own, checks=checks_of(own), grants=grants_of(own.metadata), data={})
    rebuilt = rebuild(data, graded.release)
    return _Lab(
        notebook=rebuilt.notebook,
        checks=graded.checks,
        grants=graded.grants,
        data=graded.data,
        secrets=tuple(map(str, course.secrets)),
        complete=True,
        altered=rebuilt.altered,
    )


def _judged(path: Path, lab: _Lab) -> Judged:
    steps = steps_of(lab.notebook, lab.checks)
    checks = {step.cell: step.check for step in steps if step.check is not None}
    if not checks:
        raise Unreadable("It has no check cell. Is it a lab of this course?")
    files = beside.handed_on(path.resolve().parent) | lab.data
    task = Task(
        name="own",
        steps=without_checks(steps),
        seed=secrets.randbits(32),
        files={name: str(file) for name, file in files.items()},
    )
    set_up = SetUp(checks=checks, grants=lab.grants, secrets=lab.secrets, layers=held_here())
    answers: list[Answer] = []
    with Pool(set_up, jobs=1) as pool:
        pool.give(task)
        while not answers:
            answers += pool.answers()
    if answers[0].judged is None:
        raise CannotGradeError(answers[0].problem)
    return answers[0].judged


def _remarks(judged: Judged, lab: _Lab) -> list[str]:
    lines = []
    for cell, ran in judged.cells.items():
        if ran.loss is not None:
            lines.append(ran.loss.message)
        elif ran.raised is not None:
            lines.append(f"Cell {cell} ended with {ran.raised}")
    if judged.reason:
        lines.append(f"A person will look at this submission: {judged.reason}")
    if lab.altered:
        lines.append(f"Altered, and graded as if it were not: {', '.join(lab.altered)}.")
    tests = "visible and hidden tests" if lab.complete else "the visible tests"
    lines.append(f"Judged as it would be graded, by {tests}; sandbox: {judged.sandbox}.")
    return lines
