"""The client's transport against servers that answer well, oddly, or with ill intent."""

import asyncio
import gzip
import socket
import threading
from contextlib import asynccontextmanager

import httpx2
import pytest

from autograder.checks.http1 import MAX_HEAD, Transport
from autograder.checks.subject import Endpoint

OVER = b"\r\n0\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nok"


@asynccontextmanager
async def served(answer, folder):
    """Serve raw bytes: `answer(reader, writer, number)` is called for every connection."""
    connections = []

    async def talk(reader, writer):
        connections.append(writer)
        try:
            await answer(reader, writer, len(connections))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    path = str(folder / "app")
    server = await asyncio.start_unix_server(talk, path)
    transport = Transport(Endpoint("http://localhost", uds=path))
    client = httpx2.AsyncClient(base_url="http://localhost", transport=transport, trust_env=False)
    try:
        yield client, connections
    finally:
        await client.aclose()
        server.close()


def always(*pieces):
    """Answer every request on a connection with these pieces, a turn of the loop between them."""

    async def answer(reader, writer, _number):
        while await request_from(reader):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)

    return answer


def once(data):
    """Answer the first request with these bytes and hang up."""

    async def answer(reader, writer, _number):
        await request_from(reader)
        writer.write(data)
        await writer.drain()

    return answer


async def request_from(reader):
    """Read one request with a body of known length."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"content-length: ")
    return head + await reader.readexactly(int(rest.split(b"\r\n")[0]) if found else 0)


def ask(answer, folder, *, times=1, **options):
    """Send requests one after the other; return the last reply and how many connections it took."""

    async def asked():
        async with served(answer, folder) as (client, connections):
            for _ in range(times):
                reply = await client.request(**{"method": "POST", "url": "/x", **options})
            return reply, len(connections)

    return asyncio.run(asked())


def test_one_connection_serves_many_requests(tmp_path):
    """Requests that follow each other share a connection."""
    reply, connections = ask(always(PLAIN), tmp_path, times=3, json={"a": 1})
    assert (reply.status_code, reply.text, reply.reason_phrase) == (200, "ok", "OK")
    assert reply.headers["content-type"] == "text/plain"
    assert connections == 1


def test_requests_at_the_same_time_have_connections_of_their_own(tmp_path):
    """Two answers that wait for each other both arrive."""
    both = asyncio.Barrier(2)

    async def answer(reader, writer, _number):
        await request_from(reader)
        await both.wait()
        writer.write(PLAIN)
        await writer.drain()

    async def asked():
        async with served(answer, tmp_path) as (client, _):
            return await asyncio.gather(client.get("/a"), client.get("/b"))

    assert [reply.text for reply in asyncio.run(asked())] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (
            (b"HTTP/1.1 200 OK\r\ntransfer-enc", b"oding: chunked\r\n\r\n2\r\nok", OVER),
            "ok",
        ),
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), ""),
        ((b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\n", PLAIN), "ok"),
        ((PLAIN[:-1], PLAIN[-1:]), "ok"),
    ],
)
def test_an_answer_is_read_however_it_is_framed(tmp_path, pieces, text):
    """Chunks, no body, an interim response, a body in two parts; and the connection is kept."""
    reply, connections = ask(always(*pieces), tmp_path, times=2)
    assert reply.text == text
    assert "x" not in reply.headers
    assert connections == 1


def test_a_body_without_a_length_ends_with_the_connection(tmp_path):
    """The old way of HTTP 1.0."""
    reply, _ = ask(once(b"HTTP/1.1 200 OK\r\n\r\nall of it"), tmp_path)
    assert reply.text == "all of it"


def test_a_compressed_body_is_unpacked(tmp_path):
    """What httpx2 decodes, it still decodes."""
    packed = gzip.compress(b"ok")
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    reply, connections = ask(always(head + packed), tmp_path, times=2)
    assert reply.text == "ok"
    assert connections == 1


def test_head_has_no_body(tmp_path):
    """A length without a body is right there."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
    reply, _ = ask(always(head), tmp_path, method="HEAD")
    assert reply.headers["content-length"] == "5"
    assert reply.content == b""


def test_a_request_in_pieces_arrives_whole(tmp_path):
    """A body of unknown length is sent in chunks."""
    got = []

    async def answer(reader, writer, _number):
        got.append(await reader.readuntil(b"0\r\n\r\n"))
        writer.write(PLAIN)
        await writer.drain()

    async def pieces():
        yield b"one "
        yield b"two"

    ask(answer, tmp_path, content=pieces())
    assert b"4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n" in got[0]


