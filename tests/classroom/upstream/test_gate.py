"""A gate keeps calls open, counts them, and lets them go in order."""

from __future__ import annotations

import asyncio
import threading

import httpx2
import pytest

from classroom.upstream import CallState, Deadline, Fail, GateClosed, Pace, Upstream, within

pytestmark = pytest.mark.anyio


def chat(text, **more):
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


async def started(request):
    return asyncio.create_task(request)


async def test_a_call_is_kept_until_it_is_released(upstream, client):
    """A held call gets no answer; a released one gets it."""
    async with upstream.legacy.hold() as gate:
        asking = await started(client.get("/legacy/a"))
        (call,) = await gate.arrived()
        assert call.state is CallState.HELD
        assert (await client.get("/v1/models")).is_success
        assert not asking.done()
        gate.release()
        assert (await asking).json()["item"] == "a"
    assert call.state is CallState.ANSWERED


async def test_calls_are_known_by_order_path_and_json(upstream, client):
    """Calls carry their place in the order of arrival, their path and their JSON."""
    async with upstream.hold() as gate:
        first = await started(client.get("/legacy/a", params={"page": 2}))
        await gate.arrived(1)
        second = await started(client.post("/mail", json={"to": "ann"}, headers={"X-Id": "7"}))
        one, two = await gate.arrived(2)
        gate.release_all()
        await asyncio.gather(first, second)
    assert (one.number, one.service, one.path, one.query) == (
        1,
        "legacy",
        "/legacy/a",
        {"page": "2"},
    )
    assert (two.number, two.service, two.method, two.json) == (2, "mail", "POST", {"to": "ann"})
    assert two.headers["x-id"] == "7"
    assert upstream.calls == (one, two)


async def test_one_two_or_all_are_released_in_order(upstream, client):
    """`release` lets the oldest go, as many as told, and `release_all` the rest."""
    async with upstream.legacy.hold() as gate:
        tasks = []
        for n in range(5):
            tasks.append(await started(client.get(f"/legacy/{n}")))
            await gate.arrived(n + 1)
        assert [call.path for call in gate.release()] == ["/legacy/0"]
        assert [call.path for call in gate.release(2)] == ["/legacy/1", "/legacy/2"]
        await gate.answered(3)
        assert [call.path for call in gate.held] == ["/legacy/3", "/legacy/4"]
        gate.release_all()
        await asyncio.gather(*tasks)
    assert gate.most_open == upstream.legacy.most_open == 5


async def test_calls_one_after_the_other_never_count_as_two(upstream, client):
    """A call is over before its caller can know it, so that limits are counted right."""
    for n in range(30):
        await client.get(f"/legacy/{n}")
    assert upstream.legacy.most_open == 1


async def test_calls_after_release_all_are_held_again(upstream, client):
    """`release_all` is for those that are there; `open` is for good."""
    async with upstream.legacy.hold() as gate:
        first = await started(client.get("/legacy/a"))
        await gate.arrived(1)
        gate.release_all()
        await first
        second = await started(client.get("/legacy/b"))
        await gate.arrived(2)
        assert len(gate.held) == 1
        gate.open()
        await second
        await client.get("/legacy/c")


async def test_leaving_the_gate_lets_everything_through(upstream, client):
    """After the gate nothing is held, whatever has happened inside."""
    tasks = []

    async def fails_inside():
        async with upstream.legacy.hold() as gate:
            tasks.append(await started(client.get("/legacy/a")))
            await gate.arrived()
            raise ValueError("a test that fails")

    with pytest.raises(ValueError, match="a test that fails"):
        await fails_inside()
    assert (await tasks[0]).is_success
    assert (await client.get("/legacy/b")).is_success


