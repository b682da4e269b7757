"""Each gate lets every right design pass and tells every wrong one its own sentence.

The apps are served for real and call a real upstream, through httpx2 and OpenAI's client.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import random
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from autograder.checks import gates
from autograder.checks.gates import Deadline, GateClosed, within
from classroom.serving import BackgroundServer
from classroom.upstream import Slow, Upstream

pytestmark = pytest.mark.anyio

_file = Path(__file__).parents[3] / "benchmarks" / "gate_designs.py"
_spec = importlib.util.spec_from_file_location("gate_designs", _file)
designs = sys.modules["gate_designs"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(designs)

RIGHT = [
    pytest.param(name, design, id=f"{name}-{design.__name__}")
    for name, pattern in designs.PATTERNS.items()
    for design in pattern.right
]
WRONG = [
    pytest.param(place, sentence, id=f"{name}-{design.__name__}")
    for place, (name, design, sentence) in enumerate(
        (name, design, sentence)
        for name, pattern in designs.PATTERNS.items()
        for design, sentence in pattern.wrong
    )
]
PATIENT = Deadline(seconds=10)
LONG_ENOUGH = Deadline(seconds=3)
SHORT = Deadline(seconds=0.3)
keys = itertools.count()


@dataclass
class World:
    """An upstream that is in the environment, and the delays of everything else."""

    upstream: Upstream
    pause: Callable[[], float]

    async def at_the_gate(self, name, design, *, deadline):
        """Serve a design and try it at its gate."""

        async def wait_before_sending(_request):
            await asyncio.sleep(self.pause())

        hooks = {"request": [wait_before_sending]}
        with BackgroundServer(designs.app_of(design, self.pause)) as server, within(deadline):
            async with browser(base_url=server.url, event_hooks=hooks) as client:
                key = f"key-{next(keys)}-"
                return await designs.at_its_gate(name, client, self.upstream, key)

    async def all_wrong(self):
        """Try every wrong design, side by side, and return what each was told."""
        tries = [
            self.at_the_gate(name, design, deadline=LONG_ENOUGH)
            for name, pattern in designs.PATTERNS.items()
            for design, _ in pattern.wrong
        ]
        return await asyncio.gather(*tries, return_exceptions=True)


@pytest.fixture
def anyio_backend():
    return "asyncio"


def browser(**options):
    """Return a client without the TLS context, which takes longer to make than a gate."""
    return httpx2.AsyncClient(verify=False, **{"timeout": None} | options)


def no_pause():
    return 0.0


def pauses(seed):
    drawn = random.Random(seed)  # noqa: S311 - delays, not secrets
    return lambda: drawn.choice((0, 0, drawn.uniform(0, 0.02)))


@contextmanager
def world_of(delay, pause):
    with Upstream(delay=delay) as upstream, upstream.in_environment():
        yield World(upstream, pause)


@pytest.fixture(scope="module", params=["calm", "under-delays"])
def world(request):
    """A calm world, and one in which client, app and upstream dawdle at random."""
    calm = request.param == "calm"
    with world_of(*((no_pause, no_pause) if calm else (pauses(1), pauses(2)))) as world:
        yield world


@pytest.fixture(scope="module")
def told(world):
    """What every wrong design was told in this world, by its place in the list."""
    return asyncio.run(world.all_wrong())


@pytest.fixture
def calm():
    with world_of(no_pause, no_pause) as world:
        yield world.upstream


@pytest.mark.parametrize(("name", "design"), RIGHT)
async def test_right_designs_pass(world, name, design):
    """A right design passes its gate, whatever it is built from and whoever dawdles."""
    await world.at_the_gate(name, design, deadline=PATIENT)


@pytest.mark.parametrize(("place", "sentence"), WRONG)
def test_wrong_designs_fail_with_their_sentence(told, place, sentence):
    """A wrong design fails and is told why; no delay lets it through or changes the sentence."""
    assert isinstance(told[place], GateClosed)
    assert sentence in str(told[place])


SUBMISSION = f"""
import sys
sys.path.insert(0, {str(_file.parent)!r})
import gate_designs
from classroom.serving import BackgroundServer

