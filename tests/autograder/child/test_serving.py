"""The app that the cells have made is served by a real uvicorn on a Unix socket."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from autograder.child import ChildLostError, ForkServer, Submission, Trouble
from autograder.sandbox import Policy

from .conftest import PATIENT, SOON, ask, request

HELLO = """
from fastapi import FastAPI
app = FastAPI()

@app.get("/")
def hello():
    print("asked")
    return {"hello": "you"}
"""


def test_an_app_is_served(child: Submission):
    """A route answers over the socket, and what it prints is kept."""
    child.run("t1", HELLO, deadline=PATIENT)
    assert ask(child).json() == {"hello": "you"}
    assert child.printed().stdout == "asked\n"
    assert child.printed().stdout == ""


def test_serving_again_shows_the_state_at_that_place(child: Submission):
    """A check sees what the notebook had made when it came, as in a kernel."""
    child.run("t1", HELLO, deadline=PATIENT)
    assert ask(child, "/more").status_code == 404
    child.run("t2", "@app.get('/more')\nasync def more():\n    return 1", deadline=PATIENT)
    assert ask(child, "/more").json() == 1


def test_a_factory_is_called_with_its_environment(child: Submission):
    """`create_app` sees the settings of this serving, and the next one has them no more."""
    source = (
        "import os\nfrom fastapi import FastAPI\ndef create_app():\n    app = FastAPI()\n"
        "    size = os.environ.get('SIZE', 'none')\n"
        "    @app.get('/')\n    def get(): return size\n    return app"
    )
    child.run("t1", source, deadline=PATIENT)
    options = {"entry": "create_app"}
    assert ask(child, **options, environment={"SIZE": "3"}).json() == "3"
    assert ask(child, **options).json() == "none"


def test_an_app_that_stops_its_own_loop_hangs_up(child: Submission):
    """Who is connected then learns it at once, instead of waiting for an answer in vain."""
    source = (
        "import asyncio\n@app.get('/stop')\nasync def stop():\n"
        "    asyncio.get_running_loop().stop()"
    )
    child.run("t1", f"{HELLO}\n{source}", deadline=PATIENT)
    served = child.serve(deadline=PATIENT)
    with socket.socket(socket.AF_UNIX) as talk:
        talk.settimeout(PATIENT)
        talk.connect(str(served.socket))
        talk.sendall(b"GET /stop HTTP/1.1\r\nhost: app\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while talk.recv(4096):  # there may be an answer first
                pass


def test_the_lifespan_runs(child: Submission):
    """Start-up has run before the first request, and shutdown when serving has stopped."""
    source = (
        "from contextlib import asynccontextmanager\nfrom fastapi import FastAPI\nlog = []\n"
        "@asynccontextmanager\nasync def life(app):\n    log.append('up')\n    yield\n"
        "    log.append('down')\n"
        "app = FastAPI(lifespan=life)\n@app.get('/')\ndef get(): return log"
    )
    child.run("t1", source, deadline=PATIENT)
    assert ask(child).json() == ["up"]
    child.unserve(deadline=PATIENT)
    assert child.run("t2", "log", deadline=PATIENT).result == "['up', 'down']"


@pytest.mark.parametrize(
    ("source", "kind", "line"),
    [
        ("app = 1", "NotServable", None),
        ("pass", "NotServable", None),
        (
            (
                "from fastapi import FastAPI\nasync def life(app):\n    raise OSError('no disk')\n"
                "    yield\nfrom contextlib import asynccontextmanager\n"
                "app = FastAPI(lifespan=asynccontextmanager(life))"
            ),
            "OSError",
            3,
        ),
    ],
)
def test_an_app_that_does_not_start_says_why(child: Submission, source, kind, line):
    """What kept the app from starting comes back with the student's own line."""
    child.run("t1", source, deadline=PATIENT)
    served = child.serve(deadline=PATIENT)
    assert served.raised is not None
    assert (served.raised.type, served.raised.line) == (kind, line)
    with socket.socket(socket.AF_UNIX) as caller, pytest.raises(ConnectionRefusedError):
        caller.connect(str(served.socket))
    assert child.run("t2", "1", deadline=PATIENT).ok


def test_errors_of_requests_are_on_record(child: Submission):
    """An unhandled error answers 500, and is told with the student's own line."""
    source = HELLO + "\n@app.get('/bad')\nasync def bad():\n    return {}['key']\n"
    child.run("t1", source, deadline=PATIENT)
    assert ask(child, "/bad").status_code == 500
    (error,) = child.errors(deadline=PATIENT)
    assert (error.type, error.cell, error.source) == ("KeyError", "t1", "return {}['key']")
    assert child.errors(deadline=PATIENT) == []


