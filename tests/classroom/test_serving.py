"""`BackgroundServer`: a real server in a thread."""

import asyncio
import gc
import socket
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, suppress

import httpx2
import psutil
import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse

from classroom.serving import AppStartupError, BackgroundServer, NoSocketsError


def make_app(log=None):
    log = [] if log is None else log
    app = FastAPI(lifespan=lifespan_of(log))
    add_quick_routes(app)
    add_open_routes(app, log)
    add_stuck_routes(app, log)
    return app


def lifespan_of(log):

    @asynccontextmanager
    async def lifespan(_app):
        log.append("up")
        yield {"model": "tiny"}
        log.append("down")

    return lifespan


def add_quick_routes(app):
    @app.get("/model")
    def model(request: Request):
        return {"model": request.state.model, "thread": threading.current_thread().name}

    @app.get("/broken")
    async def broken():
        return {}["missing"]


def add_open_routes(app, log):
    @app.get("/stream")
    async def stream():
        async def tokens():
            try:
                while True:
                    yield "data: token\n\n"
                    await asyncio.sleep(0.01)
            finally:
                log.append("stream closed")

        return StreamingResponse(tokens(), media_type="text/event-stream")

    @app.websocket("/echo")
    async def echo(websocket: WebSocket):
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)
        log.append("socket closed")


def add_stuck_routes(app, log):
    @app.get("/stubborn")
    async def stubborn():
        log.append("stubborn")
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                log.append("cancelled")
                raise

    @app.get("/endless")
    async def endless():
        log.append("endless")
        while True:
            pass


def client_of(server):
    return httpx2.Client(base_url=server.url, verify=False, trust_env=False, timeout=5)


def listening_ports():
    return {
        connection.laddr.port
        for connection in psutil.Process().net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def test_a_sync_handler_sees_lifespan_state():
    """A request to a sync handler finds what the lifespan yielded, off the server's own thread."""
    with BackgroundServer(make_app()) as server, client_of(server) as client:
        answer = client.get("/model").json()
    assert answer["model"] == "tiny"
    assert answer["thread"] != threading.current_thread().name


def test_stop_runs_the_lifespans_end_and_frees_port_and_thread(ends_its_threads):
    """After stop the app has shut down, nothing listens, and no thread is left."""
    log = []
    server = BackgroundServer(make_app(log)).start()
    port = server.port
    assert port in listening_ports()
    server.stop()
    assert log == ["up", "down"]
    assert port not in listening_ports()
    assert not server.running
    server.stop()  # twice is harmless


def test_stop_ends_streams_sockets_and_idle_connections():
    """An open event stream, a WebSocket and a kept connection do not hold a server up."""
    log = []
    server = BackgroundServer(make_app(log)).start()
    with client_of(server) as idle, client_of(server) as client:
        idle.get("/model")
        with (
            client.stream("GET", "/stream") as reply,
            client.websocket(server.url.replace("http", "ws") + "/echo") as socket,
        ):
            lines = reply.iter_lines()
            assert next(lines) == "data: token"
            socket.send_text("hello")
            assert socket.receive_text() == "hello"
            server.stop()
            assert not server.running
            with pytest.raises(httpx2.RemoteProtocolError):
                list(lines)
    assert log[0] == "up"
    assert set(log[1:-1]) == {"stream closed", "socket closed"}
    assert log[-1] == "down"
    assert server.take_errors() == []


@pytest.mark.parametrize("path", ["/stubborn", "/endless"])
def test_stop_forces_a_handler_that_never_ends(path):
    """A handler that waits for ever is cancelled, and one that blocks the loop is broken off."""
    entered = threading.Event()

    class Log(list):
        def append(self, item):
            super().append(item)
            if item == path[1:]:
                entered.set()

    log = Log()
    server = BackgroundServer(make_app(log)).start()

    def ask():
        with client_of(server) as client, suppress(httpx2.TransportError):
            assert client.get(path).status_code == 500

    asker = threading.Thread(target=ask)
    asker.start()
    assert entered.wait(5)
    server.stop()
    asker.join(5)
    assert not server.running
    assert log[-1] == "down"
    assert server.take_errors() == []


def test_stop_cuts_the_line_of_a_client_that_does_not_read():
    """What a client leaves unread does not keep its connection alive."""

    async def flood(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})

    server = BackgroundServer(flood).start()
    with client_of(server) as client, client.stream("GET", "/"):
        server.stop()
        ours = [c for c in psutil.Process().net_connections("tcp") if c.laddr.port == server.port]
        assert ours == []


