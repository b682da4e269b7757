"""Whether a task's cell, as it stands in the notebook, is what the kernel ran last.

A definition outlives its cell: after an answer was broken and run (red), or edited and not run,
the last good version still answers. What is known here comes from three places: the kernel's own
events say which cell ran and how that ended, the front end says what stands in the cells now
(`autograder/jupyterlab/`), and where it does not, the notebook's file does. Where none of them is
sure, nothing is said and the tests run.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.checks.notebook_file import cells_of, own_file, source_of, task_of
from autograder.checks.records import task_title
from classroom.sole_error import sole_error

if TYPE_CHECKING:
    from classroom.cells import CellRun, Watch

COMM = "autograder.cells"
"""Name of the channel on which JupyterLab says what stands in the task cells."""
MAX_LINE = 120
_AGAIN = "then run this check again."


@dataclass
class Run:
    """One execution of a cell.

    Attributes:
        cell: Which cell, and its place among all runs.
        task: The task that the cell answers, if the front end said so.
        text: What ran.
        error: What it raised, in a line; empty if nothing, None while it has not ended.
        begun: Whether any of it was executed.
        saved: What the notebook's file was then, as the file system counts.
    """

    cell: CellRun
    task: str
    text: str
    error: str | None = None
    begun: bool = True
    saved: object = None

    @property
    def failed(self) -> bool:
        """Whether it raised, or was broken off."""
        return self.error != ""


@dataclass
class _Texts:
    """What stands in the task cells of the notebook.

    Attributes:
        tasks: The texts of each task's cells.
        after: The number of the last run before this was said.
    """

    tasks: dict[str, list[str]] = field(default_factory=dict)
    after: int = 0


class TaskCells:
    """Follows the cells of a notebook.

    Args:
        watch: The events of its kernel.
        entry: Name of the app, which is followed too.
    """

    def __init__(self, watch: Watch, entry: str = "app") -> None:
        self._watch = watch
        self._entry = entry
        self._runs: list[Run] = []
        self._told: _Texts | None = None
        self._names: dict[str, str] = {}
        self._app: object = None
        self._app_anew: Run | None = None
        watch.listen(start=self._start, end=self._end)

    # What happens

    def _start(self, cell: CellRun) -> None:
        metadata = _parent_metadata(self._watch.shell)
        told = metadata.get("nbgrader")
        named = told.get("grade_id") if isinstance(told, dict) and told.get("solution") else None
        self._runs.append(Run(cell, str(named or cell.id or ""), text=""))

    def _end(self, cell: CellRun, result: Any) -> None:
        if not self._runs or self._runs[-1].cell.run != cell.run:
            self._start(cell)
        run = self._runs[-1]
        run.text = result.info.raw_cell
        before, error = result.error_before_exec, result.error_in_exec
        run.begun = before is None
        run.error = "" if (before or error) is None else described(before or error)
        run.saved = _saved(own_file(self._watch.shell.user_ns))
        app = self._watch.shell.user_ns.get(self._entry)
        if app is not self._app:
            self._app, self._app_anew = app, None if self._app is None else run

    def hear(self, tasks: Mapping[str, list[str]]) -> None:
        """Take what the front end says that stands in the task cells now."""
        last = self._runs[-1].cell.run if self._runs else 0
        self._told = _Texts({task: list(texts) for task, texts in tasks.items()}, last)

    # What is known

    def last_run(self, task: str) -> Run | None:
        """Return the latest run of a task's cell, if one is known."""
        own = [run for run in self._finished() if task in (run.task, self._names.get(run.cell.key))]
        return own[-1] if own else None

    def fault(self, task: str) -> str:
        """Say why the task's cell is not what ran last; empty if it is, or nobody knows."""
        if not self._front_end_names_cells():
            return ""
        texts = self._texts(task)
        run = self.last_run(task)
        title = f"The cell of {task_title(task)}"
        if run is None:
            return self._never_ran(title, texts)
        now = texts[0] if len(texts) == 1 else None
        changed = now is not None and not _same(now, run.text)
        if changed and now is not None and not now.strip():
            return (
                f"{title} is empty, but what it defined before is still in the kernel's memory. "
                "Write an answer, or choose Kernel, Restart Kernel and Run up to Selected Cell."
            )
        if run.failed:
            edited = "It has been changed since. " if changed else ""
            mend = "Run it again" if changed else "Mend it, run it"
            return f"{self._failure(title, run)} {edited}{mend}, {_AGAIN}"
        if changed:
            return f"{title} has been changed since it last ran. Run it, {_AGAIN}"
        return ""

    def failure_above(self) -> str:
        """Say which cell failed last, where the front end does not name cells."""
        if self._front_end_names_cells():
            return ""
        done = self._finished()
        for run in reversed(done):
            if run.text.startswith("%%check"):
                break
            if run.failed:
                return self._failure("A cell above", run)
        return ""

    def app_is_newer(self, task: str) -> str:
        """Say that the app was made anew after the task's cell last ran, if it was."""
        run, made = self.last_run(task), self._app_anew
        if run is None or made is None or self._app is None or made.cell.run < run.cell.run:
            return ""
        first = next(iter(made.text.strip().splitlines()), "")[:MAX_LINE]
        who = (
            "the set-up cell"
            if made.text.lstrip().startswith("%load_ext")
            else f"the cell that begins with `{first}`"
        )
        return (
            f"`{self._entry}` was made anew after the cell of {task_title(task)} had run: "
            f"{who} ran again, and the new `{self._entry}` is empty. "
            f"Run the cells of your answers again, from the top, {_AGAIN}"
        )

    def mark(self, task: str) -> int:
        """Return a number that changes when the task's cell runs again."""
        run = self.last_run(task)
        return run.cell.run if run else 0

    # How it is found out

    def _finished(self) -> list[Run]:
        """Return the runs before the one that goes on now."""
        current = self._watch.current.run
        return [run for run in self._runs if run.cell.run != current]

    def _front_end_names_cells(self) -> bool:
        return self._watch.current.id is not None

    def _never_ran(self, title: str, texts: list[str]) -> str:
        if len(texts) != 1 or not texts[0].strip():
            return ""
        if any(_same(texts[0], str(earlier)) for earlier in self._inputs()):
            return ""  # before the set-up cell had loaded this
        return f"{title} has not been run since the kernel started. Run it, {_AGAIN}"

    def _inputs(self) -> list[Any]:
        found = self._watch.shell.user_ns.get("In", [])
        return list(found) if isinstance(found, list) else []

    def _failure(self, title: str, run: Run) -> str:
        if run.error is None:
            return f"{title} was interrupted before its end when it last ran."
        if not run.begun:
            return f"{title} cannot run: {run.error}. What answers now is an earlier version of it."
        return f"{title} stopped half-way when it last ran: {run.error}."

    def _texts(self, task: str) -> list[str]:
        """Return what stands in the cells of a task; nothing if that is not known."""
        run = self.last_run(task)
        if self._told is not None:
            stale = run is not None and run.cell.run > self._told.after
            texts = self._told.tasks.get(task, [])
            return [] if stale and run and not any(_same(t, run.text) for t in texts) else texts
        file = own_file(self._watch.shell.user_ns)
        if file is None:
            return []
        cells = [cell for cell in cells_of(file) if cell.get("cell_type") == "code"]
        self._learn_names(cells)
        texts = [source_of(cell) for cell in cells if task_of(cell) == task]
        run = self.last_run(task)
        if run is None:
            ids = {cell.get("id") for cell in cells}
            known = self._watch.current.id in ids
            return texts if known else []
        # A file that was not saved since the run may be older than what ran.
        return [] if _saved(file) == run.saved else texts

    def _learn_names(self, cells: list[dict[str, Any]]) -> None:
        """Find out which task a cell answers where the front end has ids of its own."""
        texts: dict[str, str] = {}
        for cell in cells:
            if cell.get("metadata", {}).get("nbgrader", {}).get("solution"):
                stub = cell["metadata"].get("autograder", {}).get("stub", "")
                for text in (source_of(cell), stub):
                    texts[text.strip()] = "" if text.strip() in texts else task_of(cell)
        for run in self._runs:
            task = texts.get(run.text.strip())
            if task and run.cell.id is not None:
                self._names[run.cell.key] = task


def described(error: BaseException) -> str:
    """Say in a line what a cell raised and where in the cell."""
    error = sole_error(error)
    if isinstance(error, SyntaxError):
        line = (error.text or "").strip()[:MAX_LINE]
        where = f" (line {error.lineno}: `{line}`)" if error.lineno and line else ""
        return f"`{type(error).__name__}: {error.msg}`{where}"
    what = "".join(traceback.format_exception_only(error)).strip().splitlines()[0][:300]
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "ipykernel_" in frame.filename or frame.filename.startswith("<ipython-input")
    ]
    where = f" (line {own[-1].lineno}: `{(own[-1].line or '')[:MAX_LINE]}`)" if own else ""
    return f"`{what}`{where}"


def _same(text: str, other: str) -> bool:
    """Whether two texts of a cell are the same, but for empty lines and spaces at their ends."""
    return text.strip() == other.strip()


def _saved(file: Path | None) -> object:
    if file is None:
        return None
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def _parent_metadata(shell: Any) -> dict[str, Any]:
    parent = shell.get_parent() if hasattr(shell, "get_parent") else None
    metadata = (parent or {}).get("metadata", {})
    return metadata if isinstance(metadata, dict) else {}