right, wrong = (gate_designs.app_of(getattr(gate_designs, name)) for name in sys.argv[1:])
with BackgroundServer(right) as one, BackgroundServer(wrong) as other:
    print(one.url, other.url, flush=True)
    sys.stdin.read()
"""


async def test_submissions_in_another_process_are_judged_the_same(calm):
    """The app may live in a process of its own, as it does in grading."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SUBMISSION, "plain_text", "thread_goes_on"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        right, wrong = (await process.stdout.readline()).decode().split()
        async with browser(base_url=right) as client:
            await designs.at_its_gate("cancelled_on_leave", client, calm, "right-")
        async with browser(base_url=wrong) as client:
            with within(SHORT), pytest.raises(GateClosed, match="goes on with"):
                await designs.at_its_gate("cancelled_on_leave", client, calm, "wrong-")
    finally:
        await process.communicate(b"")


@pytest.fixture
async def app(calm):
    """An app to which a test adds routes; `app.client` speaks to it."""
    app = FastAPI()
    with BackgroundServer(app) as server:
        async with browser(base_url=server.url) as client:
            app.client = client
            yield app


async def test_an_answer_without_any_call_is_decided_at_once(calm, app):
    """An app that answers before its calls have come is not waited for."""

    @app.get("/report")
    async def report():
        return JSONResponse({}, 418)

    with within(Deadline(seconds=60)), pytest.raises(GateClosed) as caught:
        await gates.together(app.client.get("/report"), calls=3, to=calm.legacy)
    assert str(caught.value) == (
        "No call came to the legacy service. The app answered 418 before that."
    )
    assert not caught.value.stood_still


async def test_a_stream_that_ends_too_early_is_decided_at_once(calm, app):
    """A stream that ends without the model's words is not waited for."""
    with within(Deadline(seconds=60)), pytest.raises(GateClosed, match="answered 404"):
        await gates.streamed(app.client.stream("GET", "/nowhere"), to=calm.chat)


async def test_standing_still_is_told_from_being_decided(calm, app):
    """`stood_still` is set when the deadline ended the wait."""

    @app.get("/report")
    async def report():
        await asyncio.Event().wait()

    with within(Deadline(seconds=0.05)), pytest.raises(GateClosed) as caught:
        await gates.together(app.client.get("/report"), calls=3, to=calm.legacy)
    assert caught.value.stood_still


async def test_a_client_that_gives_up_first_changes_no_sentence(calm):
    """A client's own timeout, earlier than the deadline, does not hide what the gate saw."""
    design = designs.one_after_the_other
    with BackgroundServer(designs.app_of(design)) as server:
        async with browser(base_url=server.url, timeout=0.5) as client:
            with (
                within(Deadline(seconds=1)),
                pytest.raises(GateClosed, match="one after the other"),
            ):
                await designs.at_its_gate("together", client, calm, f"key-{next(keys)}-")


async def test_a_reader_that_gives_up_first_changes_no_sentence(calm):
    """The same holds for the reader of a stream."""
    with BackgroundServer(designs.app_of(designs.collects)) as server:
        async with browser(base_url=server.url, timeout=0.5) as client:
            with (
                within(Deadline(seconds=1)),
                pytest.raises(GateClosed, match="first word had left"),
            ):
                await designs.at_its_gate("streamed", client, calm, "reader-")


async def test_a_stream_that_breaks_off_is_that(calm, app):
    """An app that fails in mid-stream is told so at once."""

    async def words():
        async for word in designs._words("x", no_pause):
            yield word
            if word:
                raise OSError("a fault of the app")

    @app.get("/stream")
    async def stream():
        return designs.StreamingResponse(words(), media_type="text/plain")

    with within(Deadline(seconds=60)), pytest.raises(GateClosed, match=r"\(status 200\) broke off"):
        await gates.streamed(app.client.stream("GET", "/stream"), to=calm.chat)


