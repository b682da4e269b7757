"""The trace of every message."""

import asyncio
import threading

import pytest
from fastapi import FastAPI, HTTPException, WebSocket
from fastapi.responses import StreamingResponse

from classroom.asgi_trace import Trace, current_visit
from classroom.virtual_time import in_virtual_time

app = FastAPI()


@app.post("/slow/{seconds}")
async def slow(seconds: float, body: dict[str, str]) -> int:
    """Answer after a while with the number of the visit."""
    await asyncio.sleep(seconds)
    return current_visit.get().number


@app.get("/thread")
def thread() -> int:
    """Answer from a thread of the pool."""
    return current_visit.get().number


@app.get("/tokens")
async def tokens() -> StreamingResponse:
    """Stream a part every two seconds."""

    async def parts():
        for part in (b"a", b"bc"):
            await asyncio.sleep(2)
            yield part

    return StreamingResponse(parts())


@app.get("/refuses")
async def refuses() -> None:
    """Refuse."""
    raise HTTPException(418)


@app.websocket("/ws")
async def ws(socket: WebSocket) -> None:
    """Echo once."""
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close(4000)


def _visits(*requests):
    async def scenario(desk):
        await asyncio.gather(*(desk.client.request(*r[:2], **dict(r[2:])) for r in requests))

    return in_virtual_time(scenario, app).visits


def test_overlapping_requests_are_kept_apart():
    """Two requests at once have a record each, with exact times."""
    body = ("json", {"a": "b"})
    first, second = _visits(("POST", "/slow/0.5", body), ("POST", "/slow/0.2", body))
    assert (first.number, second.number) == (0, 1)
    assert (first.path, second.path) == ("/slow/0.5", "/slow/0.2")
    assert (first.entered, first.left, second.left) == (0, 0.5, 0.2)
    assert (first.status, second.status) == (200, 200)


def test_messages_are_recorded_with_sizes_and_status():
    """What came in and what went out stands in order, with bytes and status."""
    (visit,) = _visits(("POST", "/slow/1", ("json", {"a": "b"})))
    told = [(m.direction, m.type, m.size, m.status, m.at) for m in visit.messages]
    assert told == [
        ("in", "http.request", len(b'{"a":"b"}'), None, 0),
        ("out", "http.response.start", 0, 200, 1),
        ("out", "http.response.body", 1, None, 1),
    ]
    assert (visit.kind, visit.method) == ("http", "POST")
    assert visit.headers["content-type"] == "application/json"


def test_parts_of_a_stream_have_their_times():
    """Each part of a stream is a message with its time; the last one says that no more comes."""
    (visit,) = _visits(("GET", "/tokens"))
    assert visit.sent_at == (2, 4)
    assert [m.more for m in visit.messages if m.type == "http.response.body"] == [
        True,
        True,
        False,
    ]


def test_functions_know_their_visit_also_in_threads():
    """The context variable says whose request it is, in the pool's threads too."""

    async def scenario(desk):
        return [(await desk.client.get("/thread")).json() for _ in range(2)]

    assert in_virtual_time(scenario, app).result == [0, 1]
    assert current_visit.get(None) is None


def test_websockets_are_recorded():
    """A WebSocket's messages, with the code of its close."""

    async def scenario(desk):
        async with desk.client.websocket("ws://desk/ws") as socket:
            await socket.send_text("hej")
            await socket.receive_text()

    (visit,) = in_virtual_time(scenario, app).visits
    assert (visit.kind, visit.method, visit.status) == ("websocket", "WS", None)
    assert [(m.direction, m.type, m.size, m.status) for m in visit.messages[:5]] == [
        ("in", "websocket.connect", 0, None),
        ("out", "websocket.accept", 0, None),
        ("in", "websocket.receive", 3, None),
        ("out", "websocket.send", 3, None),
        ("out", "websocket.close", 0, 4000),
    ]


def test_an_unfinished_visit_has_no_end():
    """While the app works, the record is there and says that it has not left."""
    trace = Trace(app)

    async def scenario(desk):
        task = asyncio.create_task(desk.client.get("/tokens"))
        await asyncio.sleep(3)
        seen = trace.visits
        await task
        return seen

    (visit,) = in_virtual_time(scenario, trace).result
    assert visit.left is None
    assert len(visit.sent_at) == 1
    assert trace.visits[0].left is not None


def test_an_error_is_recorded_and_passed_on():
    """What the app lets through is noted and raised as before."""

    async def broken(scope, _receive, _send):
        if scope["type"] == "http":
            raise LookupError("nothing here")
        raise RuntimeError("no lifespan")

    async def scenario(desk):
        with pytest.raises(LookupError, match="nothing here"):
            await desk.client.get("/")

    (visit,) = in_virtual_time(scenario, broken).visits
    assert visit.error == "LookupError: nothing here"
    assert visit.status is None


def test_the_thread_is_the_loops():
    """A visit is recorded in the thread of the app's loop, and that is not the caller's."""
    (visit,) = _visits(("GET", "/refuses"))
    assert visit.thread != threading.get_ident()
    assert {message.thread for message in visit.messages} == {visit.thread}
    assert visit.status == 418
