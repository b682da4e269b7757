"""A rebuilt submission as the steps that are taken with it, in the order of the notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autograder.checks.cell import CheckCell

if TYPE_CHECKING:  # a worker does without nbformat, whose import takes a second
    from nbformat import NotebookNode

MAGIC = "%%check "


@dataclass(frozen=True)
class Step:
    """One code cell.

    Attributes:
        cell: Its id in the notebook.
        source: What the submission runs; empty for a check.
        check: What the judge runs, if it is a check.
    """

    cell: str
    source: str
    check: CheckCell | None = None


def checks_of(notebook: NotebookNode) -> dict[str, CheckCell]:
    """Return the check cells of a lab's own notebook, by nbgrader's names for them.

    Raises:
        BadCheckLine: The first line of one cannot be read.
    """
    found = {}
    for cell in notebook.cells:
        told = cell.metadata.get("nbgrader", {})
        if told.get("grade") and not told.get("solution") and cell.source.startswith(MAGIC):
            line, _, body = cell.source.partition("\n")
            found[told["grade_id"]] = CheckCell.parse(line.removeprefix(MAGIC), body)
    return found


def steps_of(notebook: NotebookNode, checks: Mapping[str, CheckCell]) -> tuple[Step, ...]:
    """Return the steps for a rebuilt submission.

    Args:
        notebook: The submission as `grading.sanitise.rebuild` made it.
        checks: The lab's check cells, hidden tests included; what stands in the notebook in
            their place is not looked at.
    """
    steps = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        check = checks.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        if check is not None:
            steps.append(Step(cell.id, "", check))
        elif cell.source.strip():
            steps.append(Step(cell.id, cell.source))
    return tuple(steps)


def without_checks(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return steps as a worker is sent them: the checks it knows already."""
    return tuple(replace(step, check=None) for step in steps)
