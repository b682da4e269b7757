"""What stands already: the store of Kestrel's repairs, version 1 of their API, and a warehouse.

Partners use version 1 every day. Read this file, and leave it as it is.
"""

import asyncio
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

Row = dict[str, Any]


class Store:
    """Keeps the repairs of all customers, as version 1 shows them."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._last = 0

    def add(self, customer: str, bike: str, price: str) -> Row:
        """Keep a new, open repair, and return it with its id; `price` is like "49.90 EUR"."""
        self._last += 1
        row = {"id": self._last, "customer": customer, "bike": bike, "price": price}
        self._rows[self._last] = row | {"state": "open"}
        return self._rows[self._last].copy()

    def get(self, number: int) -> Row | None:
        """Return a repair, or None."""
        row = self._rows.get(number)
        return row.copy() if row else None

    def all(self) -> list[Row]:
        """Return all repairs, the smallest id first."""
        return [row.copy() for row in self._rows.values()]

    def change(self, number: int, state: str) -> Row:
        """Set the state of a repair, and return it."""
        self._rows[number]["state"] = state
        return self._rows[number].copy()

    def remove(self, number: int) -> None:
        """Forget a repair."""
        self._rows.pop(number, None)

    def go_on_from(self, number: int) -> None:
        """Give no id below this one any more."""
        self._last = max(self._last, number - 1)


store = Store()
v1 = APIRouter(prefix="/v1", tags=["repairs, version 1"])


class NewRepairV1(BaseModel):
    """What a partner sends."""

    customer: str = Field(min_length=1, max_length=80)
    bike: str = Field(min_length=1, max_length=80)
    price: str = Field(pattern=r"^[0-9]{1,5}\.[0-9]{2} (EUR|CHF)$", examples=["49.90 EUR"])


class RepairV1(NewRepairV1):
    """What a partner gets."""

    id: int
    state: str


@v1.get("/repairs")
async def list_repairs(customer: str | None = None) -> list[RepairV1]:
    """Return all repairs, or those of one customer."""
    rows = [row for row in store.all() if customer in (None, row["customer"])]
    return [RepairV1(**row) for row in rows]


@v1.post("/repairs", status_code=201)
async def create_repair(new: NewRepairV1) -> RepairV1:
    """Take a repair."""
    return RepairV1(**store.add(new.customer, new.bike, new.price))


@v1.get("/repairs/{number}")
async def read_repair(number: int) -> RepairV1:
    """Return one repair."""
    row = store.get(number)
    if row is None:
        raise HTTPException(404, f"There is no repair {number}.")
    return RepairV1(**row)


@v1.delete("/repairs/{number}", status_code=204)
async def delete_repair(number: int) -> None:
    """Forget a repair."""
    store.remove(number)


class Warehouse:
    """The database of spare parts, which is sometimes away."""

    url = "postgresql://desk:saddle-4711@10.0.0.7/parts"

    def __init__(self) -> None:
        self.error: str | None = None
        self.kind: type[Exception] = ConnectionError
        self.silent = False
        self.late = 0.0
        self.pings = 0

    async def ping(self) -> None:
        """Return if the warehouse is there; raise an error, or never return, if it is not."""
        self.pings += 1
        if self.silent:
            await asyncio.Event().wait()
        if self.late:
            await asyncio.sleep(self.late)
        if self.error is not None:
            raise self.kind(f"{self.url} does not answer: {self.error}")


warehouse = Warehouse()

# ruff: noqa: INP001 - it lies beside a notebook