def test_an_exception_is_known_before_its_answer_ends():
    """Whoever has read an error's answer finds the exception, however late it was raised."""

    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"sorry"})
        await asyncio.sleep(0.1)
        raise ValueError("late")

    with BackgroundServer(app) as server, client_of(server) as client:
        assert client.get("/").text == "sorry"
        assert [str(error) for error in server.take_errors()] == ["late"]


def test_exceptions_of_requests_are_kept_with_the_apps_own_line():
    """What a request raised can be taken once, and its last frame is the app's line."""
    with BackgroundServer(make_app()) as server, client_of(server) as client:
        for _ in range(20):  # as soon as the answer is here, so is the exception
            assert client.get("/broken").status_code == 500
            (error,) = server.take_errors()
        assert server.take_errors() == []
    assert isinstance(error, KeyError)
    traceback = error.__traceback__
    while traceback.tb_next:
        traceback = traceback.tb_next
    assert traceback.tb_frame.f_code.co_name == "broken"


def test_only_the_newest_exceptions_are_kept():
    """The memory of errors is bounded."""

    async def app(scope, receive, send):
        raise ValueError(scope["path"])

    with BackgroundServer(app) as server, client_of(server) as client:
        for number in range(40):
            client.get(f"/{number}")
        paths = [str(error) for error in server.take_errors()]
    assert paths == [f"/{number}" for number in range(8, 40)]


def test_a_failed_start_up_raises_the_apps_own_exception():
    """`start` raises what the lifespan raised, with the lifespan's own frame, and frees all."""

    class NoModelError(Exception):
        pass

    @asynccontextmanager
    async def lifespan(_app):
        raise NoModelError("weights.bin")
        yield

    server = BackgroundServer(FastAPI(lifespan=lifespan))
    with pytest.raises(NoModelError, match=r"weights\.bin") as caught:
        server.start()
    assert caught.traceback[-1].name == "lifespan"
    assert not server.running
    assert server.port not in listening_ports()


def test_an_app_may_refuse_to_start_without_raising():
    """A start-up that is reported as failed is an error that carries the app's message."""

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no licence"})

    with pytest.raises(AppStartupError, match="no licence"):
        BackgroundServer(app).start()


def test_an_app_without_lifespan_is_served():
    """A bare ASGI app that knows HTTP only is fine."""

    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with BackgroundServer(app) as server, client_of(server) as client:
        assert client.get("/").status_code == 204
        assert server.take_errors() == []


def test_a_start_up_that_never_ends_is_given_up():
    """A lifespan that hangs gives TimeoutError, and leaves no thread."""

    async def app(scope, receive, send):
        await asyncio.Event().wait()

    server = BackgroundServer(app)
    with pytest.raises(TimeoutError, match="start-up did not end"):
        server.start(timeout=0.05)
    assert not server.running


def test_a_slow_shut_down_is_waited_for(monkeypatch):
    """Shut-down code that takes longer than a blocked loop is given still reaches its end."""
    monkeypatch.setattr("classroom.serving._STUCK", 0.05)
    log = []

    @asynccontextmanager
    async def lifespan(_app):
        yield
        await asyncio.sleep(0.2)
        log.append("down")

    BackgroundServer(FastAPI(lifespan=lifespan)).start().stop()
    assert log == ["down"]


def test_an_error_of_the_shut_down_is_kept():
    """An exception after the lifespan's yield does not escape from stop, but is not lost."""

    @asynccontextmanager
    async def lifespan(_app):
        yield
        raise OSError("disk full")

    server = BackgroundServer(FastAPI(lifespan=lifespan)).start()
    server.stop()
    assert [str(error) for error in server.take_errors()] == ["disk full"]