async def test_an_app_that_cannot_be_reached_is_that(calm):
    """A broken connection is reported as itself, not as a sentence about order."""
    async with browser(base_url="http://127.0.0.1:1") as client:
        with pytest.raises(httpx2.ConnectError):
            await gates.together(client.get("/report"), calls=3, to=calm.legacy)


async def test_a_background_call_that_is_broken_off_is_no_work_done(calm, app):
    """A mail that is begun in the background and given up does not count."""

    async def hasty():
        with pytest.raises(httpx2.TimeoutException):
            async with browser(timeout=0.05) as client:
                await client.post(f"{calm.url}/mail", json={"to": "ann"})

    tasks = []

    @app.post("/orders")
    async def order():
        tasks.append(asyncio.create_task(hasty()))

    with calm.mail.script(Slow(60)), pytest.raises(GateClosed, match="broken off"):
        await gates.in_the_background(app.client.post("/orders"), to=calm.mail)


async def test_a_request_that_is_no_stream_can_be_left(calm, app):
    """An app that watches for its client's leaving gives up its own call."""

    @app.get("/careful")
    async def careful(request: designs.Request):
        async with browser() as client:
            asking = asyncio.create_task(client.get(f"{calm.url}/legacy/a"))
            while not await request.is_disconnected():
                await asyncio.wait({asking}, timeout=0.01)
            asking.cancel()

    @app.get("/careless")
    async def careless():
        async with browser() as client:
            return (await client.get(f"{calm.url}/legacy/b")).json()

    await gates.cancelled_on_leave(app.client.get("/careful"), to=calm.legacy)
    with within(SHORT), pytest.raises(GateClosed, match="goes on with its call to the legacy"):
        await gates.cancelled_on_leave(app.client.get("/careless"), to=calm.legacy)


async def test_anything_that_yields_text_can_be_streamed(calm):
    """A WebSocket's messages, or any pieces of text, are judged like a response's body."""

    async def pieces():
        asked = designs._chat("anything", stream=True)
        url = f"{calm.url}/v1/chat/completions"
        async with browser() as client, client.stream("POST", url, json=asked) as reply:
            async for line in reply.aiter_lines():
                yield line

    received = await gates.streamed(pieces(), to=calm.chat)
    assert received.has("lanterns")


@pytest.mark.parametrize("held_back", [False, True])
async def test_the_words_may_be_given(calm, held_back):
    """A stream that keeps a word with a line end back is found with words that have one."""

    async def pieces():
        asked, kept = designs._chat("anything", stream=True), ""
        url = f"{calm.url}/v1/chat/completions"
        async with browser() as client, client.stream("POST", url, json=asked) as reply:
            async for line in reply.aiter_lines():
                kept += line
                if line and not (held_back and "\\n" in line):
                    yield kept
                    kept = ""

    asked = gates.streamed(pieces(), to=calm.chat, words=["Quokkas\n", " juggle"])
    if not held_back:
        assert (await asked).has("juggle")
        return
    with within(Deadline(seconds=0.5)), pytest.raises(GateClosed, match="The first word had left"):
        await asked


async def test_what_was_streamed_is_returned(calm):
    """The gate returns status, headers and the whole text for further tests."""
    world = World(calm, no_pause)
    received = await world.at_the_gate("streamed", designs.plain_text, deadline=PATIENT)
    assert received.status_code == 200
    assert received.headers["content-type"].startswith("text/plain")
    assert received.text == "Quokkas juggle velvet lanterns"


async def test_a_blocked_app_does_not_keep_a_limit_by_accident(calm):
    """An app whose loop is blocked is told so by `at_most`, instead of passing."""

    def blocks(app, _pause):
        @app.post("/batch/{key}")
        async def batch(key):
            return [designs._get_blocking(f"/legacy/{key}/{n}", lambda: 0.0) for n in range(3)]

    app = designs.app_of(blocks)
    with BackgroundServer(app) as server, within(SHORT):
        async with browser(base_url=server.url) as client:
            with pytest.raises(GateClosed, match="event loop is blocked"):
                await gates.at_most(2, client.post("/batch/a"), to=calm.legacy, client=client)
