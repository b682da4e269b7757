"""Questions that an app asks the outside world without an HTTP client."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from classroom.errand import ErrandError, post
from classroom.upstream import Cut, Fail, Give, Malformed

pytestmark = pytest.mark.anyio


async def test_what_is_sent_arrives_and_the_answer_comes_back(upstream):
    """A value goes out as JSON, and JSON comes back as a value."""
    upstream.questions.script(Give({"näme": [1, None]}))
    answer = await post(f"{upstream.url}/ask/desk.name", {"ä": ["x", 1.5, True]})
    (call,) = upstream.questions.calls
    assert (call.method, call.path, call.json) == (
        "POST",
        "/ask/desk.name",
        {"ä": ["x", 1.5, True]},
    )
    assert answer == {"näme": [1, None]}


async def test_an_answer_without_content_is_none(serve_bytes):
    """A 204 says nothing."""
    address = await serve_bytes(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert await post(address, {}) is None


async def test_an_error_says_status_and_text(upstream):
    """What the other side says of its failure is in the exception."""
    upstream.questions.script(Fail(503, message="closed today"))
    with pytest.raises(ErrandError, match=r"503 .*closed today"):
        await post(f"{upstream.url}/ask/desk.name", {})


@pytest.mark.parametrize("behaviour", [Cut(), Malformed()], ids=["cut", "malformed"])
async def test_half_an_answer_is_an_error(upstream, behaviour):
    """An answer that breaks off, or is no JSON, is told from a right one."""
    upstream.questions.script(behaviour)
    with pytest.raises(ErrandError):
        await post(f"{upstream.url}/ask/desk.name", {})


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: much\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"x" * 200_000,
    ],
    ids=["nothing", "empty", "no-number", "too-short", "endless-head"],
)
async def test_what_is_no_answer_is_an_error(serve_bytes, answer):
    """Whatever a server sends, the caller meets one kind of exception."""
    with pytest.raises(ErrandError, match="broke off"):
        await post(await serve_bytes(answer), {})


async def test_where_nobody_listens_there_is_an_os_error(serve_bytes):
    """A port that is closed is no answer of the other side."""
    address = await serve_bytes(None)
    with pytest.raises(OSError, match="Connect"):
        await post(address, {})


async def test_who_is_cancelled_hangs_up(upstream):
    """A caller that is cancelled leaves no connection behind: the other side notices."""
    async with upstream.questions.hold() as gate:
        asking = asyncio.create_task(post(f"{upstream.url}/ask/desk.name", {}))
        await gate.arrived()
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await gate.cancelled()


async def test_an_answer_that_does_not_come_ends_the_wait(upstream):
    """A caller is not kept for ever."""
    async with upstream.questions.hold():
        with pytest.raises(TimeoutError):
            await post(f"{upstream.url}/ask/desk.name", {}, seconds=0.05)


@pytest.fixture
async def serve_bytes():
    """Return a function that answers the next call with these bytes and hangs up."""
    async with contextlib.AsyncExitStack() as undo:

        async def serve(answer):
            async def talk(reader, writer):
                await reader.readuntil(b"{}")
                writer.write(answer)
                with contextlib.suppress(OSError):
                    await writer.drain()
                writer.close()

            server = await asyncio.start_server(talk, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            if answer is None:
                server.close()
            else:
                await undo.enter_async_context(server)
            return f"http://127.0.0.1:{port}/ask"

        yield serve
