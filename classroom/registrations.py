"""What can be registered with a FastAPI app or router, and where it keeps that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Self

from fastapi.routing import (
    APIRouter,
    _FrontendRoute,
    _IncludedRouter,
    _merge_lifespan_context,
)
from starlette.middleware import Middleware
from starlette.routing import Host, Mount, Route, WebSocketRoute

from classroom.cell_list import CellList, Ledger

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from fastapi import FastAPI

    from classroom.cells import CellRun

_NOTE = "_cells_of_"
"""Begins the private attributes in which an app or router keeps its notes."""


@dataclass(frozen=True)
class Slot:
    """An attribute that holds a list of registered things."""

    holder: Any
    name: str
    owner: Any = None
    """The router that made the holder when it was first needed, if one did."""

    @property
    def ledger(self) -> Ledger[Any] | None:
        """Who registered what, once the slot is followed."""
        ledger: Ledger[Any] | None = vars(self.holder).get(_NOTE + self.name)
        return ledger

    @property
    def made_by_a_cell(self) -> bool:
        """Whether the holder was made by a router that is followed, so by a cell."""
        return self.owner is not None and Slot(self.owner, "routes").ledger is not None

    def follow(self) -> CellList[Any]:
        """Return the list, which from now on knows its cells."""
        items = getattr(self.holder, self.name)
        ledger = self.ledger
        if ledger is None:
            ledger = Ledger(newest_first=self.name == "user_middleware", likeness=likeness)
            vars(self.holder)[_NOTE + self.name] = ledger
        if not isinstance(items, CellList):  # new, or the notebook's author assigned a list
            items = CellList(items, ledger)
            self.put(items)
        return items

    def put(self, items: CellList[Any]) -> None:
        """Make `items` the list; a request that walks the old one is not disturbed."""
        setattr(self.holder, self.name, items)


def slots(apps: list[FastAPI], routers: list[APIRouter]) -> Iterator[Slot]:
    """Yield where apps and routers keep lists of what was registered."""
    for app in apps:
        yield Slot(app, "user_middleware")
    for router in routers:
        yield Slot(router, "routes")
        yield Slot(router, "on_startup")
        yield Slot(router, "on_shutdown")
        front = router._frontend_routes  # noqa: SLF001 - FastAPI has no public way
        if front is not None:
            yield Slot(front, "routes", owner=router)


class Handlers:
    """The exception handlers of an app, by the cell that registered them."""

    def __init__(self, app: FastAPI) -> None:
        self._live = app.exception_handlers
        self._base = dict(self._live)
        self._seen = dict(self._live)
        self._by_cell: dict[str, dict[Any, Any]] = {}
        self._withdrawn: dict[Any, Any] = {}

    @classmethod
    def of(cls, app: FastAPI) -> Self:
        """Return the app's own record."""
        record: Self | None = vars(app).get(_NOTE + "exception_handlers")
        if record is None or record._live is not app.exception_handlers:  # noqa: SLF001
            record = vars(app)[_NOTE + "exception_handlers"] = cls(app)
        return record

    def knows(self, cell: CellRun) -> bool:
        """Whether an earlier run of `cell` registered a handler."""
        return cell.key in self._by_cell

    def withdraw(self, cell: CellRun) -> None:
        """Take the handlers of `cell` away; what they had replaced comes back."""
        self._withdrawn = self._by_cell.get(cell.key, {})
        if self._withdrawn:
            self._by_cell[cell.key] = {}
            self._apply()

    def put_back(self, cell: CellRun) -> None:
        """Undo `withdraw`."""
        if self._withdrawn:
            self._by_cell[cell.key] = self._withdrawn
            self._apply()

    def note(self, cell: CellRun) -> None:
        """Note what `cell` registered; of two cells the one that came first yields."""
        new = {kind: one for kind, one in self._live.items() if self._seen.get(kind) is not one}
        gone = self._seen.keys() - self._live.keys()
        for layer in (self._base, *self._by_cell.values()):
            for kind in gone & layer.keys():
                del layer[kind]
        if new:
            self._by_cell.setdefault(cell.key, {}).update(new)
        if new or gone:
            self._apply()

    def _apply(self) -> None:
        effective = reduce(dict.__or__, self._by_cell.values(), self._base)
        for kind in self._live.keys() - effective.keys():
            del self._live[kind]
        self._live.update(effective)
        self._seen = dict(effective)


class Lifespan:
    """The lifespan of a router, into which including another router merges that one's."""

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._base = self._seen = router.lifespan_context
        self._merged = self._included()
        self._in_base = list(self._merged)

    @classmethod
    def of(cls, router: APIRouter) -> Self:
        """Return the router's own record."""
        record: Self | None = vars(router).get(_NOTE + "lifespan")
        if record is None:
            record = vars(router)[_NOTE + "lifespan"] = cls(router)
        return record

    def renew(self) -> None:
        """Merge again after included routers were taken away."""
        included = self._included()
        if _same(included, self._merged):
            return
        outside = [one for one in included if all(one is not other for other in self._in_base)]
        self._router.lifespan_context = reduce(
            _merge_lifespan_context,
            [one.original_router.lifespan_context for one in outside],
            self._base,
        )
        self._merged, self._seen = included, self._router.lifespan_context

    def note(self) -> None:
        """Note what a cell merged, or that it assigned another lifespan."""
        included = self._included()
        if _same(included, self._merged) and self._seen is not self._router.lifespan_context:
            self._base, self._in_base = self._router.lifespan_context, included
        self._merged, self._seen = included, self._router.lifespan_context

    def _included(self) -> list[_IncludedRouter]:
        return [route for route in self._router.routes if isinstance(route, _IncludedRouter)]


def made_in_notebook(item: Any) -> bool:
    """Whether the code behind something registered was written in the notebook."""
    if isinstance(item, Middleware):
        code = item.kwargs.get("dispatch", item.cls)
    else:
        code = getattr(item, "endpoint", item)
    return getattr(code, "__module__", None) == "__main__"


def likeness(item: Any) -> Hashable:
    """Return what a thing is recognised by when it is registered anew; None for "by nothing"."""
    match item:
        case Route():
            return "route", item.path, frozenset(item.methods or ())
        case WebSocketRoute() | Mount() | _FrontendRoute():
            return type(item).__name__, item.path
        case Host():
            return "host", item.host
        case _IncludedRouter():
            return "router", item.include_context.prefix, _paths(item.original_router)
        case Middleware():
            dispatch = item.kwargs.get("dispatch")
            return "middleware", _name(item.cls), dispatch and _name(dispatch)
        case _:
            return "handler", _name(item)


def _paths(router: APIRouter) -> Hashable:
    """Return what a router made anew has in common with the old one; an empty one is itself."""
    return frozenset(map(likeness, router.routes)) or id(router)


def _name(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', id(thing))}"


def _same(ones: list[_IncludedRouter], others: list[_IncludedRouter]) -> bool:
    return [id(one) for one in ones] == [id(other) for other in others]
