"""The fixtures beside `client` speak to real apps, right and wrong, and say what is wrong."""

import asyncio
import itertools
import json
import os
import socket
import threading

import httpx2
import pytest
from fastapi import Depends, FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from autograder.checks.cell import CheckCell
from autograder.checks.conversation import Line
from autograder.checks.deadlines import Deadlines
from autograder.checks.fixtures.websocket import WebSockets
from autograder.checks.job import Job, not_counted
from autograder.checks.kernel import KernelSubject
from autograder.checks.runner import run_in_thread
from autograder.checks.subject import Endpoint
from classroom.upstream import Upstream

from .conftest import PATIENT

QUICK = Deadlines(wait=0.5, again=0.5, cell=20.0)
"""For apps that never answer."""


@pytest.fixture
def check():
    """Return a function that runs a check against a notebook's names, with an outside world."""
    with Upstream() as upstream, upstream.in_environment():

        def run(body, *, entry="app", deadlines=PATIENT, starved=not_counted, **names):
            cell = CheckCell(lab="lab99", task="t1", points=1, body=body, entry=entry)
            job = Job(
                cell,
                KernelSubject(names, entry),
                deadlines=deadlines,
                upstream=lambda: upstream,
                starved=starved,
            )
            run_in_thread([cell], [job])
            run.findings = job.findings
            return job.result

        yield run


def verdicts(result):
    """Return each test's outcome and message."""
    return [(test.outcome, test.message) for test in result.tests]


PASSED = [("passed", "")]


# WebSockets


def talker():
    """An app that answers, closes and refuses."""
    app = FastAPI()

    @app.websocket("/echo")
    async def echo(socket: WebSocket):
        await socket.accept()
        try:
            while True:
                await socket.send_json({"you said": await socket.receive_text()})
        except WebSocketDisconnect:
            return

    @app.websocket("/short")
    async def short(socket: WebSocket):
        await socket.accept()
        await socket.close(4001)

    @app.websocket("/refusing")
    async def refusing(socket: WebSocket):
        await socket.close()

    @app.websocket("/last")
    async def last(socket: WebSocket):
        await socket.accept()
        app.state.last = await socket.receive_text()
        try:
            await socket.send_text("Are you there?")
        except WebSocketDisconnect as error:
            app.state.last += f", gone with {error.code}"

    @app.get("/last")
    def read_last() -> str:
        return app.state.last

    @app.websocket("/silent")
    async def silent(socket: WebSocket):
        await socket.accept()
        await socket.receive_text()

    return app


def test_a_conversation_over_a_websocket(check):
    """Messages go both ways, in JSON and text."""
    body = '''
async def test_talk(websocket):
    """It answers."""
    async with websocket("/echo") as talk:
        await talk.send_text("hello")
        assert await talk.receive_json() == {"you said": "hello"}
        await talk.send_json([1])
        assert await talk.receive_text() == '{"you said":"[1]"}'
'''
    assert verdicts(check(body, app=talker())) == PASSED


def test_a_close_code_is_told(check):
    """A check can ask with which code the app closes."""
    body = '''
async def test_close(websocket):
    """It closes."""
    async with websocket("/short") as talk:
        assert await talk.closed() == 4001
'''
    assert verdicts(check(body, app=talker())) == PASSED


def test_a_refusal_is_told_with_its_status(check):
    """A WebSocket that is not accepted has an HTTP status."""
    body = '''
async def test_refused(websocket):
    """It refuses."""
    assert await websocket.refused("/refusing") == 403
    assert await websocket.refused("/nowhere") == 403
'''
    assert verdicts(check(body, app=talker())) == PASSED


def test_a_line_that_should_be_refused_and_is_not_says_so(check):
    """The sentence of the fixture is what the student reads."""
    body = '''
async def test_refused(websocket):
    """It refuses."""
    assert await websocket.refused("/echo") == 403
'''
    sentence = "Your app accepted the WebSocket /echo; it should refuse it."
    assert verdicts(check(body, app=talker())) == [("failed", sentence)]


