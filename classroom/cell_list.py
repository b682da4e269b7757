"""A list that knows which cell of the notebook added what.

It behaves as a list. What a cell adds in a further run takes the place of what it added before,
so that the order stays the order in which the cells were first run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, SupportsIndex, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from classroom.cells import CellRun

T = TypeVar("T")


class Ledger(Generic[T]):
    """Who added which item of one list.

    Args:
        newest_first: Whether the list grows at its front, as a list of middleware does.
        likeness: What an item is recognised by when the front end names no cells; items of
            equal likeness replace each other. None stands for "like no other".
    """

    def __init__(
        self, *, newest_first: bool = False, likeness: Callable[[T], Hashable] = lambda _: None
    ) -> None:
        self.newest_first = newest_first
        self.running: CellRun | None = None
        """The cell that is being run, if any: what is added now is its own."""
        self._likeness = likeness
        self._cells: list[str] = []  # in the order of their first item
        self._owners: dict[int, tuple[T, str]] = {}  # by identity: routes compare by content

    def knows(self, cell: CellRun) -> bool:
        """Whether an earlier run of `cell` ever added something."""
        return cell.key in self._cells

    def owner(self, item: T) -> str | None:
        """Return the key of the cell that added `item`, or None for what came otherwise."""
        found = self._owners.get(id(item))
        return found[1] if found else None

    def claim(self, item: T, cell: CellRun, *, after: str | None = None) -> None:
        """Note that `cell` added `item`; a new cell ranks last, or next to the cell `after`."""
        if cell.key not in self._cells:
            place = len(self._cells) if after is None else self._cells.index(after) + 1
            self._cells.insert(place, cell.key)
        self._owners[id(item)] = (item, cell.key)

    def release(self, item: T) -> None:
        """Forget `item`."""
        self._owners.pop(id(item), None)

    def place(self, items: list[T], cell: CellRun) -> int:
        """Return the index at which what `cell` adds belongs."""
        own = self._cells.index(cell.key) if cell.key in self._cells else len(self._cells)
        later = [index for index, item in enumerate(items) if self._rank(item) > own]
        if self.newest_first:
            return later[-1] + 1 if later else 0
        return later[0] if later else len(items)

    def forerunner(self, items: list[T], item: T, cell: CellRun) -> int | None:
        """Return the index of what an earlier, nameless run added in place of `item`, if any."""
        likeness = self._likeness(item)
        if cell.id is not None or likeness is None:
            return None
        for index, other in enumerate(items):
            if self.owner(other) not in (None, cell.key) and self._likeness(other) == likeness:
                return index
        return None

    def _rank(self, item: T) -> int:
        owner = self.owner(item)
        return -1 if owner is None else self._cells.index(owner)


class CellList(list[T]):
    """The list itself; `append` and `insert(0, ...)` put an item where its cell's items belong."""

    def __init__(self, items: Iterable[T], ledger: Ledger[T]) -> None:
        super().__init__(items)
        self.ledger = ledger

    def append(self, item: T) -> None:
        """Add an item of the running cell at the cell's place."""
        if self.ledger.running is None or self.ledger.newest_first:
            super().append(item)
        else:
            self._add(item, self.ledger.running)

    def insert(self, index: SupportsIndex, item: T) -> None:
        """Insert an item; at the front of a list that grows there, at the cell's place."""
        if self.ledger.running is None or not self.ledger.newest_first or int(index) != 0:
            super().insert(index, item)
        else:
            self._add(item, self.ledger.running)

    def without(self, cell: CellRun) -> CellList[T]:
        """Return a new list without what earlier runs of `cell` added."""
        kept = [item for item in self if self.ledger.owner(item) != cell.key]
        return CellList(kept, self.ledger)

    def _add(self, item: T, cell: CellRun) -> None:
        ledger = self.ledger
        index = ledger.forerunner(self, item, cell)
        if index is None:
            super().insert(ledger.place(self, cell), item)
            ledger.claim(item, cell)
            return
        old = self[index]
        ledger.claim(item, cell, after=ledger.owner(old))
        ledger.release(old)
        self[index] = item
