"""Virtual time is exact, quick, and not fooled by threads."""

import asyncio
import threading
import time
from collections.abc import AsyncIterable
from contextlib import asynccontextmanager

import anyio
import anyio.from_thread
import anyio.to_thread
import httpx2
import pytest
from fastapi import BackgroundTasks, FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from classroom.virtual_time import StandstillError, in_virtual_time

pytestmark = pytest.mark.usefixtures("ends_its_threads")

DAY = 86_400


@asynccontextmanager
async def _lifespan(_app):
    await asyncio.sleep(3.3)
    log.append("up")
    yield {"model": "tiny"}
    log.append("down")


app = FastAPI(lifespan=_lifespan)
log = []


@app.get("/sleep")
async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


@app.get("/def")
def in_a_thread() -> int:
    time.sleep(0.02)
    return threading.get_ident()


@app.get("/to-thread")
async def to_thread() -> int:
    return await asyncio.to_thread(threading.get_ident)


@app.get("/model")
async def model(request: Request) -> str:
    return request.state.model


@app.get("/fails")
async def fails() -> None:
    raise LookupError("no such agent")


@app.get("/ticks", response_class=EventSourceResponse)
async def ticks() -> AsyncIterable[ServerSentEvent]:
    try:
        for number in range(3):
            await asyncio.sleep(40)
            log.append(number)
            yield ServerSentEvent(data=number)
    finally:
        log.append("closed")


@app.get("/sync-ticks")
def sync_ticks() -> StreamingResponse:
    return StreamingResponse(str(number) for number in range(3))


@app.get("/breaks")
async def breaks() -> StreamingResponse:
    async def parts():
        yield b"one"
        raise LookupError("the model is gone")

    return StreamingResponse(parts())


@app.post("/later")
async def later(tasks: BackgroundTasks) -> None:
    async def work() -> None:
        await asyncio.sleep(30)
        log.append("worked")

    tasks.add_task(work)


@app.websocket("/ws")
async def ws(socket: WebSocket) -> None:
    await socket.accept()
    for number in range(3):
        await asyncio.sleep(10)
        await socket.send_text(str(number))
    await socket.close()


@pytest.fixture(autouse=True)
def _empty_log():
    log.clear()


def _get(path):
    async def scenario(desk):
        return await desk.client.get(path)

    return scenario


async def _one_after_the_other(_desk):
    for seconds in (0.1, 0.2, 0.5):
        await asyncio.sleep(seconds)


async def _together(_desk):
    await asyncio.gather(*(asyncio.sleep(seconds) for seconds in (0.1, 0.2, 0.5)))


def test_sleeping_in_sequence_adds_up_exactly():
    """0.1, 0.2 and 0.5 seconds make exactly 0.8."""
    assert in_virtual_time(_one_after_the_other).seconds == 0.8


def test_sleeping_together_takes_the_longest():
    """Gathered sleeps of 0.1, 0.2 and 0.5 seconds take exactly 0.5."""
    assert in_virtual_time(_together).seconds == 0.5


@pytest.mark.parametrize("seconds", [1e-9, 0.3333333333, 1 / 3, 7 * DAY])
def test_any_sleep_is_exact_to_the_nanosecond(seconds):
    """Tiny, crooked and long sleeps end at their time."""
    run = in_virtual_time(_get(f"/sleep?seconds={seconds!r}"), app)
    assert run.seconds == pytest.approx(seconds, rel=0, abs=1e-9)


def test_a_sleep_of_a_century_ends():
    """Far from zero, where floats are coarse, timers still fire."""
    century = 36_525 * DAY
    run = in_virtual_time(_get(f"/sleep?seconds={century}"), app)
    assert run.seconds == pytest.approx(century)


def test_a_thousand_sums_of_tenths_stay_exact():
    """A thousand sleeps of a tenth are a hundred seconds, without a rounding error."""

    async def scenario(_desk):
        for _ in range(1000):
            await asyncio.sleep(0.1)

    assert in_virtual_time(scenario).seconds == 100