def test_last_words_reach_the_app_together_with_the_close(check):
    """When the app reads them, whoever said them is gone."""
    body = '''
async def test_last(websocket, client):
    """It hears the words."""
    async with websocket("/last") as talk:
        await talk.send_and_leave("goodbye")
    for _ in range(1000):
        reply = await client.get("/last")
        if reply.status_code == 200 and "gone" in reply.json():
            break
    assert reply.json() == "goodbye, gone with 1006"
'''
    assert verdicts(check(body, app=talker())) == PASSED


def test_several_messages_can_be_sent_at_once(check):
    """They leave in one write, and the app gets each of them, in order."""
    body = '''
async def test_several(websocket):
    """Three come back."""
    async with websocket("/echo") as talk:
        await talk.send_at_once("one", "two", "three")
        assert [await talk.receive_json() for _ in range(3)] == [
            {"you said": text} for text in ("one", "two", "three")
        ]
'''
    assert verdicts(check(body, app=talker())) == PASSED


def counting():
    """An app that says how many messages it has sent."""
    app = FastAPI()

    @app.get("/sent")
    async def read_sent() -> int:
        return app.state.sent

    return app


def flooder():
    """An app that sends 24 MB, and says how far it has come."""
    app = counting()

    @app.websocket("/flood")
    async def flood(socket: WebSocket):
        await socket.accept()
        for app.state.sent in range(1, 401):
            await socket.send_text("x" * 60_000)
            await asyncio.sleep(0)
        await socket.close()

    return app


def test_a_client_that_sleeps_takes_no_more(check):
    """What it does not take fills the network, and the app waits at its send until it wakes."""
    body = '''
async def test_flood(websocket, client):
    """A message or two is taken, and the rest later."""
    async with websocket("/flood", asleep=True) as talk:
        await talk.receive_text()
        for _ in range(20):
            sent = (await client.get("/sent")).json()
        assert sent < 400
        for _ in range(399):
            await talk.receive_text()
'''
    assert verdicts(check(body, app=flooder())) == PASSED


def returner():
    """An app that sends back what it gets, and says how often it has done so."""
    app = counting()

    @app.websocket("/back")
    async def back(socket: WebSocket):
        await socket.accept()
        app.state.sent = 0
        while True:
            await socket.send_text(await socket.receive_text())
            app.state.sent += 1

    return app


def test_a_text_fills_what_lies_between_an_app_and_a_client_that_sleeps(check):
    """What is sent after it waits in the app, and comes when the client wakes."""
    body = '''
async def test_filled(websocket, client):
    """The fifth message waits; then all five come."""
    texts = ["one", "two", websocket.more_than_fits(), "four", "five"]
    async with websocket("/back", asleep=True) as talk:
        for text in texts:
            await talk.send_text(text)
        for _ in range(20):
            sent = (await client.get("/sent")).json()
        assert sent < 5
        assert [await talk.receive_text() for _ in texts] == texts
'''
    assert verdicts(check(body, app=returner())) == PASSED


def test_a_unix_socket_holds_more_than_nothing_and_less_than_tcp():
    """A text for a Unix socket is longer than the socket holds, and far shorter than for TCP."""
    with socket.socket(socket.AF_UNIX) as unix:
        holds = unix.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)

    async def lengths():
        for endpoint in (
            Endpoint("http://localhost", uds="/nowhere"),
            Endpoint("http://localhost"),
        ):
            line = Line(endpoint)
            yield len(WebSockets(line.client(wait=1), wait=1).more_than_fits())
            await line.aclose()

    async def both():
        return [length async for length in lengths()]

    through_unix, through_tcp = asyncio.run(both())
    assert holds < through_unix < through_tcp


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/refusing", "Your app refused the WebSocket /refusing with status 403."),
        ("/silent", "Your app sent nothing on the WebSocket /silent within 0.5 seconds."),
        ("/short", "Your app closed the WebSocket /short with code 4001."),
    ],
)
def test_a_websocket_that_fails_says_how(check, path, sentence):
    """Refused, silent, closed: each has its sentence."""
    body = f'''
async def test_talk(websocket):
    """It answers."""
    async with websocket("{path}") as talk:
        await talk.receive_text()
'''
    assert verdicts(check(body, app=talker(), deadlines=QUICK)) == [("failed", sentence)]


