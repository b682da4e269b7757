"""The gradebook's database: SQLite or PostgreSQL, shared with nbgrader and with other graders."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from nbgrader.api import Base, Gradebook  # type: ignore[import-untyped]  # it ships no types
from nbgrader.dbutil import ALEMBIC_DIR  # type: ignore[import-untyped]  # as above
from sqlalchemy import Connection, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, NoSuchModuleError, OperationalError

from autograder.course import CourseError

_WAIT_SECONDS = 60
"""How long one writer waits for another."""
_ATTEMPTS = 10
T = TypeVar("T")


class GradebookError(CourseError):
    """The gradebook cannot be opened."""


class Database:
    """A gradebook, open until closed.

    Args:
        url: Where it is, as SQLAlchemy names it.
        course: nbgrader's name of the course.

    Raises:
        GradebookError: It cannot be opened.
    """

    def __init__(self, url: str, course: str) -> None:
        try:
            _make_tables(url)
            with Gradebook(url, course):  # makes the entry of the course
                pass
        except (OperationalError, NoSuchModuleError, ModuleNotFoundError) as error:
            reason = str(error).strip().splitlines()[0]
            shown = make_url(url).render_as_string(hide_password=True)
            raise GradebookError(f"The gradebook {shown} cannot be opened: {reason}") from error
        self._sqlite = make_url(url).get_backend_name() == "sqlite"
        options = {"connect_args": {"timeout": _WAIT_SECONDS}} if self._sqlite else {}
        self._engine = create_engine(url, **options)
        if self._sqlite:
            event.listen(self._engine, "connect", _leave_transactions_to_us)
            event.listen(self._engine, "begin", _begin_at_once)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave no connection open."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection whose changes are made together at the end, or not at all."""
        with self._engine.begin() as connection:
            yield connection

    def write(self, act: Callable[[Connection], T]) -> T:
        """Do something in a transaction, again when another writer was in the way.

        Args:
            act: What to do; it may be done more than once.
        """
        for attempt in range(_ATTEMPTS):
            try:
                with self.transaction() as connection:
                    return act(connection)
            except (IntegrityError, OperationalError):
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError


def _make_tables(url: str) -> None:
    """Make the tables of a new gradebook, as nbgrader does, in a fiftieth of the time.

    To learn the version of its own tables, nbgrader starts the command `alembic`, which imports
    nbgrader once more, for 4 s.
    """
    engine = create_engine(url)
    try:
        if inspect(engine).get_table_names():
            return
        from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - slow
        from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

        versions = ScriptDirectory(ALEMBIC_DIR)
        with engine.begin() as connection:
            Base.metadata.create_all(connection)
            MigrationContext.configure(connection).stamp(versions, "head")
    finally:
        engine.dispose()


def _leave_transactions_to_us(connection: sqlite3.Connection, _: Any) -> None:
    # Python's sqlite3 would begin a transaction only at the first change.
    connection.isolation_level = None


def _begin_at_once(connection: Connection) -> None:
    # A reader that turns writer while another one writes would fail without waiting.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
