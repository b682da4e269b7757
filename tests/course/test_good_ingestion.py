"""Lesson 17's own services store what they accept, and its port answers as the old app did."""

import importlib
import sqlite3
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import httpx2 as httpx
import nbformat
import pytest
from fastapi.testclient import TestClient

LESSON = Path(__file__).parents[2] / "notebooks" / "17-wsgi-and-asgi.ipynb"
READING = {"id": "1", "bike": "bike 7", "charge": 0.5}
FILES = ("store", "reading", "new_ingest", "mended_ingest")


def code_cells():
    """Return the sources of the lesson's code cells."""
    cells = nbformat.read(LESSON, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Write the programs that the lesson writes, and return them as modules."""
    for source in code_cells():
        head, _, body = source.partition("\n")
        name = head.rpartition("/")[2].removesuffix(".py")
        if head.startswith("%%writefile") and name in FILES:
            with (tmp_path / f"{name}.py").open("a") as file:
                file.write(body + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("INGEST_DB", str(tmp_path / "test.db"))
    yield {name: importlib.import_module(name) for name in FILES}
    for name in FILES:
        del sys.modules[name]


@pytest.fixture
def stored(tmp_path):
    """Return a function that reads the ids of all stored readings."""

    def read():
        database = sqlite3.connect(tmp_path / "test.db")
        ids = [id_ for (id_,) in database.execute("select id from readings order by id")]
        database.close()
        return ids

    return read


def test_a_reading_is_stored_when_its_answer_comes(modules, stored):
    """A 202 comes after the commit, and a second one for the same id stores nothing."""
    with TestClient(modules["new_ingest"].app) as client:
        for id_ in ("1", "1", "2"):
            assert client.post("/readings", json={**READING, "id": id_}).status_code == 202
            assert id_ in stored()
    assert stored() == ["1", "2"]


@pytest.mark.parametrize(
    "change", [{"id": ""}, {"id": "x" * 65}, {"charge": 1.1}, {"charge": None}, {"chrage": 1}]
)
def test_a_wrong_reading_is_refused(modules, change):
    """Both services answer 422 and store nothing."""
    with TestClient(modules["new_ingest"].app) as client:
        assert client.post("/readings", json={**READING, **change}).status_code == 422
    reply = modules["mended_ingest"].app.test_client().post("/readings", json={**READING, **change})
    assert reply.status_code == 422


def test_the_mended_flask_service_stores_first(modules, stored):
    """Its 202 comes after the commit, too."""
    reply = modules["mended_ingest"].app.test_client().post("/readings", json=READING)
    assert (reply.status_code, stored()) == (202, ["1"])


def test_a_failed_write_is_no_202(modules, monkeypatch, caplog):
    """When the database refuses, the client hears of it, and so does the log."""

    def refuse(*_):
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(modules["new_ingest"], "insert", refuse)
    with TestClient(modules["new_ingest"].app) as client:
        reply = client.post("/readings", json=READING)
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    assert "disk full" in caplog.text


def test_a_full_queue_refuses_at_once(modules, monkeypatch, stored):
    """While the writer is busy and the queue is full, the answer is 503; the others are stored."""
    busy, release = threading.Event(), threading.Event()
    insert = modules["store"].insert

    def slow(database, rows):
        busy.set()
        release.wait(10)
        insert(database, rows)

    monkeypatch.setattr(modules["new_ingest"], "insert", slow)
    monkeypatch.setattr(modules["new_ingest"], "MOST_WAITING", 1)
    with TestClient(modules["new_ingest"].app) as client, ThreadPoolExecutor() as threads:

        def post(id_):
            return client.post("/readings", json={**READING, "id": id_}).status_code

        first = threads.submit(post, "1")
        assert busy.wait(10)
        others = [threads.submit(post, id_) for id_ in ("2", "3")]
        wait(others, timeout=10, return_when=FIRST_COMPLETED)
        release.set()
        assert first.result() == 202
        assert sorted(other.result() for other in others) == [202, 503]
    assert len(stored()) == 2


def test_the_port_answers_as_the_old_app():
    """For every request that the lesson compares, only the body of a redirect differs."""
    cells = code_cells()
    begin = next(n for n, source in enumerate(cells) if source.startswith("old = Flask"))
    defined = {}
    for source in cells[:2]:
        exec(source.removeprefix("%load_ext autograder"), defined)  # noqa: S102
    end = next(n for n, source in enumerate(cells) if source.startswith("MORE = "))
    for source in cells[begin:end]:
        if not source.startswith(("predict(", "differences(")) and "in_own_thread" not in source:
            exec(source.partition("\ndifferences(")[0], defined)  # noqa: S102
    before = httpx.Client(transport=httpx.WSGITransport(app=defined["old"]), base_url="http://desk")
    after = TestClient(defined["new"], base_url="http://desk", follow_redirects=False)
    more = [("GET", "/me"), ("GET", "/export"), ("POST", "/login"), ("OPTIONS", "/parts/1")]
    more += [("GET", "/parts?limit=2"), ("GET", "/parts/?tag=a&tag=b"), ("HEAD", "/export")]
    for method, url in [*defined["READS"], *more]:
        headers = {"X-Request-ID": "phone-call-914"}
        replies = [client.request(method, url, headers=headers) for client in (before, after)]
        expected, got = (defined["seen"](reply) for reply in replies)
        if expected["status"] == 308:
            keys = ("status", "location", "x-request-id")
            expected, got = ({key: one[key] for key in keys} for one in (expected, got))
        assert got == expected, url
    for client in (before, after):
        reply = client.post("/login", data={"user": "Mei"})
        assert (reply.status_code, reply.headers["location"]) == (302, "/me")
        assert client.get("/me").json() == {"user": "Mei", "messages": ["Welcome!"]}
        assert client.get("/me").json() == {"user": "Mei", "messages": []}
    defined["new"].get("/broken")(lambda: 1 / 0)
    reply = after.get("/broken", headers={"X-Request-ID": "phone-call-914"})
    assert (reply.status_code, reply.headers["x-request-id"]) == (500, "phone-call-914")
    assert reply.json()["request"] == "phone-call-914"