def test_a_failed_comparison_inside_a_conversation_is_explained(check):
    """The session's task group does not hide what differed, and the messages are shown."""
    body = '''
async def test_talk(websocket):
    """It answers."""
    async with websocket("/echo") as talk:
        await talk.send_text("hello")
        reply = await talk.receive_json()
        assert reply == {"you said": "bye"}
'''
    (test,) = check(body, app=talker()).tests
    assert '"hello". Expected: "bye"' in test.message
    assert '← {"you said":"hello"}' in test.sent_and_got[-1].response


# Streams


def sse_native():
    """Events by FastAPI's own class."""
    app = FastAPI()

    @app.post("/chat", response_class=EventSourceResponse)
    async def chat():
        for number in range(3):
            yield ServerSentEvent(data={"n": number}, id=str(number))

    return app


def sse_by_hand():
    """Events written as text."""
    app = FastAPI()

    @app.post("/chat")
    async def chat():
        async def lines():
            for number in range(3):
                yield f"id: {number}\ndata: {json.dumps({'n': number})}\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    return app


def sse_in_crumbs():
    """Events that arrive in pieces of three bytes, by a plain generator."""
    app = FastAPI()

    @app.post("/chat")
    def chat():
        text = "".join(f"id: {n}\r\ndata: {json.dumps({'n': n})}\r\n\r\n" for n in range(3))
        crumbs = (text[at : at + 3] for at in range(0, len(text), 3))
        return StreamingResponse(crumbs, media_type="text/event-stream")

    return app


@pytest.mark.parametrize("app", [sse_native(), sse_by_hand(), sse_in_crumbs()])
def test_events_arrive_whichever_way_they_are_written(check, app):
    """Three right ways of sending events pass the same check."""
    body = '''
async def test_events(stream):
    """It sends three events."""
    async with stream("POST", "/chat") as reply:
        assert reply.status_code == 200
        assert [(e.id, e.json()["n"]) async for e in reply.events()] == [
            ("0", 0), ("1", 1), ("2", 2)]
'''
    assert verdicts(check(body, app=app)) == PASSED


def test_json_lines_arrive_one_by_one(check):
    """JSON Lines are read as values."""
    app = FastAPI()

    @app.get("/lines")
    async def lines() -> dict[str, int]:
        for number in range(3):
            yield {"n": number}

    body = '''
async def test_lines(stream):
    """It sends three lines."""
    async with stream("GET", "/lines") as reply:
        assert [line["n"] async for line in reply.lines()] == [0, 1, 2]
'''
    assert verdicts(check(body, app=app)) == PASSED


def test_a_stream_that_stops_is_noticed(check):
    """The next piece has a deadline of its own."""
    app = FastAPI()

    @app.post("/chat", response_class=EventSourceResponse)
    async def chat():
        yield ServerSentEvent(data=1)
        await asyncio.Event().wait()

    body = '''
async def test_events(stream):
    """It goes on."""
    async with stream("POST", "/chat") as reply:
        async for event in reply.events():
            pass
'''
    (test,) = check(body, app=app, deadlines=QUICK).tests
    assert test.message == "The next event of the stream had not come after 0.5 seconds."
    assert "← data: 1" in test.sent_and_got[-1].response


def test_another_content_type_is_named(check):
    """Events are asked for, JSON comes."""
    app = FastAPI()

    @app.post("/chat")
    def chat():
        return []

    body = '''
async def test_events(stream):
    """It streams."""
    async with stream("POST", "/chat") as reply:
        [event async for event in reply.events()]
'''
    (test,) = check(body, app=app).tests
    assert "application/json. Expected: text/event-stream" in test.message


# The outside world