def test_a_unix_socket_is_served_and_removed(tmp_path):
    """With `uds` the app answers there, a stale socket is no obstacle, and stop removes it."""
    path = tmp_path / "app.sock"
    for _ in range(2):
        with (
            BackgroundServer(make_app(), uds=path) as server,
            httpx2.Client(transport=httpx2.HTTPTransport(uds=str(path), verify=False)) as client,
        ):
            assert client.get(server.url + "/model").json()["model"] == "tiny"
            assert server.port is None
        assert not path.exists()


def test_what_is_not_an_app_is_refused_with_a_reason():
    """A string, as for uvicorn's command line, is told apart at once."""
    with pytest.raises(TypeError, match="ASGI app"):
        BackgroundServer("main:app")


def test_a_server_runs_once():
    """Starting again is an error that says what to do."""
    server = BackgroundServer(make_app())
    with server, pytest.raises(RuntimeError, match="new one"):
        server.start()
    with pytest.raises(RuntimeError, match="new one"):
        server.start()


SCRIPT = """
import asyncio, signal, sys, threading
if "nest" in sys.argv:
    import nest_asyncio
    asyncio.set_event_loop(asyncio.new_event_loop())
    nest_asyncio.apply()
import httpx2
from fastapi import FastAPI
from classroom.serving import BackgroundServer

app = FastAPI()
reached = threading.Event()

@app.get("/sync")
def sync_handler():
    return "sync"

@app.get("/broken")
async def broken():
    raise ValueError("no")

@app.get("/late")
async def late():
    async def fail():
        raise OSError("task")
    asyncio.create_task(fail())

@app.get("/hang")
async def hang():
    reached.set()
    await asyncio.sleep(3600)

async def main():
    handler = signal.getsignal(signal.SIGINT)
    server = BackgroundServer(app).start()
    assert signal.getsignal(signal.SIGINT) is handler
    async with httpx2.AsyncClient(base_url=server.url, verify=False) as client:
        replies = await asyncio.gather(*(client.get("/sync") for _ in range(20)))
        assert {reply.json() for reply in replies} == {"sync"}
        assert (await client.get("/broken")).status_code == 500
        await client.get("/late")
        hanging = asyncio.create_task(client.get("/hang"))
        await asyncio.to_thread(reached.wait)
        server.stop()
        await asyncio.gather(hanging, return_exceptions=True)
    assert not server.running
    print(*sorted(type(error).__name__ for error in server.take_errors()))

if "nest" in sys.argv:
    asyncio.get_event_loop().run_until_complete(main())
    asyncio.run(main())
else:
    asyncio.run(main())
"""


@pytest.mark.parametrize("mode", ["plain", "nest"])
def test_nothing_is_logged_and_nest_asyncio_is_no_harm(mode):
    """With and without `nest_asyncio.apply()` the app is served, and stderr stays empty."""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", SCRIPT, mode],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert set(done.stdout.split("\n")) == {"OSError ValueError", ""}
    assert done.returncode == 0


def test_fifty_servers_leave_nothing_behind(ends_its_threads):
    """Threads and open descriptors are what they were after fifty servers."""
    app = make_app()

    def once():
        with BackgroundServer(app) as server, client_of(server) as client:
            assert client.get("/model").status_code == 200

    once()
    gc.collect()
    descriptors = psutil.Process().num_fds()
    for _ in range(50):
        once()
    gc.collect()
    assert psutil.Process().num_fds() <= descriptors


@pytest.mark.parametrize("refused", ["__init__", "bind"])
def test_a_sandbox_that_opens_no_port_is_recognised(monkeypatch, refused):
    """Whether it refuses the socket or only its port, the reason is told, and nothing is left."""

    def refuse(self, *_):
        raise PermissionError(1, "Operation not permitted")

    class Refusing(socket.socket):
        pass

    setattr(Refusing, refused, refuse)
    monkeypatch.setattr("classroom.serving.socket.socket", Refusing)
    with pytest.raises(NoSocketsError, match="sandbox"):
        BackgroundServer(FastAPI()).start()