def test_a_start_up_that_sleeps_is_not_counted():
    """The clock of a scenario begins when the app has started."""
    run = in_virtual_time(_get("/sleep?seconds=0.1"), app)
    assert run.seconds == 0.1
    assert run.visits[0].entered == 0
    assert run.visits[0].left == 0.1


@pytest.mark.parametrize("path", ["/def", "/to-thread"])
def test_a_thread_does_not_let_the_clock_jump_over_a_timer(path):
    """The thread trap: under a timer of a day, a request that a thread answers takes 0 seconds."""

    async def scenario(desk):
        async with asyncio.timeout(DAY):
            return (await desk.client.get(path)).json()

    run = in_virtual_time(scenario, app)
    assert run.seconds == 0
    assert run.result != threading.get_ident()


def test_a_thread_wins_against_any_timer():
    """A short timer beside a thread is not reached, however long the thread really takes."""
    may_go = threading.Event()

    async def scenario(_desk):
        threading.Timer(0.05, may_go.set).start()
        for call in (anyio.to_thread.run_sync, asyncio.to_thread):
            async with asyncio.timeout(1e-6):
                await call(may_go.wait)

    assert in_virtual_time(scenario).seconds == 0


def test_timers_go_on_when_the_threads_are_done():
    """A heartbeat beside a thread does not beat meanwhile, and beats exactly afterwards."""

    async def scenario(desk):
        beats = []

        async def beat():
            while True:
                await asyncio.sleep(1)
                beats.append(desk.now)

        task = asyncio.create_task(beat())
        await asyncio.to_thread(time.sleep, 0.02)
        seen = len(beats)
        await asyncio.sleep(3.5)
        task.cancel()
        return seen, beats

    assert in_virtual_time(scenario).result == (0, [1, 2, 3])


def test_a_sync_stream_gets_its_parts():
    """A generator without async, which runs in threads, streams in 0 seconds."""
    run = in_virtual_time(_get("/sync-ticks"), app)
    assert (run.result.text, run.seconds) == ("012", 0)


def test_a_blocked_loop_takes_no_virtual_time():
    """time.sleep on the loop shows as 0 virtual seconds: it is no tool to find it."""

    async def scenario(_desk):
        time.sleep(0.001)  # noqa: ASYNC251 - the fault that is shown

    assert in_virtual_time(scenario).seconds == 0


def test_streamed_events_arrive_one_by_one_with_pings():
    """Events every 40 s, and FastAPI's own ping 15 s after whatever came last."""

    async def scenario(desk):
        async with desk.client.stream("GET", "/ticks") as reply:
            return [(desk.now, line) async for line in reply.aiter_lines() if line]

    run = in_virtual_time(scenario, app)
    assert run.result == [
        (15, ": ping"),
        (30, ": ping"),
        (40, "data: 0"),
        (55, ": ping"),
        (70, ": ping"),
        (80, "data: 1"),
        (95, ": ping"),
        (110, ": ping"),
        (120, "data: 2"),
    ]
    assert run.visits[0].sent_at == (15, 30, 40, 55, 70, 80, 95, 110, 120)


def test_an_app_hears_that_its_reader_leaves():
    """A client that leaves at the second event stops the tokens."""

    async def scenario(desk):
        async with desk.client.stream("GET", "/ticks") as reply:
            async for line in reply.aiter_lines():
                if line == "data: 1":
                    break
        left = desk.now
        await asyncio.sleep(200)
        return left

    assert in_virtual_time(scenario, app).result == 80
    assert log == ["up", 0, 1, "closed", "down"]


def test_websockets_work():
    """Messages every ten seconds arrive at 10, 20 and 30."""

    async def scenario(desk):
        async with desk.client.websocket("ws://desk/ws") as socket:
            return [(await socket.receive_text(), desk.now) for _ in range(3)]

    assert in_virtual_time(scenario, app).result == [("0", 10), ("1", 20), ("2", 30)]


def test_background_work_ends_after_the_answer():
    """The answer is there at 0 s; the background task is done 30 s later."""

    async def scenario(desk):
        await desk.client.post("/later")
        answered = desk.now, list(log)
        await asyncio.sleep(60)
        return answered, list(log)

    run = in_virtual_time(scenario, app)
    assert run.result == ((0, ["up"]), ["up", "worked"])
    assert run.visits[0].left == 30