def test_a_check_decides_by_a_gate(check):
    """Calls that run together pass, calls one after the other fail with the gate's sentence."""

    def asking(gather):
        app = FastAPI()

        @app.get("/report")
        async def report():
            async with httpx2.AsyncClient(base_url=os.environ["UPSTREAM_URL"]) as client:
                calls = [client.get(f"/legacy/{name}") for name in "abc"]
                if gather:
                    await asyncio.gather(*calls)
                else:
                    for call in calls:
                        await call

        return app

    body = '''
from autograder.checks.gates import together

async def test_together(client, upstream):
    """The three calls run together."""
    await together(client.get("/report"), calls=3, to=upstream.legacy)
'''
    assert verdicts(check(body, app=asking(gather=True))) == PASSED
    (test,) = check(body, app=asking(gather=False), deadlines=QUICK).tests
    assert "they run one after the other" in test.message


# Functions, dependencies, files, settings


def test_functions_are_called_with_json(check):
    """Values, errors and coroutines come back as data."""

    async def later(value):
        return [value]

    body = '''
async def test_call(call):
    """It calls."""
    assert (await call("double", 4)).value == 8
    assert (await call("later", {"a": 1})).value == [{"a": 1}]
    failed = await call("double", None)
    assert failed.raised == "TypeError"
'''
    assert verdicts(check(body, double=lambda number: number * 2, later=later)) == PASSED


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({}, "There is no function `double` in this notebook yet."),
        ({"double": 3}, "There is no function `double` in this notebook yet."),
        (
            {"double": lambda _: threading.Event().wait()},
            "`double` had not returned after 0.5 seconds.",
        ),
    ],
)
def test_a_function_that_cannot_be_called_says_why(check, names, sentence):
    """Missing, no function, endless."""
    body = '''
async def test_call(call):
    """It calls."""
    await call("double", 4)
'''
    assert verdicts(check(body, deadlines=QUICK, **names)) == [("failed", sentence)]


def get_store():
    """A dependency that no test may reach."""
    raise AssertionError("the real store was asked")


def shop():
    """An app over the dependency."""
    app = FastAPI()

    @app.get("/price/{name}")
    async def price(name: str, store=Depends(get_store)):  # noqa: B008 - as students write
        return {"price": await store.load(name), "tax": store.tax()}

    return app


def test_a_dependency_is_replaced_by_a_messenger_and_put_back(check):
    """Async and plain methods ask `upstream`; afterwards the real dependency is there again."""
    body = '''
import pytest

SPEC = {"load": "store.load", "tax": {"ask": "store.tax", "sync": True}}

async def test_override(client, override, upstream):
    """It asks the store."""
    upstream.questions.expect("store.load", 12)
    upstream.questions.expect("store.tax", 0.2)
    async with override("get_store", SPEC):
        reply = await client.get("/price/bell")
        assert reply.json() == {"price": 12, "tax": 0.2}
    assert (await client.get("/price/bell")).status_code == 500
    asked = [call.json for call in upstream.questions.calls]
    assert asked[0] == {"arguments": ["bell"], "named": {}}
'''
    assert verdicts(check(body, app=shop(), get_store=get_store)) == PASSED


def test_a_dependency_that_is_not_there_is_named(check):
    """The documented name is part of the task."""
    body = '''
async def test_override(client, override):
    """It asks the store."""
    async with override("get_store", {"load": "store.load"}):
        pass
'''
    (test,) = check(body, app=FastAPI()).tests
    assert "There is no dependency `get_store`" in test.message


def test_settings_reach_a_factory_and_are_gone_afterwards(check):
    """A lab whose tests change settings is served anew each time."""

    def create_app():
        limit = os.environ.get("LIMIT", "none")
        app = FastAPI()

        @app.get("/limit")
        def read():
            return limit

        return app

    body = '''
async def test_settings(client, settings):
    """It reads its limit."""
    assert (await client.get("/limit")).json() == "none"
    async with settings(LIMIT="3") as other:
        assert (await other.get("/limit")).json() == "3"

async def test_afterwards(client):
    """It is as before."""
    assert (await client.get("/limit")).json() == "none"
'''
    assert verdicts(check(body, entry="create_app", create_app=create_app)) == PASSED * 2


