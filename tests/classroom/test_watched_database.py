"""A watched engine reports what it does, and does what the answers say."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import async_sessionmaker

from classroom.upstream import Fail, Give, Upstream
from classroom.watched_database import watched_engine

pytestmark = pytest.mark.anyio

ADDRESS = "sqlite+aiosqlite:///desk.db"
INSERT = text("insert into things (name) values (:name)")


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def upstream(monkeypatch):
    with Upstream() as upstream:
        monkeypatch.setenv("UPSTREAM_URL", upstream.url)
        yield upstream


@pytest.fixture
async def engine(upstream, tmp_path):
    engine = watched_engine(ADDRESS, folder=tmp_path)
    async with engine.begin() as connection:
        await connection.execute(text("create table things (name text not null unique)"))
    upstream.reset()
    yield engine
    await engine.dispose()


def steps(upstream):
    """Return the steps that were reported."""
    return [call.parameters["step"] for call in upstream.work.calls]


def first_write(call):
    """Pick the first statement of a transaction that writes."""
    return call.parameters["step"] == "statement" and call.json["first_write"]


async def store(engine, name):
    """Store a thing."""
    async with async_sessionmaker(engine)() as session:
        await session.execute(INSERT, {"name": name})
        await session.commit()


async def names(engine):
    """Return what is stored."""
    async with engine.connect() as connection:
        return list(await connection.scalars(text("select name from things order by name")))


async def test_each_step_is_reported_in_order(engine, upstream):
    """A connection, its statements, the commit, and the connection again."""
    async with async_sessionmaker(engine)() as session:
        await session.execute(INSERT, {"name": "bell"})
        await session.execute(INSERT, {"name": "lock"})
        await session.commit()
    assert steps(upstream) == ["checkout", "statement", "statement", "commit", "checkin"]
    written = [call.json["first_write"] for call in upstream.work.calls if "sql" in call.json]
    assert written == [True, False]
    assert upstream.work.calls[1].json["sql"] == "insert into things (name) values (?)"


async def test_a_statement_and_a_commit_can_fail(engine, upstream):
    """The error is the driver's own, and nothing is stored."""
    for step in ("statement", "commit"):
        is_it = lambda call, step=step: call.parameters["step"] == step  # noqa: E731
        with upstream.work.script(Fail(500), about=is_it), pytest.raises(OperationalError):
            await store(engine, step)
    assert await names(engine) == []


async def test_another_program_writes_before_the_first_write(engine, upstream):
    """It commits before the statement runs, so a unique constraint decides."""
    elsewhere = ["insert into things (name) values (?)", ["bell"]]
    script = upstream.work.script(Give({"elsewhere": elsewhere}), about=first_write)
    with script, pytest.raises(IntegrityError):
        await store(engine, "bell")
    assert [call.json["done"] for call in upstream.work.calls if "done" in call.json] == [True]
    assert await names(engine) == ["bell"]


async def test_another_program_does_not_wait_for_the_lock(engine, upstream):
    """While the app holds the database's lock, the other write is given up and reported."""
    elsewhere = ["insert into things (name) values (?)", ["bell"]]
    async with engine.connect() as connection:
        await connection.execute(text("begin immediate"))
        with upstream.work.script(Give({"elsewhere": elsewhere}), about=first_write):
            await connection.execute(INSERT, {"name": "bell"})
        await connection.commit()
    assert [call.json["done"] for call in upstream.work.calls if "done" in call.json] == [False]
    assert await names(engine) == ["bell"]


async def test_the_end_of_an_engine_is_reported(upstream, tmp_path):
    """And without an upstream, nothing is reported and everything works."""
    engine = watched_engine("sqlite+aiosqlite://", folder=tmp_path)
    async with engine.connect() as connection:
        assert await connection.scalar(text("select 1")) == 1
    await engine.dispose()
    assert steps(upstream)[-1] == "dispose"
