"""Lets Validate say what a check found, in place of the check's whole source."""

from __future__ import annotations

import os

from nbformat import NotebookNode
from nbgrader import utils  # type: ignore[import-untyped]  # it ships no types

from autograder.checks.cell import BadCheckLine, CheckCell
from autograder.checks.records import task_title

MAGIC = "%%check "


def shorten(*, cell: NotebookNode, cell_index: int) -> None:
    """Take a check's source away once it is on its way to the kernel.

    Validate works on a copy, which it throws away, and prints the source of what fails; the check
    itself says what failed. A check cell that the student has changed is left as it is, so that
    Validate says that it was changed.

    Args:
        cell: The cell that was sent to the kernel.
        cell_index: Its place.
    """
    del cell_index
    if not (os.environ.get("NBGRADER_VALIDATING") and cell.source.startswith(MAGIC)):
        return
    checksum = cell.metadata.get("nbgrader", {}).get("checksum")
    if checksum is not None and checksum != utils.compute_checksum(cell):
        return
    line, _, body = cell.source.partition("\n")
    try:
        check = CheckCell.parse(line.removeprefix(MAGIC), body)
    except BadCheckLine:
        return
    cell.source = f"The check of {task_title(check.task)}"
    if checksum is not None:
        cell.metadata.nbgrader["checksum"] = utils.compute_checksum(cell)