def test_what_an_app_with_other_settings_raised_is_told(check):
    """It is known although the app is served as before when the test fails."""
    app = FastAPI()

    @app.get("/broken")
    def broken():
        raise RuntimeError("bound to a different event loop")

    body = '''
async def test_again(settings):
    """It answers."""
    async with settings() as client:
        reply = await client.get("/broken")
    assert reply.status_code == 200
'''
    (test,) = check(body, app=app).tests
    assert test.raised.startswith("RuntimeError: bound to a different event loop")


def test_files_are_read_as_bytes_and_only_beside_the_notebook(check, tmp_path, monkeypatch):
    """A deliverable is bytes; what lies elsewhere is not there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_bytes(b"FROM python")
    (tmp_path / "link").symlink_to("/etc/hostname")
    body = '''
def test_file(files):
    """It is there."""
    assert files["Dockerfile"] == b"FROM python"

def test_link(files):
    """It is beside the notebook."""
    files["link"]
'''
    result = check(body)
    assert verdicts(result) == [
        ("passed", ""),
        ("failed", "There is no file `link` beside the notebook yet."),
    ]


def test_the_served_contract_is_checked(check):
    """The OpenAPI document is valid, and one that is not says where."""
    good, bad = shop(), shop()
    bad.openapi = lambda: {"openapi": "3.1.0", "info": {"title": "no version"}, "paths": {}}
    body = '''
async def test_contract(openapi):
    """It is documented."""
    assert "/price/{name}" in (await openapi())["paths"]
'''
    assert verdicts(check(body, app=good)) == PASSED
    (test,) = check(body, app=bad).tests
    assert "breaks a rule at info" in test.message


async def careful(client):
    """A student's test that catches the fault."""
    assert (await client.get("/greeting")).json() == "hello"


def careless(client):
    """A student's test that looks at the status only."""
    assert client.get("/greeting").status_code == 200


async def wrong(client):
    """A student's test that fails on the good app."""
    assert (await client.get("/greeting")).json() == "bye"


STUDENT_TESTS = '''
from fastapi import FastAPI

def greeting(text):
    app = FastAPI()
    app.get("/greeting")(lambda: text)
    return app

async def test_student_tests(student_tests):
    """Your test catches the faults."""
    caught = await student_tests(
        "test_it", good=greeting("hello"), broken={"rude": greeting("go"), "mute": greeting("")})
    assert caught.passes_good, caught.why
    assert caught.missed == set()
'''


async def grouped(client):
    """A student's test that fails inside a block which makes groups of errors."""
    async with asyncio.TaskGroup():
        assert (await client.get("/greeting")).json() == "bye", "said inside"


def test_what_a_students_test_says_inside_a_group_is_told(check):
    """A WebSocket's block wraps what is raised in it; the student reads the error itself."""
    ((_, message),) = verdicts(check(STUDENT_TESTS, test_it=grouped))
    assert message.startswith("AssertionError: said inside")


def test_a_students_test_is_judged_by_what_it_catches(check):
    """It must pass on the good app and fail on each broken one."""
    assert verdicts(check(STUDENT_TESTS, test_it=careful)) == PASSED
    ((outcome, message),) = verdicts(check(STUDENT_TESTS, test_it=careless))
    assert (outcome, "mute" in message, "rude" in message) == ("failed", True, True)
    assert verdicts(check(STUDENT_TESTS, test_it=wrong))[0][1].startswith("AssertionError")
    assert "There is no function `test_it`" in verdicts(check(STUDENT_TESTS))[0][1]


@pytest.mark.parametrize(
    ("test", "waited", "doubted"),
    [
        (wrong, 0.2, True),
        (wrong, 0.01, False),
        (careless, 0.2, False),
        (careful, 0.2, False),
    ],
)
def test_one_that_fails_on_the_good_app_of_a_busy_machine_is_in_doubt(check, test, waited, doubted):
    """The good app may not have waited long enough for it, so it is judged again alone."""
    waits = itertools.count()
    check(STUDENT_TESTS, starved=lambda _: next(waits) * waited, test_it=test)
    assert check.findings.kept_waiting == doubted
