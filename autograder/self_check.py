"""`autograder check lab01`: a student's own check from a terminal, hidden tests included."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import psutil  # type: ignore[import-untyped]
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_core.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from rich.console import Console

from autograder.checks.deadlines import CELL_PROCESSOR_SECONDS, CELL_SECONDS
from autograder.checks.hunger import Hunger
from autograder.checks.notebook import RECORD_TYPE
from autograder.checks.notebook_file import cells_of, source_of
from autograder.checks.records import CheckResult
from autograder.checks.scoring import as_number
from autograder.course import is_handed_in
from autograder.profile import profile_text, read_profile
from autograder.render.terminal import print_check

_LOOK_EVERY = 0.25
_PATIENCE = 5.0
"""Seconds that a cell has to end after it was interrupted; then the kernel is ended."""


class NotALab(ValueError):
    """The file is no notebook, or has no check cells; the message says which."""


def find(lab: str, start: Path) -> Path:
    """Return the notebook that is meant by a path or by a lab's name.

    Args:
        lab: A notebook, or the beginning of a lab's name, such as `lab01`.
        start: The folder where the command was given.

    Raises:
        NotALab: There is none, or more than one.
    """
    if lab.endswith(".ipynb") or Path(lab).is_file():
        return Path(lab)
    start = start.resolve()
    for folder in (start, *start.parents):
        labs = {file.stem: file for file in sorted((folder / "labs").glob("lab*/lab*.ipynb"))}
        if not labs:
            continue
        found = [name for name in labs if name == lab] or [
            name for name in labs if name.startswith(lab)
        ]
        if len(found) == 1:
            return labs[found[0]]
        which = "More than one lab begins" if found else "No lab begins"
        raise NotALab(f'{which} with "{lab}". The labs are: {", ".join(found or labs)}.')
    raise NotALab(
        f'There is no folder `labs` here in which to look for "{lab}". Go into the folder of the '
        "course, or give the path of the notebook."
    )


def run(path: Path, *, console: Console, as_json: bool) -> int:
    """Run a lab's notebook from top to bottom and print what its checks say.

    Where the repository's solutions are there, the hidden tests are run too.

    Args:
        path: The notebook; it is not changed.
        console: Where to print.
        as_json: Print one JSON record per check instead of tables.

    Returns:
        The exit code: 0 when every check gives its full points, else 1.

    Raises:
        NotALab: There is nothing to check.
    """
    results, stopped = checked(path)
    show(results, console=console, as_json=as_json)
    if not as_json and _shows_profile(path):
        text = f"\n{profile_text(read_profile(path.resolve().parent))}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    complaints = Console(stderr=True) if as_json else console
    for line in stopped:
        complaints.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
    return 0 if not stopped and all(result.all_pass for result in results) else 1


def _shows_profile(path: Path) -> bool:
    """Tell whether a notebook ends with the student's profile, as the capstone does."""
    return any(source_of(cell).strip() == "%profile" for cell in cells_of(path))


def show(results: Sequence[CheckResult], *, console: Console, as_json: bool) -> None:
    """Print what checks say, and the points together."""
    for result in results:
        if as_json:
            print(result.model_dump_json())
        else:
            print_check(result, console)
    if not as_json and any(result.counts for result in results):
        points = sum(result.points for result in results)
        most = sum(result.max_points for result in results)
        console.print(f"Together: {as_number(points)} of {as_number(most)} points")
        console.print(_which_tests(results), style="dim")


def _which_tests(results: Sequence[CheckResult]) -> str:
    hidden = sum(test.hidden for result in results for test in result.tests)
    if hidden:
        return f"{hidden} of these tests are hidden ones; they count when the lab is marked too."
    return "These are the visible tests. Hidden tests follow when your work is marked."