def test_a_piece_is_sent_before_the_next_one_exists(tmp_path):
    """The server has the head, then the first piece, while the second is still to come."""
    arrived = asyncio.Queue()

    async def answer(reader, writer, _number):
        arrived.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        arrived.put_nowait(await reader.readuntil(b"one\r\n"))
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(PLAIN)
        await writer.drain()

    async def pieces():
        await arrived.get()
        yield b"one"
        await arrived.get()
        yield b"two"

    reply, _ = ask(answer, tmp_path, content=pieces())
    assert reply.text == "ok"


@pytest.mark.parametrize("goes_on", [True, False])
def test_an_answer_ends_a_body_that_has_no_end(tmp_path, goes_on):
    """A refusal is heard while pieces come on, or none does; its connection is not used again."""

    async def answer(reader, writer, number):
        if number == 1:
            await reader.readuntil(b"again")
        else:
            await request_from(reader)
        writer.write(PLAIN)
        await writer.drain()
        await reader.read()

    async def pieces():
        yield b"again"
        while goes_on:
            yield b"and again"
            await asyncio.sleep(0)
        await asyncio.Event().wait()

    async def asked():
        async with served(answer, tmp_path) as (client, connections):
            replies = [await client.post("/x", content=pieces()), await client.post("/x")]
            return [reply.text for reply in replies], len(connections)

    assert asyncio.run(asked()) == (["ok", "ok"], 2)


def test_a_refusal_is_heard_although_the_rest_cannot_be_sent(tmp_path):
    """The server answers and hangs up just before the next piece: its answer counts."""
    refused = threading.Event()

    def refuse(listening):
        connection, _ = listening.accept()
        with connection:
            said = b""
            while b"some" not in said:
                said += connection.recv(1_000)
            connection.sendall(PLAIN)
        refused.set()

    class Late(bytes):
        """Makes the client stand still just before it writes, as a busy machine may."""

        def __len__(self):
            refused.wait()
            return super().__len__()

    async def pieces():
        yield b"some"
        yield Late(b"the rest")

    async def asked(path):
        transport = Transport(Endpoint("http://localhost", uds=path))
        async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
            return await client.post("http://localhost/x", content=pieces())

    path = str(tmp_path / "app")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        server = threading.Thread(target=refuse, args=(listening,))
        server.start()
        try:
            reply = asyncio.run(asked(path))
        finally:
            server.join()
    assert reply.text == "ok"


def test_a_body_that_fails_hangs_up(tmp_path):
    """What a piece's maker raises comes through, and the server sees the connection end."""
    ended = asyncio.Event()

    async def answer(reader, _writer, _number):
        await reader.read()
        ended.set()

    async def pieces():
        yield b"one"
        raise LookupError("no more")

    async def asked():
        async with served(answer, tmp_path) as (client, _):
            with pytest.raises(LookupError):
                await client.post("/x", content=pieces())
            await ended.wait()

    asyncio.run(asked())


def test_a_stream_is_read_as_it_comes(tmp_path):
    """The second piece is sent only after the first has been received."""
    received = asyncio.Event()

    async def answer(reader, writer, _number):
        await request_from(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await received.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")
        await writer.drain()

    async def asked():
        async with served(answer, tmp_path) as (client, _):
            pieces = []
            async with client.stream("GET", "/x") as reply:
                async for piece in reply.aiter_bytes():
                    pieces.append(piece)
                    received.set()
            return pieces

    assert asyncio.run(asked()) == [b"one", b"two"]


def test_a_stream_that_is_left_hangs_up(tmp_path):
    """The other side notices that its reader has gone."""
    noticed = asyncio.Event()

    async def answer(reader, writer, _number):
        await request_from(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        assert await reader.read() == b""
        noticed.set()

    async def asked():
        async with served(answer, tmp_path) as (client, _):
            async with client.stream("GET", "/x") as reply:
                assert await anext(reply.aiter_bytes()) == b"one"
            await noticed.wait()

    asyncio.run(asked())


def test_whoever_sends_more_than_is_read_is_slowed_down(tmp_path):
    """An endless body fills no memory while nobody reads it."""
    sent = 0

    async def answer(reader, writer, _number):
        nonlocal sent
        await request_from(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 2**16)
            await writer.drain()
            sent += 2**16

    async def asked():
        async with served(answer, tmp_path) as (client, _), client.stream("GET", "/x") as reply:
            await anext(reply.aiter_raw())
            before = -1
            while sent > before:  # until the sender stands still
                before = sent
                for _ in range(1000):
                    await asyncio.sleep(0)

    asyncio.run(asked())
    assert sent < 8 * 2**20


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nok",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * (2 * MAX_HEAD),
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * MAX_HEAD,
    ],
)
def test_what_is_no_answer_is_a_transport_error(tmp_path, data):
    """Nothing, half of it, garbage, headers without an end."""
    with pytest.raises(httpx2.TransportError):
        ask(once(data), tmp_path)


