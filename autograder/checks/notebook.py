"""The `%%check` magic: checks in the student's own kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.display import HTML

from autograder.checks.attempts import Attempts, is_grading
from autograder.checks.cell import BadCheckLine, CheckCell
from autograder.checks.deadlines import IN_A_NOTEBOOK, WHILE_GRADING
from autograder.checks.job import Job
from autograder.checks.kernel import KernelSubject
from autograder.checks.progress import BadLabLine, Progress
from autograder.checks.records import CheckResult, Outcome, task_title
from autograder.checks.runner import run_in_thread
from autograder.checks.scoring import as_number
from autograder.checks.streams import captured
from autograder.checks.stubs import NoStub, stub_of
from autograder.checks.waiting import WaitingLine
from autograder.render.html import check_table
from autograder.render.markdown import check_markdown
from autograder.render.progress import progress_table
from classroom.upstream import local_llm

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

RECORD_TYPE = "application/vnd.autograder.check+json"
"""Media type under which a check cell's output carries its record."""


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
    """The magics and what they remember: results, which probes passed, failed attempts."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
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
        attempts = self._attempts.setdefault(cell.lab, Attempts(cell.lab, Path.cwd()))
        with captured() as written, WaitingLine() as waiting:
            job = Job(
                cell,
                KernelSubject(self.shell.user_ns, cell.entry),
                deadlines=WHILE_GRADING if is_grading() else IN_A_NOTEBOOK,
                upstream=local_llm,
                blocked=self._blocked(cell),
                attempt=attempts.failed(cell.task),
                take_printed=written.take,
                notice=waiting.notice,
            )
            run_in_thread([cell], [job], meanwhile=waiting.show)
        result = job.result
        assert result is not None
        self._remember(cell, result, attempts)
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
        return HTML(progress_table(self._progress))

    @line_magic
    def stub(self, line: str) -> None:
        """Put a task's stub back into this cell: `%stub t1`."""
        assert self.shell is not None
        try:
            self.shell.set_next_input(stub_of(line.strip(), Path.cwd()), replace=True)
        except NoStub as error:
            raise UsageError(str(error)) from None

    def _blocked(self, cell: CheckCell) -> str:
        """Say which task has to be done first, if its probe is known to have failed."""
        if cell.needs and self._probes.get((cell.lab, cell.needs)) is False:
            return f"First finish {task_title(cell.needs)}: this one builds on it."
        return ""

    def _remember(self, cell: CheckCell, result: CheckResult, attempts: Attempts) -> None:
        begun = bool(result.tests) and result.tests[0].outcome is Outcome.PASSED
        self._probes[cell.lab, cell.task] = begun
        if cell.points:
            self._progress.note(result)
        if not is_grading():
            attempts.note(cell.task, passed=result.all_pass)
