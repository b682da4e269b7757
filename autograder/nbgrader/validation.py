"""Lets Validate say what a check found, in place of the check's whole source."""

from __future__ import annotations

import os
from collections.abc import Iterator

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils  # type: ignore[import-untyped]  # it ships no types

from autograder.checks.output import RECORD_TYPE
from autograder.checks.records import CheckResult, Outcome, task_title


def shorten(*, cell: NotebookNode, cell_index: int) -> None:
    """Shorten a check cell that has run; nbgrader calls it for each cell that it runs.

    Validate works on a copy, which it throws away. A check cell that the student has changed is
    left as it is, so that Validate says that it was changed.

    Args:
        cell: The cell, with its outputs.
        cell_index: Its place.
    """
    del cell_index
    if not os.environ.get("NBGRADER_VALIDATING"):
        return
    found = [one.get("data", {}).get(RECORD_TYPE) for one in cell.get("outputs", [])]
    record = next((one for one in found if one), None)
    checksum = cell.metadata.get("nbgrader", {}).get("checksum")
    changed = checksum is not None and checksum != utils.compute_checksum(cell)
    if record is None or changed:
        return
    result = CheckResult.model_validate(record)
    cell.source = f"{task_title(result.task)}: {result.score}"
    if checksum is not None:
        cell.metadata.nbgrader["checksum"] = utils.compute_checksum(cell)
    if not result.all_pass:
        text = "\n".join(_failures(result))
        cell.outputs.append(new_output("error", ename="Check", evalue=text, traceback=[text]))


def _failures(result: CheckResult) -> Iterator[str]:
    """Yield what went wrong, each in a line."""
    said = [text for text in (result.problem, result.cause) if text]
    yield from said
    for test in result.tests:
        if test.outcome is Outcome.FAILED and test.message not in said:
            yield test.meaning
            yield f"    {test.message}"
    blocked = sum(test.outcome is Outcome.BLOCKED for test in result.tests)
    if blocked:
        yield f"{blocked} more {'test was' if blocked == 1 else 'tests were'} not run."
    yield "Run the check in the notebook to see what was sent, what came back, and a hint."
