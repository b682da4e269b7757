"""An SQLAlchemy engine that says what it does.

A lab's app reaches its database through `watched_engine`. Before each statement, commit and
rollback, and when a connection leaves the pool or comes back, it reports to `UPSTREAM_URL`, if
a check has set one up, and waits for the answer. So a check counts statements, holds requests
between two of them, lets one fail, or lets another program write to the same file in between.
At work one would write `create_async_engine(url)`.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util.concurrency import await_, in_greenlet

from classroom.errand import ErrandError, post

__all__ = ["watched_engine"]

_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE", "WITH")
_ENGINES = count(1)
_PATIENCE: Final = 60.0
"""Seconds that a writer waits for another one; longer than a loaded machine may take."""


def watched_engine(url: str, *, folder: Path) -> AsyncEngine:
    """Return an engine of an SQLite database that reports what it does.

    Args:
        url: Its address, such as `sqlite+aiosqlite:///desk.db`.
        folder: Where its file lies, if the address names no absolute path.
    """
    address = make_url(url)
    file = folder / address.database if address.database else None
    if file is not None:
        address = address.set(database=str(file))
    engine = create_async_engine(address, connect_args={"timeout": _PATIENCE})
    _Watch(file).follow(engine)
    return engine


class _Watch:
    """Reports what one engine does.

    Args:
        file: The database's file; None where it lies in memory.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._engine = next(_ENGINES)
        self._connections = count(1)

    def follow(self, engine: AsyncEngine) -> None:
        """Be told what the engine does."""
        inner = engine.sync_engine
        event.listen(inner, "connect", self._connect)
        event.listen(inner, "checkout", self._checkout)
        event.listen(inner, "checkin", self._checkin)
        for kind in ("do_execute", "do_executemany"):
            event.listen(inner, kind, self._statement)
        event.listen(inner, "rollback", self._rollback)
        self._fail_like_a_database(inner.dialect)
        event.listen(inner, "engine_disposed", self._disposed)

    def _connect(self, connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = OFF")  # the tests' disk need not be waited for
        cursor.close()
        record.info["number"] = next(self._connections)

    def _checkout(self, _connection: Any, record: Any, _proxy: Any) -> None:
        record.info["writes"] = False  # the lock of an earlier user's writes is gone
        self._tell("checkout", connection=record.info["number"])

    def _checkin(self, _connection: Any, record: Any) -> None:
        self._tell("checkin", connection=record.info["number"])

    def _statement(self, _cursor: Any, sql: str, values: Any, context: Any) -> None:
        info = context.root_connection.info
        writes = sql.lstrip().upper().startswith(_WRITES)
        first = writes and not info["writes"]
        info["writes"] |= writes
        answer = self._tell(
            "statement",
            connection=info["number"],
            sql=" ".join(sql.split()),
            values=repr(values),
            first_write=first,
        )
        if elsewhere := answer.get("elsewhere"):
            self._tell("elsewhere", done=self._written_elsewhere(*elsewhere))

    def _fail_like_a_database(self, dialect: Any) -> None:
        """Report each commit where the driver does it: its failure is then one of the driver.

        A server throws a transaction away whose commit fails; SQLAlchemy counts on it.
        """
        commit = dialect.do_commit

        def do_commit(connection: Any) -> None:
            try:
                self._tell("commit")
            except sqlite3.OperationalError:
                dialect.do_rollback(connection)
                raise
            commit(connection)

        dialect.do_commit = do_commit

    def _rollback(self, connection: Any) -> None:
        self._tell("rollback", connection=connection.info["number"])

    def _disposed(self, _engine: Any) -> None:
        self._tell("dispose")

    def _tell(self, step: str, **about: Any) -> dict[str, Any]:
        """Report a step, and return the answer.

        Raises:
            sqlite3.OperationalError: The check lets it fail.
        """
        url = os.environ.get("UPSTREAM_URL")
        if not url or not in_greenlet():  # what the garbage collector does is not reported
            return {}
        try:
            answer = await_(post(f"{url}/steps/{step}", {"engine": self._engine, **about}))
        except ErrandError as error:
            raise sqlite3.OperationalError(str(error)) from None
        return answer or {}

    def _written_elsewhere(self, sql: str, values: list[Any]) -> bool:
        """Execute a statement as another program would; return whether the database let it."""
        if self._file is None:
            return False
        with closing(sqlite3.connect(self._file, timeout=0)) as other:
            try:
                with other:
                    other.execute(sql, values)
            except sqlite3.OperationalError:
                return False
        return True