async def test_only_calls_that_are_meant_are_held(upstream, client):
    """A gate about a text, or with a function, lets the others pass."""
    async with (
        upstream.chat.hold("zebra") as gate,
        upstream.legacy.hold(lambda call: call.path.endswith("/slow")) as slow,
    ):
        assert (await client.post("/v1/chat/completions", json=chat("lion"))).is_success
        assert (await client.get("/legacy/quick")).is_success
        asking = await started(client.post("/v1/chat/completions", json=chat("a zebra")))
        waiting = await started(client.get("/legacy/slow"))
        await gate.arrived()
        await slow.arrived()
        assert len(gate.calls) == len(slow.calls) == 1
    await asyncio.gather(asking, waiting)


async def test_the_newest_of_two_gates_holds(upstream, client):
    """Where two gates want a call, the one that was entered last has it."""
    async with upstream.legacy.hold() as outer:
        async with upstream.legacy.hold() as inner:
            asking = await started(client.get("/legacy/a"))
            await inner.arrived()
            assert not outer.calls
        await asking


async def test_a_caller_that_leaves_is_seen(upstream, client):
    """A held call whose caller disconnects is cancelled, and no longer counted as open."""
    async with upstream.legacy.hold() as gate:
        leaving = await started(client.get("/legacy/a"))
        (call,) = await gate.arrived()
        leaving.cancel()
        await gate.cancelled()
        assert call.state is CallState.CANCELLED
        assert gate.held == ()
        staying = await started(client.get("/legacy/b"))
        await gate.arrived(2)
        assert gate.most_open == 1
    await staying


async def test_a_mail_whose_caller_left_is_not_delivered(upstream, client):
    """A mail counts as delivered only when its call is answered."""
    async with upstream.mail.hold() as gate:
        leaving = await started(client.post("/mail", json={"to": "ann"}))
        await gate.arrived()
        assert upstream.mail.delivered == ()
        leaving.cancel()
        await gate.cancelled()
    assert upstream.mail.delivered == ()


async def test_tokens_leave_one_by_one(upstream, model):
    """Token k+1 is sent only after the owner has released it."""
    async with upstream.chat.hold_tokens("One", " two", " three") as gate:
        stream = await model.chat.completions.create(**chat("count"), stream=True)
        said = (chunk.choices[0].delta.content async for chunk in stream)
        assert await anext(said) == ""
        for number, word in enumerate(["One", " two", " three"], 1):
            gate.release()
            assert await anext(said) == word
            await gate.sent(number)
            assert gate.calls[0].tokens_sent == number
        assert [word async for word in said] == [None]
    assert gate.calls[0].state is CallState.ANSWERED


async def test_a_reader_that_leaves_a_stream_is_seen(upstream, model):
    """A stream whose reader disconnects between two tokens is cancelled."""
    async with upstream.chat.hold_tokens("One", " two") as gate:
        stream = await model.chat.completions.create(**chat("count"), stream=True)
        gate.release()
        await gate.sent(1)
        await stream.close()
        await gate.cancelled()


async def test_a_silent_gate_holds_the_status_too(upstream, model):
    """Nothing of a stream is there before its first token is released."""
    async with upstream.chat.hold_tokens("One", silent=True) as gate:
        asking = await started(model.chat.completions.create(**chat("count"), stream=True))
        await gate.arrived()
        await gate.settle()
        assert gate.calls[0].state is CallState.HELD
        assert not asking.done()
        gate.release()
        text = [chunk.choices[0].delta.content or "" async for chunk in await asking]
    assert "".join(text) == "One"


async def test_an_endless_stream_ends_with_its_gate(upstream, model):
    """Tokens begin again after the last until the gate is opened."""
    async with upstream.chat.hold_tokens("tick", endless=True) as gate:
        stream = await model.chat.completions.create(**chat("clock"), stream=True)
        gate.release(5)
        await gate.sent(5)
        gate.open()
        text = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(text).startswith("tick" * 5)


async def test_a_whole_answer_passes_a_gate_for_tokens(upstream, model):
    """A call that asks for no stream is not held, does not get the words, and is noted."""
    async with upstream.chat.hold_tokens("secret") as gate:
        reply = await model.chat.completions.create(**chat("count"))
        assert "secret" not in reply.choices[0].message.content
        assert gate.calls == ()
        assert len(gate.passed) == 1


