"""The `%%check` magic: checks in the student's own kernel."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class

from autograder.checks.attempts import Attempts, is_grading
from autograder.checks.cell import BadCheckLine, CheckCell
from autograder.checks.deadlines import IN_A_NOTEBOOK, WHILE_GRADING
from autograder.checks.records import CheckResult, Outcome
from autograder.checks.runner import Job, run_in_thread
from autograder.checks.scoring import as_number
from autograder.checks.streams import captured
from autograder.checks.subject import Endpoint, NotServed
from autograder.render.html import check_table
from classroom.serving import BackgroundServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.interactiveshell import InteractiveShell

RECORD_TYPE = "application/vnd.autograder.check+json"
"""Media type under which a check cell's output carries its record."""


class KernelSubject:
    """The app in the student's kernel, served on a loopback port."""

    def __init__(self, namespace: Mapping[str, Any], entry: str) -> None:
        self._namespace = namespace
        self._entry = entry
        self._server: BackgroundServer | None = None

    def open(self) -> Endpoint:
        """Serve the app under the entry's name as it is now.

        Raises:
            NotServed: There is none, or it failed to start.
        """
        app = self._find()
        server = BackgroundServer(app)
        try:
            server.start()
        except Exception as error:  # noqa: BLE001 - whatever the student's code raises
            raise NotServed(f"Your app failed to start. {student_error(error)}") from None
        self._server = server
        return Endpoint(server.url)

    def take_errors(self) -> list[str]:
        """Return what the app raised while it answered."""
        if self._server is None:
            return []
        return [student_error(error) for error in self._server.take_errors()]

    def close(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.stop()

    def _find(self) -> Any:
        found = self._namespace.get(self._entry)
        if found is None:
            raise NotServed(
                f"There is no `{self._entry}` in this notebook yet. "
                "Run the cells above, from the top, then this one again."
            )
        if self._entry != "app":
            try:
                found = found()
            except Exception as error:  # noqa: BLE001 - as above
                raise NotServed(f"`{self._entry}()` failed. {student_error(error)}") from None
        if not callable(found):
            raise NotServed(
                f"`app` should be a FastAPI app, but it is a {type(found).__name__}. "
                "Does a later cell use the name for something else?"
            )
        return found


def student_error(error: BaseException) -> str:
    """Say in a line what was raised, with the last line of the student's own that led there."""
    what = "".join(traceback.format_exception_only(error)).strip()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "ipykernel_" in frame.filename or frame.filename.startswith("<ipython-input"):
            return f"{what} — in `{frame.name}`, line {frame.lineno}: {frame.line}"
    return what


class CheckOutput:
    """What a check cell returns: prints as its mark, shows itself as a table."""

    def __init__(self, result: CheckResult) -> None:
        self.result = result

    def __repr__(self) -> str:
        return as_number(self.result.points)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        # text/plain must read as a number: nbgrader takes it for the mark.
        return {
            "text/plain": repr(self),
            "text/html": check_table(self.result),
            RECORD_TYPE: self.result.model_dump(mode="json"),
        }


@magics_class
class CheckMagics(Magics):
    """The magic and what it remembers: which probes passed, how often a task failed."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._probes: dict[tuple[str, str], bool] = {}
        self._attempts: dict[str, Attempts] = {}

    @cell_magic
    def check(self, line: str, body: str) -> CheckOutput:
        """Run the tests below against the app in this notebook."""
        try:
            cell = CheckCell.parse(line, body)
        except BadCheckLine as error:
            raise UsageError(str(error)) from None
        assert self.shell is not None
        attempts = self._attempts.setdefault(cell.lab, Attempts(cell.lab, Path.cwd()))
        with captured() as written:
            job = Job(
                cell,
                KernelSubject(self.shell.user_ns, cell.entry),
                deadlines=WHILE_GRADING if is_grading() else IN_A_NOTEBOOK,
                blocked=self._blocked(cell),
                attempt=attempts.failed(cell.task),
                take_printed=written.take,
            )
            run_in_thread([cell], [job])
        result = job.result
        assert result is not None
        self._remember(cell, result, attempts)
        return CheckOutput(result)

    def _blocked(self, cell: CheckCell) -> str:
        """Say which task has to be done first, if its probe is known to have failed."""
        if cell.needs and self._probes.get((cell.lab, cell.needs)) is False:
            return f"Finish task {cell.needs} first: this task builds on it."
        return ""

    def _remember(self, cell: CheckCell, result: CheckResult, attempts: Attempts) -> None:
        begun = bool(result.tests) and result.tests[0].outcome is Outcome.PASSED
        self._probes[cell.lab, cell.task] = begun
        if not is_grading():
            attempts.note(cell.task, passed=result.points == result.max_points)
