"""What `watch` records of a real server, by order and not by clocks."""

import asyncio
import threading
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Annotated

import anyio.from_thread
import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import StreamingResponse

from classroom.timeline import Ask, watch

EVERY = 0.01
POOL = 40

pytestmark = pytest.mark.usefixtures("ends_its_threads")


def _user() -> str:
    return "Ann"


app = FastAPI()


@app.get("/blocks")
async def blocks() -> None:
    # Another thread works meanwhile; the loop cannot.
    done = threading.Event()
    threading.Timer(5 * EVERY, done.set).start()
    done.wait(20)


@app.get("/awaits")
async def awaits() -> None:
    for _ in range(5):
        await asyncio.sleep(EVERY)


@app.get("/def")
def in_a_thread(user: Annotated[str, Depends(_user)]) -> str:
    for _ in range(5):
        anyio.from_thread.run(asyncio.sleep, EVERY)
    return user


@app.post("/echo")
async def echo(body: dict[str, int]) -> dict[str, int]:
    return body


@app.get("/tokens")
async def tokens() -> StreamingResponse:
    async def parts():
        for _ in range(3):
            await asyncio.sleep(2)
            yield b"x"

    return StreamingResponse(parts())


@app.get("/sleep/{seconds}")
async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


@app.get("/fails")
async def fails() -> None:
    raise LookupError("no such agent")


def _beats_within(timeline, row):
    begin, end = row.worked
    return sum(begin < beat < end for beat in timeline.beats)


def test_a_blocked_loop_does_not_beat():
    """No heartbeat lies within a handler that blocks, and one gap spans each of them."""
    timeline = watch(app, ["/blocks"] * 3, every=EVERY)
    for row in timeline.rows:
        assert _beats_within(timeline, row) == 0
        begin, end = row.worked
        assert any(before <= begin and end <= after for before, after in pairwise(timeline.beats))


@pytest.mark.parametrize("path", ["/awaits", "/def"])
def test_a_free_loop_beats_meanwhile(path):
    """While a handler awaits, or runs in a thread, the heart goes on."""
    timeline = watch(app, [path] * 3, every=EVERY)
    for row in timeline.rows:
        assert _beats_within(timeline, row) >= 4


def test_blocking_handlers_run_one_after_the_other():
    """Blocked calls stand in a row on the loop; awaiting ones overlap."""
    blocked = sorted(row.worked for row in watch(app, ["/blocks"] * 3).rows)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(blocked))
    free = sorted(row.worked for row in watch(app, ["/awaits"] * 3).rows)
    assert all(begin < end for (_, end), (begin, _) in pairwise(free))


def test_it_says_which_thread_ran_what():
    """async def runs on the loop, def in a thread of the pool."""
    timeline = watch(app, ["/awaits", "/def"])
    free, sync = timeline.rows
    assert timeline.thread_of(free) == "loop"
    assert timeline.thread_of(sync).startswith("thread ")
    assert [(call.name, call.role, call.way) for call in sync.calls] == [
        ("_user", "dependency", "def"),
        ("in_a_thread", "endpoint", "def"),
    ]
    assert free.thread == free.visit.thread != sync.thread


def test_the_forty_first_call_waits_for_a_thread():
    """Forty calls of a def endpoint are inside at once; the next begins when one has left."""
    app = FastAPI()
    inside, full = [], threading.Event()

    @app.get("/slow")
    def slow() -> None:
        inside.append(1)
        if len(inside) == POOL:
            full.set()
        assert full.wait(20)

    timeline = watch(app, ["/slow"] * (POOL + 1))
    spans = sorted(row.worked for row in timeline.rows)
    first_end = min(end for _, end in spans)
    assert sum(begin < first_end for begin, _ in spans) == POOL
    assert len({row.thread for row in timeline.rows}) == POOL
    assert {row.status for row in timeline.rows} == {200}


def test_rows_are_in_the_order_of_the_requests():
    """Every row belongs to its request, whatever came first."""
    timeline = watch(app, ["/blocks", "/nowhere", Ask("/echo", "POST", json={"a": 1})])
    assert [row.label for row in timeline.rows] == ["GET /blocks", "GET /nowhere", "POST /echo"]
    assert [row.status for row in timeline.rows] == [200, 404, 200]
    assert timeline.rows[1].endpoint is None
    assert [row.visit.path for row in timeline.rows] == ["/blocks", "/nowhere", "/echo"]