async def test_a_wait_that_is_given_up_says_what_is_missing(upstream):
    """At the deadline GateClosed says what was waited for and what came."""
    with within(Deadline(seconds=0.01)):
        async with upstream.legacy.hold() as gate:
            with pytest.raises(GateClosed, match=r"2 calls to the legacy service \(none") as caught:
                await gate.arrived(2)
            assert caught.value.stood_still
            with pytest.raises(GateClosed, match="My own sentence"):
                await gate.arrived(2, otherwise="My own sentence.")


async def test_a_long_wait_is_announced(upstream, client):
    """A wait that takes longer than `notice_after` says once what it waits for."""
    heard = []
    said = asyncio.Event()

    def notice(sentence):
        heard.append(sentence)
        said.set()

    with within(Deadline(seconds=5, notice_after=0.01, notice=notice)):
        async with upstream.legacy.hold() as gate:
            waiting = await started(gate.arrived())
            await said.wait()
            await client.get("/v1/models")
            asking = await started(client.get("/legacy/a"))
            await waiting
    await asking
    assert heard == ["waiting for 1 call to the legacy service (none has arrived)"]


async def test_gates_work_from_any_thread_and_loop(upstream):
    """Three owners on three loops in three threads see their own calls, at the same time."""
    problems = []

    async def own(name):
        async with upstream.legacy.hold(name) as gate, httpx2.AsyncClient() as http:
            asking = [await started(http.get(f"{upstream.url}/legacy/{name}/{n}")) for n in "abc"]
            await gate.arrived(3)
            gate.release_all()
            await asyncio.gather(*asking)
            assert {call.path[-1] for call in gate.calls} == set("abc")

    def run(name):
        try:
            asyncio.run(own(name))
        except BaseException as problem:  # noqa: BLE001 - shown below
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(f"owner{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert problems == []


async def test_stopping_frees_whoever_is_held():
    """A caller that is held when the upstream stops does not hang."""
    async with httpx2.AsyncClient() as http:
        async with Upstream() as upstream:
            gate = await upstream.legacy.hold().__aenter__()
            asking = await started(http.get(f"{upstream.url}/legacy/a"))
            await gate.arrived()
        assert (await asking).is_success


async def test_a_reset_forgets_everything(upstream, client):
    """After a reset there are no calls, scripts, mails, jobs or answers."""
    upstream.legacy.script(Fail(500), repeat=True)
    upstream.questions.expect("price", 7)
    await client.get("/legacy/a")
    await client.post("/mail", json={})
    await client.post("/queue/letters", json=1)
    upstream.reset()
    assert upstream.calls == upstream.legacy.calls == upstream.mail.delivered == ()
    assert upstream.queue.jobs("letters") == ()
    assert (await client.get("/ask/price")).status_code == 404
    assert (await client.get("/legacy/a")).status_code == 200


async def test_delays_anywhere_change_no_order():
    """With random delays at every arrival and sending, tokens still come one by one."""
    delays = iter([0.02, 0.0, 0.01] * 50)
    with Upstream(delay=lambda: next(delays), pace=Pace(first=0.01, each=0.002)) as upstream:
        async with upstream.chat.hold_tokens("One", " two") as gate, httpx2.AsyncClient() as http:
            asked = chat("count", stream=True)
            url = f"{upstream.url}/v1/chat/completions"
            async with http.stream("POST", url, json=asked) as reply:
                text = reply.aiter_text()
                gate.release()
                seen = ""
                while "One" not in seen:
                    seen += await anext(text)
                assert "two" not in seen
                gate.release()
                assert "two" in "".join([piece async for piece in text])


async def test_more_than_can_be_kept_is_refused(upstream, client, monkeypatch):
    """An app that sends without end is refused instead of filling the owner's memory."""
    monkeypatch.setattr("classroom.upstream.endpoint.MAX_BYTES", 1000)
    upstream.reset()
    assert (await client.post("/mail", json={"text": "x" * 500})).status_code == 202
    assert (await client.post("/mail", json={"text": "x" * 500})).status_code == 507
