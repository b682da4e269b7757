"""Which cell of the notebook is running.

Front ends name a cell by an id that survives edits and moves. Where they send none (a terminal,
some editors), a cell is known by its run only.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_runs = itertools.count(1)


@dataclass(frozen=True)
class CellRun:
    """One execution of one cell."""

    id: str | None
    """The front end's id of the cell, or None where it sends none."""
    run: int = field(default_factory=lambda: next(_runs))
    """Differs between any two executions."""

    @property
    def key(self) -> str:
        """What the cell is known by: its id, or else this very run."""
        return self.id if self.id is not None else f"run {self.run}"

    def repeats(self, earlier: CellRun) -> bool:
        """Whether this is another run of the cell that `earlier` ran."""
        return self.id is not None and self.id == earlier.id and self.run != earlier.run


class Watch:
    """Follows the cells of an IPython shell through its events.

    Code that a cell runs by `run_cell` belongs to that cell.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        # The cell that makes this watch began before it.
        self.current = CellRun(_cell_of_parent_message(shell))
        """The cell that runs, or the latest one that ran."""
        self._open: list[Any] = []
        self._on_start: list[Callable[[CellRun], None]] = []
        self._on_end: list[Callable[[CellRun, Any], None]] = []
        shell.events.register("pre_run_cell", self._start)
        shell.events.register("post_run_cell", self._end)

    def listen(
        self,
        *,
        start: Callable[[CellRun], None] | None = None,
        end: Callable[[CellRun, Any], None] | None = None,
    ) -> None:
        """Call `start(cell)` when a cell begins, `end(cell, result)` when it has ended.

        A function that listens already is not added again.
        """
        if start is not None and start not in self._on_start:
            self._on_start.append(start)
        if end is not None and end not in self._on_end:
            self._on_end.append(end)

    def _start(self, info: Any) -> None:
        if info.store_history:  # a cell of the notebook itself: an interrupted one never ended
            self._open.clear()
        self._open.append(info)
        if len(self._open) > 1:
            return
        self.current = CellRun(info.cell_id)
        for listener in self._on_start:
            listener(self.current)

    def _end(self, result: Any) -> None:
        inner = [info for info in self._open[1:] if info is result.info]
        if inner:
            self._open.remove(inner[0])
            return
        self._open.clear()
        for listener in self._on_end:
            listener(self.current, result)


_watches: dict[int, Watch] = {}


def watch(shell: Any | None = None) -> Watch | None:
    """Return the watch on `shell` (IPython's own by default), or None outside IPython."""
    if shell is None:
        shell = running_shell()
    if shell is None:
        return None
    if id(shell) not in _watches or _watches[id(shell)].shell is not shell:
        _watches[id(shell)] = Watch(shell)
    return _watches[id(shell)]


def running_shell() -> Any | None:
    """Return the IPython shell of this process, or None; never imports IPython by itself."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _cell_of_parent_message(shell: Any) -> str | None:
    parent = shell.get_parent() if hasattr(shell, "get_parent") else None
    cell: str | None = (parent or {}).get("metadata", {}).get("cellId")
    return cell
