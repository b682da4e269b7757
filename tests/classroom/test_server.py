"""`serve`: what a lesson and a student use."""

import asyncio
import subprocess
import sys
import threading

import httpx2
import psutil
import pytest
from fastapi import FastAPI, WebSocket

import classroom
from classroom import Server, serve
from classroom.server import stop_all


@pytest.fixture(autouse=True)
def _nothing_stays():
    yield
    stop_all()


def make_app(answer="pong"):
    app = FastAPI(title="Agent Desk")

    @app.get("/ping")
    def ping():
        return answer

    @app.get("/broken")
    def broken():
        raise LookupError("no such agent")

    @app.websocket("/echo")
    async def echo(websocket: WebSocket):
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    return app


def is_open(url):
    try:
        httpx2.get(url + "/ping", trust_env=False, verify=False)
    except httpx2.ConnectError:
        return False
    return True


def test_the_public_names():
    """What `from classroom import *` gives is what is documented, and exists."""
    assert {"Server", "load_ipython_extension", "serve"} <= set(classroom.__all__)
    assert all(hasattr(classroom, name) for name in classroom.__all__)


def test_both_clients_reach_the_app():
    """The sync client works, and the async one in one event loop after the other."""
    server = serve(make_app())
    assert server.url == f"http://127.0.0.1:{server.port}"
    assert server.client.get("/ping").json() == "pong"
    kept = server.async_client
    for _ in range(3):
        assert asyncio.run(kept.get("/ping")).json() == "pong"


def test_the_async_client_works_in_two_loops_at_once():
    """Two threads with an event loop each share the client."""
    server = serve(make_app())
    answers = []

    async def ask():
        replies = await asyncio.gather(*(server.async_client.get("/ping") for _ in range(20)))
        answers.extend(reply.json() for reply in replies)

    threads = [threading.Thread(target=asyncio.run, args=(ask(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["pong"] * 40


def test_both_clients_speak_websocket():
    """A path is enough for a WebSocket of the server."""
    server = serve(make_app())
    with server.client.websocket("/echo") as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"

    async def talk():
        async with server.async_client.websocket("/echo") as socket:
            await socket.send_text("hello")
            return await socket.receive_text()

    assert asyncio.run(talk()) == "hello"


def test_the_environments_proxy_is_not_asked(monkeypatch):
    """A proxy set for the machine does not come between a cell and its own app."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server = serve(make_app())
    assert server.client.get("/ping").json() == "pong"
    assert asyncio.run(server.async_client.get("/ping")).json() == "pong"


def test_with_blocks_end_their_servers():
    """`with` and `async with` stop the server and close its client."""
    with serve(make_app()) as server:
        assert is_open(server.url)
    assert not is_open(server.url)
    assert server.client.is_closed

    async def block():
        async with serve(make_app()) as inner:
            assert (await inner.async_client.get("/ping")).json() == "pong"
            return inner

    assert not asyncio.run(block()).running


def test_servers_in_blocks_do_not_replace_each_other():
    """Two servers of one line, or of one app, live side by side in their blocks."""
    app = make_app()
    with serve(make_app("a")) as one, serve(make_app("b")) as two:
        assert [one.client.get("/ping").json(), two.client.get("/ping").json()] == ["a", "b"]
    with serve(app) as outer:
        for _ in range(2):
            with serve(app):
                pass
        assert outer.running


def test_serving_an_app_again_replaces_its_server():
    """One app object has one server, wherever it is served from."""
    app = make_app()
    first = serve(app)
    second = serve(app)
    assert not first.running
    assert not is_open(first.url)
    assert second.client.get("/ping").json() == "pong"


def test_the_same_line_again_replaces_its_server():
    """A line that runs again stops what it started before; another line does not."""
    other = serve(make_app())
    servers = [serve(make_app(str(number))) for number in range(3)]
    assert [server.running for server in servers] == [False, False, True]
    assert other.running


def test_names_keep_servers_of_one_line_apart():
    """A loop that gives each server a name keeps them all."""
    servers = [serve(make_app(name), name=name) for name in ("mail", "model")]
    assert [server.client.get("/ping").json() for server in servers] == ["mail", "model"]


def test_fifty_reruns_leave_one_server(ends_its_threads):
    """After fifty runs of one line there is one listening port, and no other thread."""
    listening = psutil.Process().net_connections("tcp")
    for number in range(50):
        server = serve(make_app(str(number)))
        server.client.get("/ping")
        asyncio.run(server.async_client.get("/ping"))
    assert server.client.get("/ping").json() == "49"
    ports = {c.laddr.port for c in psutil.Process().net_connections("tcp") if c.status == "LISTEN"}
    before = {c.laddr.port for c in listening if c.status == "LISTEN"}
    assert ports - before == {server.port}
    server.stop()


def test_errors_can_be_taken():
    """What a request raised is at hand for the cell that made the request."""
    server = serve(make_app())
    assert server.client.get("/broken").status_code == 500
    assert [str(error) for error in server.take_errors()] == ["no such agent"]


def test_an_app_that_cannot_start_leaves_nothing(ends_its_threads):
    """A start-up error is the app's own, and nothing is left running."""

    def fail(_app):
        raise OSError("no model")

    with pytest.raises(OSError, match="no model"):
        serve(FastAPI(lifespan=fail))


def test_text_and_html_name_the_app_and_its_documentation():
    """A terminal reads one line; a notebook shows a link and the embedded documentation."""
    server = serve(make_app())
    expected = f"Serving 'Agent Desk' at {server.url} (docs: {server.url}/docs)"
    assert repr(server) == expected
    bundle = server._repr_mimebundle_()
    assert bundle["text/plain"] == expected
    assert f'src="{server.url}/docs"' in bundle["text/html"]
    server.stop()
    assert "stopped" in repr(server)
    assert "iframe" not in server._repr_mimebundle_()["text/html"]


def test_an_app_without_documentation_is_only_linked():
    """Without a docs page, and without FastAPI at all, there is nothing to embed."""

    async def bare(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    for app in (FastAPI(docs_url=None), FastAPI(openapi_url=None), bare):
        with serve(app) as server:
            assert "docs" not in repr(server)
            assert "iframe" not in server._repr_mimebundle_()["text/html"]


def test_a_name_is_escaped():
    """A title is text, also where it looks like HTML."""
    with serve(make_app(), name="<b>&") as server:
        assert isinstance(server, Server)
        shown = server._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;&amp;" in shown
    assert "<b>&<" not in shown


def test_the_end_of_the_process_stops_servers_quietly():
    """A script that forgets its server ends by itself, runs the shut-down and prints no error."""
    script = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from classroom import serve

@asynccontextmanager
async def lifespan(app):
    yield
    print("shut down")

server = serve(FastAPI(lifespan=lifespan))
"""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("shut down\n", "", 0)