def _whole_checks(path: Path) -> dict[str, str]:
    """Return the check cells of the lab's solution, hidden tests included, by nbgrader's names."""
    folder = path.resolve().parent
    for root in (folder, *folder.parents):
        for file in sorted((root / "solutions").glob(f"{folder.name}/{folder.name}.ipynb")):
            cells = (cell for cell in cells_of(file) if source_of(cell).startswith("%%check "))
            return {
                cell["metadata"]["nbgrader"]["grade_id"]: source_of(cell)
                for cell in cells
                if "nbgrader" in cell.get("metadata", {})
            }
    return {}


def checked(path: Path) -> tuple[list[CheckResult], list[str]]:
    """Run a notebook in a kernel of its own in its folder, with the grader's limits.

    Returns:
        What its checks say, and a line for each cell that was stopped as the grader would.

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
        raise NotALab(f"{path} cannot be read as a notebook: {error}") from None
    whole = _whole_checks(path)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if cell.source.startswith("%%check ") and name in whole:
            cell.source = whole[name]
    client = _Client(
        notebook,
        timeout=None,
        allow_errors=True,
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    try:
        client.execute()
    except NoSuchKernel as error:
        raise NotALab(
            f"{path} asks for a kernel that is not installed here ({error.name}). Choose "
            '"Python 3" under Kernel > Change Kernel, save, and try again.'
        ) from None
    except DeadKernelError:
        why = " ".join(client.stopped) or f"A cell of {path} ended the kernel."
        raise NotALab(f"{why} So nothing could be checked.") from None
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    records = [output.get("data", {}).get(RECORD_TYPE) for output in outputs]
    found = [CheckResult.model_validate(record) for record in records if record]
    if not found:
        raise NotALab(f"{path} has no check cell that ran. Is it a lab of this course?")
    return found, client.stopped


def _kept_waiting(hunger: Hunger) -> float:
    """Return how long a busy machine has kept a kernel waiting; 0 where nobody counts it."""
    return hunger.seconds if hunger.is_counted else 0.0


class _Client(NotebookClient):
    """Runs a notebook, and stops a cell where the grader would stop it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.stopped: list[str] = []
        """A line for each cell that was stopped."""

    async def async_execute_cell(self, cell: Any, *arguments: Any, **options: Any) -> Any:
        """Run one cell, with somebody who looks at the clock."""
        watch = asyncio.create_task(self._watch(cell))
        try:
            return await super().async_execute_cell(cell, *arguments, **options)
        finally:
            watch.cancel()

    async def _watch(self, cell: Any) -> None:
        """Interrupt a cell that takes more time than it may when graded."""
        if cell.source.startswith("%%check"):
            return  # its tests have deadlines of their own
        begun, before = time.monotonic(), self._processor_seconds()
        hunger = Hunger(self._kernel)
        why = ""
        while not why:
            await asyncio.sleep(_LOOK_EVERY)
            if self._processor_seconds() - before > CELL_PROCESSOR_SECONDS:
                why = f"{CELL_PROCESSOR_SECONDS:g} s of processor time"
            elif time.monotonic() - begun > CELL_SECONDS + _kept_waiting(hunger):
                why = f"{CELL_SECONDS:g} s"
        name = cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", "")
        self.stopped.append(
            f"Cell {name} had no end after {why} and was stopped. "
            "It is stopped there when it is graded, too, and counts as if it had failed."
        )
        kernel: Any = self.km
        await ensure_async(kernel.interrupt_kernel())
        await asyncio.sleep(_PATIENCE)
        await ensure_async(kernel.shutdown_kernel(now=True))

    def _processor_seconds(self) -> float:
        """Return the processor's time that the kernel has taken, and what it has waited for."""
        try:
            return float(sum(sum(psutil.Process(pid).cpu_times()[:4]) for pid in self._kernel))
        except psutil.Error:
            return 0.0

    @property
    def _kernel(self) -> tuple[int, ...]:
        """The kernel's process, if it has one."""
        kernel: Any = self.km
        pid: int | None = getattr(kernel.provisioner, "pid", None)
        return () if pid is None else (pid,)