def test_errors_are_bounded(child: Submission):
    """Twenty errors are kept, each cut, whatever the app does."""
    source = HELLO + "\n@app.get('/bad')\nasync def bad():\n    raise ValueError('x' * 10**6)\n"
    child.run("t1", source, deadline=PATIENT)
    served = child.serve(deadline=PATIENT)
    for _ in range(25):
        request(served.socket, "/bad")
    errors = child.errors(deadline=PATIENT)
    assert len(errors) == 20
    assert len(errors[0].message) <= 2000


def test_a_blocked_app_costs_one_deadline(child: Submission):
    """An app whose loop stands still is given up at the deadline, then at once."""
    source = HELLO + "\n@app.get('/stuck')\nasync def stuck():\n    while True: pass\n"
    child.run("t1", source, deadline=PATIENT)
    served = child.serve(deadline=PATIENT)
    with pytest.raises(httpx.HTTPError):
        request(served.socket, "/stuck", seconds=SOON)
    for _ in range(2):
        with pytest.raises(ChildLostError) as lost:
            child.unserve(deadline=SOON)
        assert lost.value.loss.trouble is Trouble.ENDLESS


def test_a_function_is_called_with_json(child: Submission):
    """`call` gives JSON and gets JSON; models become objects."""
    source = (
        "from pydantic import BaseModel\nclass A(BaseModel):\n    x: int\n"
        "def make(x): return A(x=x)\nasync def later(**_): return 'later'\n"
        "async def slow(): return {'a': (1, 2)}"
    )
    child.run("t1", source, deadline=PATIENT)
    assert child.call("make", 3, deadline=PATIENT).value == {"x": 3}
    assert child.call("slow", deadline=PATIENT).value == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("fails", "LookupError"), ("nothing", "NotServable"), ("odd", "PydanticSerializationError")],
)
def test_a_call_that_fails_tells_type_and_message(child: Submission, name, kind):
    """An error of the function, its absence, or a value that is no JSON comes back as such."""
    child.run("t1", "def fails(): raise LookupError('gone')\ndef odd(): return object()",
              deadline=PATIENT)  # fmt: skip
    called = child.call(name, deadline=PATIENT)
    assert called.raised is not None
    assert called.raised.type == kind


def test_many_submissions_are_served_at_once(server: ForkServer):
    """One server may be used from several threads; each submission answers for itself."""

    def grade(number: int) -> int:
        with server.submission(Policy()) as child:
            child.run("t1", f"{HELLO}\n@app.get('/n')\ndef n(): return {number}", deadline=PATIENT)
            answer: int = ask(child, "/n").json()
            return answer

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(grade, range(12))) == list(range(12))


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


@pytest.fixture
def upstream(server: ForkServer) -> Iterator[int]:
    """Serve an outside world on the listener, and give its port."""
    with server.listener() as listening:
        web = HTTPServer(("127.0.0.1", 0), Hello, bind_and_activate=False)
        web.socket.close()
        web.socket = listening
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield listening.getsockname()[1]
        web.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "source",
    [
        "import httpx\nhttpx.get(url).text",
        "import httpx2\nhttpx2.get(url).text",
        "import requests\nrequests.get(url).text",
        "import urllib.request\nurllib.request.urlopen(url).read().decode()",
        "import httpx\nasync with httpx.AsyncClient() as c: text = (await c.get(url)).text\ntext",
        (
            "import aiohttp\nasync with aiohttp.ClientSession() as s:\n"
            "    text = await (await s.get(url)).text()\ntext"
        ),
        "import httpx\nhttpx.get(url.replace('127.0.0.1', 'localhost')).text",
    ],
)
def test_upstream_is_reached_by_any_library(server: ForkServer, upstream: int, source: str):
    """The lab's outside world is plain TCP at `UPSTREAM_URL`."""
    url = (("UPSTREAM_URL", f"http://127.0.0.1:{upstream}/"),)
    with server.submission(Policy(upstream_port=upstream, environment=url)) as child:
        child.run("t0", "import os\nurl = os.environ['UPSTREAM_URL']", deadline=PATIENT)
        ran = child.run("t1", source, deadline=PATIENT)
    assert ran.result == "'hello'", ran.raised


def test_no_other_port_is_reached(server: ForkServer, upstream: int):
    """A port beside the upstream's is out of reach, and so is the upstream where not granted."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        source = f"import socket\nsocket.create_connection(('127.0.0.1', {other.getsockname()[1]}))"
        with server.submission(Policy(upstream_port=upstream)) as child:
            raised = child.run("t1", source, deadline=PATIENT).raised
    assert raised is not None
    assert raised.type == "PermissionError"
    with server.submission(Policy()) as child:
        source = f"import socket\nsocket.create_connection(('127.0.0.1', {upstream}))"
        raised = child.run("t1", source, deadline=PATIENT).raised
    assert raised is not None
    assert raised.type == "PermissionError"
