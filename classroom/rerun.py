"""Makes it safe to run a notebook's cells again.

In FastAPI `@app.get("/x")` appends a route. A cell that is run again appends a second one, and
the first, old one still answers. With `install`, an app and its routers behave as if every cell
had been run once, in the state of its last run. The rules:

- It holds for every FastAPI app and APIRouter that has a name in the notebook: routes, included
  routers, mounts, front ends, middleware, exception handlers, start-up and shut-down handlers.
- When a cell begins, what its earlier run registered is taken away. What it registers now takes
  the old place, so the order is that in which cells first registered something.
- A run that raised keeps what it registered up to there. A cell with a syntax error did not run:
  what it registered before stays.
- Every cell may add middleware and exception handlers, also after the app has answered
  requests. FastAPI itself then refuses the one and ignores the other, because a program adds
  both before it starts; a notebook asks its app between two cells, and a check does so too.
- A cell that makes the app or router anew makes an empty one, as in plain Python: run the cells
  below it again. A cell that was deleted from the notebook keeps what it registered.
- What an app that comes from elsewhere brings along when it first gets a name in the notebook
  belongs to no cell.
- Where the front end names no cells (a terminal), a route registered from the prompt replaces
  one of the same path and methods that an earlier input registered; likewise the same mount,
  included router, middleware and handler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI

from classroom.cells import CellRun, Watch, watch
from classroom.registrations import Handlers, Lifespan, Slot, made_in_notebook, slots

if TYPE_CHECKING:
    from classroom.cell_list import CellList


_installed: dict[int, _Rerun] = {}


def install(shell: Any | None = None) -> None:
    """Watch the cells of `shell`, by default the one that runs; harmless when done before.

    Args:
        shell: An IPython `InteractiveShell`.

    Raises:
        RuntimeError: There is no IPython here.
    """
    found = watch(shell)
    if found is None:
        raise RuntimeError("Cells can be watched only inside IPython or a notebook.")
    rerun = _installed.setdefault(id(found), _Rerun(found))
    found.listen(start=rerun.begin, end=rerun.end)


@dataclass(frozen=True)
class _Stack:
    """The middleware that an app had built when a cell began, and what it was built from."""

    app: FastAPI
    built: Any
    middleware: list[Any]
    handlers: dict[Any, Any]

    def put_back_if_unchanged(self) -> None:
        """Keep the state of middleware, a limiter's counts say, where the cell changed none."""
        same = [id(item) for item in self.middleware] == [id(m) for m in self.app.user_middleware]
        if same and self.handlers == self.app.exception_handlers:
            self.app.middleware_stack = self.app.middleware_stack or self.built


class _Rerun:
    """What is done when a cell begins and when it ends."""

    def __init__(self, cells: Watch) -> None:
        self._cells = cells
        self._withdrawn: list[tuple[Slot, CellList[Any]]] = []
        self._stacks: list[_Stack] = []

    def begin(self, cell: CellRun) -> None:
        """Take away what the earlier run of `cell` registered."""
        apps, routers = self._registrars()
        versions = [(router, router._get_routes_version()) for router in routers]  # noqa: SLF001
        self._stacks = [_open_stack(app) for app in apps]
        self._withdrawn = []
        for app in apps:
            Handlers.of(app).withdraw(cell)
        for slot in slots(apps, routers):
            items = slot.follow()
            items.ledger.running = cell
            if items.ledger.knows(cell):
                self._withdrawn.append((slot, items))
                slot.put(items.without(cell))
        for router in routers:
            Lifespan.of(router).renew()
        self._spread_news(apps, versions)

    def end(self, cell: CellRun, result: Any) -> None:
        """Note what `cell` registered, or put back its earlier things if it never ran."""
        apps, routers = self._registrars()
        versions = [(router, router._get_routes_version()) for router in routers]  # noqa: SLF001
        if result.error_before_exec is not None:
            self._put_back(apps, cell)
        for app in apps:
            Handlers.of(app).note(cell)
        found = [(slot, slot.ledger is None, slot.made_by_a_cell) for slot in slots(apps, routers)]
        for slot, is_new, made_by_a_cell in found:
            items = slot.follow()
            items.ledger.running = None
            for item in items if is_new else ():
                if made_by_a_cell or made_in_notebook(item):
                    items.ledger.claim(item, cell)
        for router in routers:
            Lifespan.of(router).note()
        for stack in self._stacks:
            stack.put_back_if_unchanged()
        self._spread_news(apps, versions)
        self._withdrawn, self._stacks = [], []

    def _put_back(self, apps: list[FastAPI], cell: CellRun) -> None:
        for app in apps:
            Handlers.of(app).put_back(cell)
        for slot, items in self._withdrawn:
            slot.put(items)

    def _spread_news(self, apps: list[FastAPI], versions: list[tuple[APIRouter, int]]) -> None:
        """Let FastAPI renew what it derived from routes that were replaced."""
        if not self._withdrawn:
            return
        for router, before in versions:
            # The version adds up those of included routers, so taking one away lowers it.
            lost = before - router._get_routes_version()  # noqa: SLF001
            router._routes_version += max(lost, 0) + 1  # noqa: SLF001
        for app in apps:
            app.openapi_schema = None

    def _registrars(self) -> tuple[list[FastAPI], list[APIRouter]]:
        """Return every app and every router that has a name in the notebook."""
        named = {id(value): value for value in list(self._cells.shell.user_ns.values())}
        apps = [value for value in named.values() if isinstance(value, FastAPI)]
        routers = [value for value in named.values() if isinstance(value, APIRouter)]
        routers += [router for app in apps for router in (app.router, app.webhooks)]
        return apps, list({id(router): router for router in routers}.values())


def _open_stack(app: FastAPI) -> _Stack:
    """Let the app take middleware again, as before its first request."""
    stack = _Stack(
        app, app.middleware_stack, list(app.user_middleware), dict(app.exception_handlers)
    )
    app.middleware_stack = None
    return stack
