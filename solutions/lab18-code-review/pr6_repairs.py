"""Pull request 6: a page asks only for the columns that it shows.

`GET /repairs?fields=bike,state` returns these columns of the customer's own repairs. The owner and
the limit are bound as parameters, so that nothing of a client becomes a part of the SQL.
"""

from collections.abc import Iterator
from contextlib import closing
from sqlite3 import Connection
from typing import Annotated, Any

from desk import User, connect
from fastapi import APIRouter, Depends, Query

repairs = APIRouter()


def get_database() -> Iterator[Connection]:
    """Lend a connection to one request, and close it at the end."""
    with closing(connect()) as database:
        yield database


Database = Annotated[Connection, Depends(get_database)]


@repairs.get("/repairs")
def list_repairs(
    user: User,
    database: Database,
    fields: str = "id,bike,state",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[dict[str, Any]]:
    """Return the columns that a page asks for."""
    columns = ", ".join(name.strip() for name in fields.split(","))
    query = f"SELECT {columns} FROM repairs WHERE owner = ? ORDER BY id LIMIT ?"
    rows = database.execute(query, (user, limit))
    return [dict(row) for row in rows]
