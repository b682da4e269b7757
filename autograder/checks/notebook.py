"""The `%%check` magic: checks in the student's own kernel."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.display import HTML

from autograder.checks import last_said
from autograder.checks.attempts import Attempts, is_grading, is_validating
from autograder.checks.cell import BadCheckLine, CheckCell
from autograder.checks.deadlines import (
    IN_A_NOTEBOOK,
    ON_A_BUSY_MACHINE,
    WHILE_GRADING,
    Deadlines,
)
from autograder.checks.hunger import ENOUGH, Hunger
from autograder.checks.job import Job
from autograder.checks.kernel import KernelSubject
from autograder.checks.progress import BadLabLine, Progress
from autograder.checks.records import CheckResult, Outcome, task_title
from autograder.checks.runner import run_in_thread
from autograder.checks.scoring import as_number
from autograder.checks.streams import captured
from autograder.checks.stubs import NoStub, stub_of
from autograder.checks.task_cells import COMM, TaskCells
from autograder.checks.waiting import WaitingLine
from autograder.profile import ProfileOutput, read_profile
from autograder.render.html import check_table
from autograder.render.markdown import check_markdown
from autograder.render.progress import progress_table
from classroom import caught
from classroom.cells import watch
from classroom.upstream import local_llm

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

RECORD_TYPE = "application/vnd.autograder.check+json"
"""Media type under which a check cell's output carries its record."""


NOT_SET_UP = (
    "The set-up cell has not run since the kernel was started. Run it first: it is the first code "
    "cell of this notebook. Then run your answers from the top, then this check again."
)

STILL_BUSY = (
    "This computer is busy with other programs, and a wait in this check may have been in vain "
    "for that reason. Run the check again when less is running."
)


def cells_of_tasks(shell: InteractiveShell) -> TaskCells:
    """Follow the cells of a notebook, and hear what its front end says that stands in them."""
    watched = watch(shell)
    assert watched is not None, "a shell can be watched"
    cells = TaskCells(watched)
    kernel = getattr(shell, "kernel", None)
    comms = getattr(kernel, "comm_manager", None)
    if comms is not None:
        comms.register_target(COMM, lambda _, message: cells.hear(_tasks(message)))
    return cells


def failures(result: CheckResult) -> str:
    """Say what went wrong in a check, a line for each."""
    lines = [text for text in (result.problem, result.cause) if text]
    lines = [f"{task_title(result.task)}: {result.score}", *lines]
    for test in result.tests:
        if test.outcome is Outcome.FAILED and test.message != result.problem:
            lines += [test.meaning, f"    {test.message}"]
    blocked = sum(test.outcome is Outcome.BLOCKED for test in result.tests)
    if blocked:
        lines.append(f"{blocked} more {'test was' if blocked == 1 else 'tests were'} not run.")
    lines.append("Run the check in the notebook: it shows what was sent, what came back, a hint.")
    return "\n".join(lines)


def say_to_validate(text: str) -> None:
    """Write to the kernel's stderr, which Validate shows as the error of a cell that failed."""
    stream: Any = sys.stderr
    name = getattr(stream, "name", "stderr")
    stream.flush()
    if type(stream).__module__.startswith("ipykernel"):
        stream.name = "stderr"
    print(text, file=stream, flush=True)
    if type(stream).__module__.startswith("ipykernel"):
        stream.name = name


def _tasks(message: Mapping[str, Any]) -> dict[str, list[str]]:
    """Read what the front end says, which may be anything."""
    tasks = message.get("content", {}).get("data", {}).get("tasks", {})
    if not isinstance(tasks, dict):
        return {}
    return {str(task): [*map(str, texts)] for task, texts in tasks.items() if texts}


class CheckOutput:
    """What a check cell returns: prints as its mark, shows itself as a table."""

    def __init__(self, result: CheckResult) -> None:
        self.result = result

    def __repr__(self) -> str:
        return as_number(self.result.points) if self.result.counts else self.result.score

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        # text/plain must read as a number: nbgrader takes it for the mark.
        return {
            "text/plain": repr(self),
            "text/html": check_table(self.result),
            "text/markdown": check_markdown(self.result),
            RECORD_TYPE: self.result.model_dump(mode="json"),
        }