def test_an_answer_that_nobody_asked_for_is_thrown_away(tmp_path):
    """A second answer behind the first is not taken for that to the next request."""

    async def answer(reader, writer, number):
        await request_from(reader)
        forged = PLAIN.replace(b"ok", b"no")
        writer.write(PLAIN + forged if number == 1 else PLAIN)
        await writer.drain()
        await reader.read()

    reply, connections = ask(answer, tmp_path, times=2)
    assert reply.text == "ok"
    assert connections == 2


def test_what_comes_between_two_requests_is_thrown_away(tmp_path):
    """Bytes on an idle connection end it, and are not taken for the next answer."""
    forged = asyncio.Event()

    async def answer(reader, writer, _number):
        await request_from(reader)
        writer.write(PLAIN)
        await writer.drain()
        await forged.wait()
        writer.write(PLAIN.replace(b"ok", b"no"))
        await writer.drain()
        assert await reader.read() == b""

    async def asked():
        async with served(answer, tmp_path) as (client, connections):
            await client.get("/x")
            forged.set()
            while client._transport._idle:  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(0)
            return (await client.get("/x")).text, len(connections)

    assert asyncio.run(asked()) == ("ok", 2)


def test_a_port_where_nobody_listens_refuses(tmp_path):
    """The error is the one that httpx2 itself raises."""

    async def asked():
        transport = Transport(Endpoint("http://localhost", uds=str(tmp_path / "nobody")))
        async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
            await client.get("http://localhost/")

    with pytest.raises(httpx2.ConnectError):
        asyncio.run(asked())


@pytest.mark.parametrize("how", ["write_eof", "close", "abort"])
def test_a_connection_that_ends_as_the_next_request_comes_is_replaced(tmp_path, how):
    """Uvicorn hangs up behind an answer when the app raises after it: the next loses nothing."""
    asked = []

    async def hangs_up(reader, writer, number):
        asked.append(await request_from(reader))
        writer.write(PLAIN)
        await request_from(reader)
        end = writer.transport.abort if how == "abort" else getattr(writer, how)
        end()

    async def work():
        async with served(hangs_up, tmp_path) as (client, connections):
            replies = [await client.post("/", json={"number": number}) for number in range(3)]
            assert [reply.text for reply in replies] == ["ok"] * 3
            assert len(connections) == 3

    asyncio.run(work())
    assert len(asked) == 3


def test_an_error_ends_its_connection(tmp_path):
    """After a 500 uvicorn hangs up a moment later: its connection takes no other request."""
    error = PLAIN.replace(b"200 OK", b"500 Internal Server Error")
    assert ask(always(error), tmp_path, times=3)[1] == 3
    assert ask(always(PLAIN.replace(b"200 OK", b"404 Not Found")), tmp_path, times=3)[1] == 1


def test_a_request_that_was_half_answered_is_not_sent_again(tmp_path):
    """What the app did for it, it would do twice; the answer broke off, and that is told."""
    asked = []

    async def half(reader, writer, _number):
        asked.append(await request_from(reader))
        writer.write(PLAIN)
        asked.append(await request_from(reader))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-le")
        await writer.drain()

    async def work():
        async with served(half, tmp_path) as (client, connections):
            await client.post("/", json={})
            with pytest.raises(httpx2.TransportError):
                await client.post("/", json={})
            assert len(connections) == 1

    asyncio.run(work())
    assert len(asked) == 2


def test_a_server_that_ends_with_the_request_has_broken_off(tmp_path):
    """Nothing listens any more, which is told as what it is: the answer that never came."""

    async def dies(reader, writer, _number):
        await request_from(reader)
        writer.write(PLAIN)
        await request_from(reader)
        (tmp_path / "app").unlink()
        writer.close()

    async def work():
        async with served(dies, tmp_path) as (client, connections):
            await client.get("/")
            with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
                await client.get("/")
            assert len(connections) == 1

    asyncio.run(work())
