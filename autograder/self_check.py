"""`autograder check PATH.ipynb`: a student's own check from a terminal."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from rich.console import Console

from autograder.checks.notebook import RECORD_TYPE
from autograder.checks.records import CheckResult
from autograder.checks.scoring import as_number
from autograder.course import is_handed_in
from autograder.render.terminal import print_check

CELL_SECONDS = 30
"""How long one cell may run."""


class NotALab(ValueError):
    """The file is no notebook, or has no check cells; the message says which."""


def run(path: Path, *, console: Console, as_json: bool) -> int:
    """Run a lab's notebook from top to bottom and print what its checks say.

    Args:
        path: The notebook; it is not changed.
        console: Where to print.
        as_json: Print one JSON record per check instead of tables.

    Returns:
        The exit code: 0 when every check gives its full points, else 1.

    Raises:
        NotALab: There is nothing to check.
    """
    results = checked(path)
    for result in results:
        if as_json:
            print(result.model_dump_json())
        else:
            print_check(result, console)
    if not as_json and any(result.counts for result in results):
        points = sum(result.points for result in results)
        most = sum(result.max_points for result in results)
        console.print(f"Together: {as_number(points)} of {as_number(most)} points")
    return 0 if all(result.all_pass for result in results) else 1


def checked(path: Path) -> list[CheckResult]:
    """Return what the checks of a notebook say, run in a kernel of its own in its folder.

    Raises:
        NotALab: There is nothing to check.
    """
    if is_handed_in(path):
        raise NotALab(
            f"{path} was handed in, and this command runs a notebook with all your own rights. "
            "Use `autograder grade LAB --student ID`, which runs it in a sandbox."
        )
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise NotALab(f"{path} is no notebook that can be read: {error}") from None
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        interrupt_on_timeout=True,
        allow_errors=True,
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    try:
        client.execute()
    except DeadKernelError:
        raise NotALab(f"A cell of {path} ended the kernel, so nothing could be checked.") from None
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    records = [output.get("data", {}).get(RECORD_TYPE) for output in outputs]
    found = [CheckResult.model_validate(record) for record in records if record]
    if not found:
        raise NotALab(f"{path} has no check cell that ran. Is it a lab of this course?")
    return found