@magics_class
class CheckMagics(Magics):
    """The magics and what they remember: results, which probes passed, failed attempts.

    Attributes:
        set_up: Whether the notebook's set-up cell has loaded them.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.set_up = False
        self._cells = cells_of_tasks(shell)
        caught.install(shell)
        self._probes: dict[tuple[str, str], bool] = {}
        self._attempts: dict[str, Attempts] = {}
        self._progress = Progress()

    @cell_magic
    def check(self, line: str, body: str) -> CheckOutput:
        """Run the tests below against the app in this notebook."""
        try:
            cell = CheckCell.parse(line, body)
        except BadCheckLine as error:
            raise UsageError(str(error)) from None
        assert self.shell is not None
        amiss = self._amiss(cell)
        attempts = self._attempts.setdefault(cell.lab, Attempts(cell.lab, Path.cwd()))
        namespace, blocked = self.shell.user_ns, amiss or self._blocked(cell)
        with captured() as written, WaitingLine() as waiting:

            def done(deadlines: Deadlines) -> Job:
                hunger = Hunger([os.getpid()])
                job = Job(
                    cell,
                    KernelSubject(namespace, cell.entry),
                    deadlines=deadlines,
                    upstream=local_llm,
                    blocked=blocked,
                    failed_before=attempts.failed,
                    take_printed=written.take,
                    starved=hunger.lately,
                    enough=ENOUGH if hunger.is_counted else math.inf,
                    notice=waiting.notice,
                )
                run_in_thread([cell], [job], meanwhile=waiting.show)
                return job

            job = done(WHILE_GRADING if is_grading() else IN_A_NOTEBOOK)
            if job.kept_waiting and not is_grading():
                waiting.notice("This computer is busy: the check runs again, with more time")
                job = done(ON_A_BUSY_MACHINE)
        assert job.result is not None
        result = self._explained(job.result, amiss)
        if job.kept_waiting and not result.all_pass:
            result = result.model_copy(update={"deadline": STILL_BUSY})
        self._remember(cell, result, attempts)
        if is_validating() and not result.all_pass:
            say_to_validate(failures(result))
        return CheckOutput(result)

    @line_magic
    def lab(self, line: str) -> None:
        """Name the lab's tasks and what they are worth; the setup cell does it."""
        try:
            self._progress.name_tasks(line)
        except BadLabLine as error:
            raise UsageError(str(error)) from None

    @line_magic
    def progress(self, line: str) -> HTML:
        """Show the lab's tasks, the marks so far and the skills."""
        del line
        stale = {task: self._stale(task) for task in self._progress.tasks}
        return HTML(progress_table(self._progress, {t: why for t, why in stale.items() if why}))

    @line_magic
    def profile(self, line: str) -> ProfileOutput:
        """Show the points of all labs by the four dimensions and their skills."""
        del line
        return ProfileOutput(read_profile(Path.cwd()))

    @line_magic
    def stub(self, line: str) -> None:
        """Put a task's stub back into this cell: `%stub t1`."""
        assert self.shell is not None
        try:
            self.shell.set_next_input(
                stub_of(line.strip(), Path.cwd(), self.shell.user_ns), replace=True
            )
        except NoStub as error:
            raise UsageError(str(error)) from None

    def _amiss(self, cell: CheckCell) -> str:
        """Say why a verdict would be about code that is not what stands in the notebook."""
        if is_grading():
            return ""
        if not self.set_up:
            return NOT_SET_UP
        needed = self._cells.fault(cell.needs) if cell.needs else ""
        return self._cells.fault(cell.task) or needed

    def _stale(self, task: str) -> str:
        """Say why what a task's check said last is no longer true, if so."""
        if is_grading():
            return ""
        checked = task in self._progress.results
        if checked and self._progress.runs[task] != self._cells.mark(task):
            return "Its cell has run again since it was checked. Run its check."
        return self._cells.fault(task) if checked else ""

    def _explained(self, result: CheckResult, amiss: str) -> CheckResult:
        """Add what is known to have gone wrong before any test."""
        if amiss:
            return result.model_copy(update={"problem": amiss})
        if result.all_pass:
            return result
        no_route = any(
            test.sent_and_got and (test.sent_and_got[-1].response or "").startswith(("404", "405"))
            for test in result.tests
        )
        anew = self._cells.app_is_newer(result.task) if no_route else ""
        return result.model_copy(update={"cause": anew or self._cells.failure_above()})

    def _blocked(self, cell: CheckCell) -> str:
        """Say which task has to be done first, if its probe is known to have failed."""
        if cell.needs and self._probes.get((cell.lab, cell.needs)) is False:
            return f"First finish {task_title(cell.needs)}: this one builds on it."
        return ""

    def _remember(self, cell: CheckCell, result: CheckResult, attempts: Attempts) -> None:
        begun = bool(result.tests) and result.tests[0].outcome is Outcome.PASSED
        self._probes[cell.lab, cell.task] = begun
        if cell.points:
            self._progress.note(result, self._cells.mark(cell.task))
        if not is_grading():
            attempts.note(result)
            last_said.note(result, Path.cwd())
