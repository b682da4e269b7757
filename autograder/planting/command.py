"""`autograder plant lab07`: a copy of one's own lab with one fault in it.

The copy lies in `planted/` beside the notebook, with the lab's other files. The notebook itself is
only read. A fault is kept if the lab's own visible tests notice it and if, where there is such a
fault, other tests of the task still pass: a program that does not start is not worth a search.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console

from autograder import self_check
from autograder.checks.cell import BadCheckLine, CheckCell
from autograder.checks.notebook_file import task_of
from autograder.checks.records import CheckResult, Outcome
from autograder.planting.faults import Fault, faults_in
from autograder.self_check import NotALab

FOLDER = "planted"
TRIES = 15
"""Faults that are tried, at most."""
_CHECK = "%%check "

Checking = Callable[[Path], list[CheckResult]]
"""Runs a notebook, and returns what its checks say."""


class CannotPlantError(ValueError):
    """No fault can be planted; the message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A fault that was planted.

    Attributes:
        path: The notebook with the fault.
        task: The task in whose cell it is.
        fault: The fault; what the student is to find.
    """

    path: Path
    task: str
    fault: Fault


def run(path: Path, *, seed: int, again: bool, console: Console) -> int:
    """Plant a fault and say in which task.

    Args:
        path: The student's notebook; it is not changed.
        seed: Decides which fault; the same seed plants the same one.
        again: Whether a copy that is there already is replaced.
        console: Where to print.

    Returns:
        The exit code: 0.

    Raises:
        NotALab: It is no lab.
        CannotPlantError: No fault can be planted.
    """
    with console.status("Your own checks run, a minute or two ..."):
        planted = plant(path, seed=seed, again=again, checking=_checked)
    for line in (
        f"There is a fault in task {planted.task} of {planted.path}.",
        "Everything else there is as you wrote it, and your own notebook was not touched.",
        "Open it, run its cells, and repair it without looking into your own; then run",
        f"    autograder check {planted.path}",
        f"`--seed {seed}` plants this fault again.",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return 0


def plant(path: Path, *, seed: int, again: bool, checking: Checking) -> Planted:
    """Write a copy of a lab with one fault in it.

    Raises:
        NotALab: It is no lab.
        CannotPlantError: No fault can be planted.
    """
    folder = path.resolve().parent
    if folder.name == FOLDER:
        raise CannotPlantError(f"{path} has a fault already. Name a lab, such as lab07.")
    target = folder / FOLDER
    if target.exists() and not again:
        raise CannotPlantError(f"{target} is there already. Give --again to replace it.")
    notebook = _read(path)
    chance = random.Random(seed)  # noqa: S311 - a game, and replayed by its seed
    with tempfile.TemporaryDirectory(prefix="autograder-plant-") as scratch:
        copy = Path(scratch) / folder.name / path.name
        _copy_beside(folder, copy.parent)
        nbformat.write(notebook, copy)
        whole = [result.task for result in checking(copy) if result.all_pass]
        found = _chosen(notebook, copy, whole=whole, chance=chance, checking=checking)
    number, fault = found
    task = task_of(notebook.cells[number])
    shutil.rmtree(target, ignore_errors=True)
    _copy_beside(folder, target)
    nbformat.write(_with(notebook, number, fault), target / path.name)
    return Planted(path=target / path.name, task=task, fault=fault)


def _chosen(
    notebook: NotebookNode,
    copy: Path,
    *,
    whole: list[str],
    chance: random.Random,
    checking: Checking,
) -> tuple[int, Fault]:
    """Return the first fault that the checks notice, and the number of its cell.

    Raises:
        CannotPlantError: There is none.
    """
    if not whole:
        raise CannotPlantError(
            "No task of this lab passes all its visible tests yet. Answer one first: a fault is "
            "planted in what works."
        )
    candidates = [*_candidates(notebook, whole)]
    chance.shuffle(candidates)
    loud: list[tuple[int, Fault]] = []
    for number, fault in islice(candidates, TRIES):
        task = task_of(notebook.cells[number])
        nbformat.write(_only(_with(notebook, number, fault), task), copy)
        outcomes = {
            test.outcome
            for result in checking(copy)
            if result.task == task
            for test in result.tests
        }
        if Outcome.FAILED in outcomes and Outcome.PASSED in outcomes:
            return number, fault
        if Outcome.FAILED in outcomes:
            loud.append((number, fault))
    if loud:
        return loud[0]
    raise CannotPlantError(
        "The visible tests notice none of the faults that were tried. Give another --seed."
    )


def _candidates(notebook: NotebookNode, whole: list[str]) -> Iterator[tuple[int, Fault]]:
    """Yield each fault that can be planted in the cell of a task that works."""
    for number, cell in enumerate(notebook.cells):
        given = cell.metadata.get("autograder", {}).get("stub")
        if cell.cell_type == "code" and given is not None and task_of(cell) in whole:
            for fault in faults_in(cell.source, given=given):
                yield number, fault


def _with(notebook: NotebookNode, number: int, fault: Fault) -> NotebookNode:
    """Return a copy of a notebook, without outputs, with another text in one cell."""
    copy: NotebookNode = nbformat.from_dict(notebook)
    copy.cells = [nbformat.from_dict(cell) for cell in notebook.cells]
    copy.cells[number].source = fault.text
    return copy


def _only(notebook: NotebookNode, task: str) -> NotebookNode:
    """Return a notebook without the checks that this task does not need."""
    checks = {}
    for cell in notebook.cells:
        if cell.source.startswith(_CHECK):
            line, _, body = cell.source.partition("\n")
            try:
                check = CheckCell.parse(line.removeprefix(_CHECK), body)
            except BadCheckLine:
                continue
            checks[check.task] = (cell, check)
    needed = task
    kept = []
    while needed in checks:
        cell, check = checks.pop(needed)
        kept.append(cell)
        needed = check.needs
    notebook.cells = [
        cell
        for cell in notebook.cells
        if not cell.source.startswith(_CHECK) or any(cell is one for one in kept)
    ]
    return notebook


def _read(path: Path) -> NotebookNode:
    """Return a notebook without its outputs.

    Raises:
        NotALab: It cannot be read.
    """
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise NotALab(f"{path} cannot be read as a notebook: {error}") from None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _copy_beside(folder: Path, target: Path) -> None:
    """Copy what lies beside a notebook, except other notebooks and hidden files."""
    leave = shutil.ignore_patterns(".*", "__pycache__", "*.ipynb", FOLDER)
    shutil.copytree(folder, target, ignore=leave)


def _checked(path: Path) -> list[CheckResult]:
    results, _ = self_check.checked(path)
    return results
