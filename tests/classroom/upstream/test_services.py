"""Mail, the legacy system, the queue, questions and work."""

from __future__ import annotations

import asyncio
import os
from itertools import count

import pytest

from classroom.upstream import UPSTREAM_URL, Fail, Give, Malformed, Normal, Say, Slow, Upstream
from classroom.upstream.language import Dice

pytestmark = pytest.mark.anyio


async def test_mail_is_delivered_to_its_owner(upstream, client):
    """What an app mails, the owner reads, in order."""
    first = await client.post("/mail", json={"to": "ann", "text": "hello"})
    await client.post("/mail", json={"to": "bob"})
    assert (first.status_code, first.json()) == (202, {"id": 1, "status": "delivered"})
    assert upstream.mail.delivered == ({"to": "ann", "text": "hello"}, {"to": "bob"})


@pytest.mark.parametrize("body", [b"", b"text", b"[1]", b"[" * 100_000])
async def test_a_mail_that_is_no_object_is_refused(upstream, client, body):
    """A body that is no JSON object, however odd, is a 400 and delivers nothing."""
    assert (await client.post("/mail", content=body)).status_code == 400
    assert upstream.mail.delivered == ()


async def test_the_legacy_system_answers_the_same_each_time(client):
    """Anything may be asked; the same thing has the same value."""
    first, again, other = [
        (await client.get(f"/legacy/{item}")).json() for item in ("stock/7", "stock/7", "stock/8")
    ]
    assert first == again
    assert first["item"] == "stock/7"
    assert first["value"] != other["value"]


async def test_the_legacy_system_never_says_nought_by_itself(client):
    """An answer of 0, which some programs take for none, comes only where a script asks for it."""
    item = next(str(number) for number in count() if not Dice(str(number)).below(1000))
    assert (await client.get(f"/legacy/{item}")).json()["value"] == 1000


async def test_a_job_is_put_taken_and_acknowledged(upstream, client):
    """A job goes from waiting to taken to done, and is given out once."""
    put = await client.post("/queue/letters", json={"to": "ann"})
    taken = await client.post("/queue/letters/take")
    nothing = await client.post("/queue/letters/take")
    done = await client.post(f"/queue/letters/ack/{put.json()['id']}")
    assert put.status_code == 201
    assert taken.json() == {"id": 1, "body": {"to": "ann"}, "deliveries": 1}
    assert nothing.status_code == 204
    assert done.status_code == 204
    assert upstream.queue.jobs("letters", state="done")[0].body == {"to": "ann"}


async def test_a_job_that_was_lost_comes_again(upstream, client):
    """A taken job that nobody acknowledged is delivered a second time on demand."""
    await client.post("/queue/letters", json=1)
    await client.post("/queue/letters/take")
    assert upstream.queue.redeliver("letters") == 1
    assert (await client.post("/queue/letters/take")).json()["deliveries"] == 2


async def test_a_job_that_is_not_taken_cannot_be_acknowledged(client):
    """Acknowledging what was never taken is a 404."""
    await client.post("/queue/letters", json=1)
    assert (await client.post("/queue/letters/ack/1")).status_code == 404


async def test_questions_get_the_answers_that_were_given(upstream, client):
    """Answers come in turn, the last one stays, and arguments arrive as JSON."""
    upstream.questions.expect("prices.of", {"eur": 3}, None)
    first = await client.post("/ask/prices.of", json={"args": ["tea"]})
    second = await client.get("/ask/prices.of")
    third = await client.get("/ask/prices.of")
    assert (first.json(), second.json(), third.json()) == ({"eur": 3}, None, None)
    assert upstream.questions.calls[0].json == {"args": ["tea"]}


async def test_a_question_without_an_answer_is_not_found(client):
    """A question that nobody prepared is a 404 that names it."""
    reply = await client.get("/ask/weather")
    assert reply.status_code == 404
    assert "weather" in reply.json()["detail"]


async def test_work_reports_and_waits(upstream, client):
    """A step of work that reports here can be held like any call."""
    assert (await client.post("/steps/pages/3")).json() == {"go_on": True, "step": "pages/3"}
    assert upstream.work.calls[0].path == "/steps/pages/3"


async def test_scripts_decide_call_by_call(upstream, client):
    """Each call meets the next behaviour; afterwards the service behaves well."""
    upstream.legacy.script(Fail(503, "Gone fishing."), Normal(), Give({"x": 1}), Malformed())
    replies = [await client.get("/legacy/a") for _ in range(5)]
    assert [reply.status_code for reply in replies] == [503, 200, 200, 200, 200]
    assert replies[0].json() == {"detail": "Gone fishing."}
    assert replies[2].json() == {"x": 1}
    with pytest.raises(ValueError, match=r"delimiter|Expecting|Unterminated"):
        replies[3].json()
    assert replies[4].json() == replies[1].json()


async def test_a_script_may_be_about_some_calls_only(upstream, client):
    """A script about a text leaves other calls alone and is not used up by them."""
    with upstream.legacy.script(Fail(500), about="bad"):
        good, bad, bad_again = [
            (await client.get(f"/legacy/{item}")).status_code for item in ("good", "bad", "bad")
        ]
    assert (good, bad, bad_again) == (200, 500, 200)


async def test_a_script_ends_with_its_block(upstream, client):
    """Outside its `with` block a script has no effect."""
    with upstream.legacy.script(Fail(500), repeat=True):
        assert (await client.get("/legacy/a")).status_code == 500
        assert (await client.get("/legacy/a")).status_code == 500
    assert (await client.get("/legacy/a")).status_code == 200


async def test_a_slow_answer_can_be_given_up(upstream, client):
    """A caller that does not wait for a slow answer is seen to leave."""
    upstream.legacy.script(Slow(60))
    async with upstream.legacy.hold() as gate:
        asking = asyncio.create_task(client.get("/legacy/a"))
        (call,) = await gate.arrived()
        gate.release()
        assert (await client.get("/v1/models")).is_success
        assert call.open
        asking.cancel()
        await gate.cancelled()


def test_a_script_that_cannot_be_is_refused(upstream):
    """Words for a service that says none, and an empty script, are refused with advice."""
    with pytest.raises(TypeError, match=r"script it with Give"):
        upstream.mail.script(Say("hello"))
    with pytest.raises(ValueError, match=r"such as Fail\(500\)"):
        upstream.mail.script()
    with pytest.raises(ValueError, match="No answer"):
        upstream.questions.expect("price")


async def test_an_unknown_path_is_not_found(client):
    """A path of no service is a 404 in JSON that names it."""
    reply = await client.get("/nowhere")
    assert (reply.status_code, reply.json()["detail"][:28]) == (404, "There is no GET /nowhere her")


async def test_an_app_finds_it_in_the_environment(upstream):
    """UPSTREAM_URL is set inside the block and as before after it."""
    before = os.environ.get(UPSTREAM_URL)
    with upstream.in_environment():
        assert os.environ[UPSTREAM_URL] == upstream.url
    assert os.environ.get(UPSTREAM_URL) == before


def test_an_upstream_that_does_not_run_says_so():
    """Asking for the address too early says what to do."""
    with pytest.raises(RuntimeError, match="Start it"):
        _ = Upstream().url


def test_an_upstream_can_start_again():
    """After a stop it starts afresh on another port."""
    upstream = Upstream()
    for _ in range(2):
        with upstream:
            assert upstream.url.startswith("http://127.0.0.1:")
    upstream.stop()