def test_lifespan_runs_and_its_state_reaches_requests():
    """Start-up and shut-down code runs, and requests see what the start-up left."""
    assert in_virtual_time(_get("/model"), app).result.json() == "tiny"
    assert log == ["up", "down"]


def test_an_app_without_lifespan_is_fine():
    """An ASGI app that raises at the lifespan's question is served all the same."""

    async def app(scope, _receive, send):
        if scope["type"] != "http":
            raise RuntimeError("only HTTP")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    assert in_virtual_time(_get("/"), app).result.status_code == 204


def test_a_start_up_that_fails_is_raised():
    """What the app's start-up raises comes out of the call."""

    @asynccontextmanager
    async def broken(_app):
        raise LookupError("no model file")
        yield

    with pytest.raises(LookupError, match="no model file"):
        in_virtual_time(_get("/"), FastAPI(lifespan=broken))


def test_shut_down_code_runs_after_a_failed_scenario():
    """A scenario's error is raised, and the app is shut down properly."""

    async def scenario(_desk):
        raise LookupError("typo")

    with pytest.raises(LookupError, match="typo"):
        in_virtual_time(scenario, app)
    assert log == ["up", "down"]


def test_an_error_before_the_answer_is_a_500():
    """FastAPI answers 500, as over a socket, and the trace keeps the reason."""
    run = in_virtual_time(_get("/fails"), app)
    assert run.result.status_code == 500
    assert run.visits[0].error == "LookupError: no such agent"


def test_an_error_in_mid_stream_cuts_the_answer_off():
    """The client has the first part, and then a broken protocol, as over a socket."""

    async def scenario(desk):
        async with desk.client.stream("GET", "/breaks") as reply:
            parts = reply.aiter_bytes()
            first = await anext(parts)
            with pytest.raises(httpx2.RemoteProtocolError):
                await anext(parts)
        return first

    assert in_virtual_time(scenario, app).result == b"one"


def test_waiting_for_nothing_is_an_error():
    """A scenario that can never end says so, instead of hanging."""

    async def scenario(_desk):
        await asyncio.sleep(5)
        await asyncio.Event().wait()

    with pytest.raises(StandstillError, match="stands still at 5 s: every task waits"):
        in_virtual_time(scenario, patience=0.05)


def test_a_thread_that_waits_for_the_clock_is_an_error():
    """A thread which sleeps by the loop's clock, which waits for the thread, is named."""

    async def scenario(_desk):
        await anyio.to_thread.run_sync(anyio.from_thread.run, asyncio.sleep, 1)

    with pytest.raises(StandstillError, match="a thread has worked for"):
        in_virtual_time(scenario, patience=0.05)


def test_it_works_inside_a_running_loop():
    """A coroutine of another loop may call it; its own clock is not touched."""

    async def cell():
        return in_virtual_time(_together).seconds

    assert asyncio.run(cell()) == 0.5


@pytest.mark.notebook
def test_it_works_in_a_notebook_after_nest_asyncio(notebook):
    """In a kernel, all cells queued at once, with nest_asyncio applied, the numbers are exact."""
    *_, shown = notebook.run_all(
        "import nest_asyncio; nest_asyncio.apply()",
        "import asyncio, time\nfrom fastapi import FastAPI\n"
        "from classroom.virtual_time import in_virtual_time\napp = FastAPI()",
        "@app.get('/')\ndef answer():\n    time.sleep(.01)\n    return 7",
        "async def scenario(desk):\n"
        "    await asyncio.gather(asyncio.sleep(.2), asyncio.sleep(.5))\n"
        "    async with asyncio.timeout(1000):\n"
        "        return (await desk.client.get('/')).json()",
        "run = in_virtual_time(scenario, app)\nprint(run.result, run.seconds)",
    )
    assert shown == [("stdout", "7 0.5\n")]


def test_a_run_says_what_it_took():
    """As text a run names its virtual seconds."""
    assert str(in_virtual_time(_together)).startswith("0.5 s of virtual time, in ")