def test_moments_are_in_their_order():
    """Sent, entered, begun, ended, answered: never the other way round."""
    for row in watch(app, ["/awaits", "/def", "/blocks"]).rows:
        begin, end = row.worked
        assert 0 <= row.sent <= row.visit.entered <= begin <= end <= row.answered


def test_the_app_is_as_before(monkeypatch):
    """Watching changes no route and no override for good."""
    monkeypatch.setitem(app.dependency_overrides, _user, lambda: "Bob")
    overrides = app.dependency_overrides
    before = [(route.dependant, route.dependant.call) for route in app.routes[4:]]
    watch(app, ["/def"])
    assert all(dependant.call is call for dependant, call in before)
    assert app.dependency_overrides is overrides


def test_a_request_that_fails_does_not_hide_the_others():
    """An endpoint that raises is a row with 500 and its error."""
    failed, fine = watch(app, ["/fails", "/awaits"]).rows
    assert (failed.status, fine.status) == (500, 200)
    assert failed.endpoint.error == "LookupError: no such agent"


def test_an_app_that_does_not_start_says_why():
    """The app's own error comes out."""

    @asynccontextmanager
    async def broken(_app):
        raise LookupError("no model file")
        yield

    with pytest.raises(LookupError, match="no model file"):
        watch(FastAPI(lifespan=broken), ["/"])


def test_any_asgi_app_can_be_watched():
    """Without FastAPI there are no functions to see, but the visit is the work."""

    async def plain(scope, _receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    timeline = watch(plain, ["/"])
    (row,) = timeline.rows
    assert (row.status, row.calls, timeline.thread_of(row)) == (204, (), "loop")
    assert row.worked == (row.visit.entered, row.visit.left)


def test_virtual_numbers_are_exact():
    """Three sleeps at once: each row ends at its own second, to the nanosecond."""
    asks = ["/sleep/0.1", "/sleep/0.2", Ask("/sleep/0.5", at=0.1)]
    timeline = watch(app, asks, virtual=True)
    assert [(row.sent, row.answered) for row in timeline.rows] == [(0, 0.1), (0, 0.2), (0.1, 0.6)]
    assert [row.worked for row in timeline.rows] == [(0, 0.1), (0, 0.2), (0.1, 0.6)]
    assert timeline.end == 0.6
    assert timeline.virtual


def test_virtual_streams_have_their_moments():
    """A token every two seconds, seen at 2, 4 and 6."""
    (row,) = watch(app, ["/tokens"], virtual=True).rows
    assert row.visit.sent_at == (2, 4, 6)


def test_there_is_no_virtual_heartbeat():
    """Under virtual time the question for a gap is answered by what to do instead."""
    timeline = watch(app, ["/awaits"], virtual=True)
    with pytest.raises(ValueError, match="watch the app in real time"):
        _ = timeline.longest_gap
    with pytest.raises(ValueError, match="no heartbeat to hear"):
        timeline.sound()


@pytest.mark.parametrize("path", ["slow", "GET slow", "get /slow", "/slow now"])
def test_what_is_no_request_is_refused(path):
    """A text that is neither a path nor a method and a path is named."""
    with pytest.raises(ValueError, match="is no request"):
        watch(app, [path])


def test_nothing_to_watch_is_refused():
    """An empty list says what to give."""
    with pytest.raises(ValueError, match="nothing to watch"):
        watch(app, [])


def test_routes_of_included_routers_and_mounted_apps_are_seen():
    """Functions behind a router's prefix and in a mounted app are recorded."""
    router, inner, app = APIRouter(prefix="/v1"), FastAPI(), FastAPI()

    @router.get("/a")
    async def behind_a_router() -> None: ...

    @inner.get("/b")
    async def in_a_mounted_app() -> None: ...

    app.include_router(router)
    app.mount("/inner", inner)
    rows = watch(app, ["/v1/a", "/inner/b"]).rows
    assert [row.endpoint.name for row in rows] == ["behind_a_router", "in_a_mounted_app"]


@pytest.mark.notebook
def test_it_shows_itself_in_a_notebook(notebook):
    """One call in a cell, inside the kernel's running loop, shows the drawing."""
    _, ((kind, data),) = notebook.run_all(
        "from fastapi import FastAPI\nfrom classroom.timeline import watch\napp = FastAPI()\n"
        "@app.get('/')\ndef answer():\n    return 7",
        "watch(app, ['/'] * 2)",
    )
    assert kind == "data"
    assert "<svg" in data["text/html"]
    assert data["text/plain"].startswith("2 requests (GET /), all answered after ")
