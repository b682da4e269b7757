"""Pull request 4: several tickets with one request.

- `GET /several?id=1&id=3` returns the customer's own tickets with these numbers, at most fifty.
- `POST /several/{number}/looks` counts how often a ticket was looked at.

sqlite3 blocks, so the routes are plain functions.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, Any

from desk import User, connect
from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import Field

logger = logging.getLogger("agent_desk.several")
several = APIRouter()
Number = Annotated[int, Field(ge=1, le=10**12)]


def get_database() -> Iterator[sqlite3.Connection]:
    """Lend a connection to one request, and close it at the end."""
    with closing(connect()) as database:
        yield database


Database = Annotated[sqlite3.Connection, Depends(get_database)]


@several.get("/several")
def read_several(
    user: User,
    database: Database,
    id: Annotated[list[Number], Query(min_length=1, max_length=50)],
) -> list[dict[str, Any]]:
    marks = ", ".join("?" for _ in id)
    query = f"SELECT id, title, seen FROM tickets WHERE owner = ? AND id IN ({marks})"
    try:
        found = database.execute(query, [user, *id]).fetchall()
    except sqlite3.OperationalError as error:
        logger.exception("Reading %s tickets failed.", len(id))
        raise HTTPException(503, "Try again later.", {"Retry-After": "5"}) from error
    return [dict(row) for row in found]


@several.post("/several/{number}/looks")
def count_look(number: Number, user: User, database: Database) -> int:
    change = "UPDATE tickets SET seen = seen + 1 WHERE id = ? AND owner = ? RETURNING seen"
    found = database.execute(change, [number, user]).fetchall()
    if not found:
        raise HTTPException(404, "There is no such ticket.")
    return found[0]["seen"]
