"""HTTP/1.1 to a served submission, for `httpx2`, in a third of the time of its own transport.

A class is graded by hundreds of thousands of requests, most of whose time the client's transport
takes. Answers are parsed by httptools, as uvicorn parses requests. What needs more than a plain
exchange (WebSockets, HEAD) goes through httpx2's own transport.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final, Self

import httptools
import httpx2

from autograder.checks.subject import Endpoint

MAX_HEAD: Final = 64 * 1024
"""Bytes of status line and headers that are read, and of whatever else comes between two pieces
of a body or after its end: trailers, say. A hostile answer's may never end."""
_MAX_WAITING: Final = 256 * 1024
"""Bytes of a body that may wait to be read before the sender is slowed down."""
_ERROR: Final = 500
_INTERIM: Final = 200
"""Statuses below are of interim responses, which the real one follows."""


class Transport(httpx2.AsyncBaseTransport):
    """Sends requests to one endpoint and keeps its connections open, for one event loop.

    Args:
        endpoint: Where the submission listens.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._idle: deque[_Connection] = deque()
        self._open: set[_Connection] = set()
        # TLS is never used here, and its set-up would cost 20 ms.
        self._other = httpx2.AsyncHTTPTransport(uds=endpoint.uds, verify=False, retries=0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return its response, whose body may still be on its way."""
        if request.method in ("HEAD", "CONNECT") or "upgrade" in request.headers:
            return await self._other.handle_async_request(request)
        kept = self._kept()
        if kept is None:
            return await _exchange(await self._connected(), request)
        try:
            return await _exchange(kept, request)
        except httpx2.TransportError as error:
            # The server hung up as the request was on its way: uvicorn does so behind the
            # answer before, when the app raised after it. That is not this request's fault.
            if kept.heard or not isinstance(request.stream, httpx2.ByteStream):
                raise
            try:
                fresh = await self._connected()
            except httpx2.ConnectError:
                raise error from None  # the request ended the whole server
        return await _exchange(fresh, request)

    async def aclose(self) -> None:
        """Hang up every connection."""
        for connection in list(self._open):
            connection.abort()
        await self._other.aclose()

    def _kept(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connected(self) -> _Connection:
        loop = asyncio.get_running_loop()
        endpoint, url = self._endpoint, httpx2.URL(self._endpoint.base_url)
        try:
            if endpoint.uds is not None:
                _, connection = await loop.create_unix_connection(
                    lambda: _Connection(self), endpoint.uds
                )
            else:
                _, connection = await loop.create_connection(
                    lambda: _Connection(self), url.host, url.port or 80
                )
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error
        return connection

    def opened(self, connection: _Connection) -> None:
        """Count a connection."""
        self._open.add(connection)

    def closed(self, connection: _Connection) -> None:
        """Forget a connection."""
        self._open.discard(connection)
        with contextlib.suppress(ValueError):
            self._idle.remove(connection)

    def idle(self, connection: _Connection) -> None:
        """Keep a connection for the next request."""
        self._idle.append(connection)


async def _exchange(connection: _Connection, request: httpx2.Request) -> httpx2.Response:
    try:
        await connection.send(request)
        return await connection.response(request)
    except BaseException:
        connection.abort()
        raise


class _Connection(asyncio.Protocol):
    """One connection, and the answer that is coming on it."""

    def __init__(self, owner: Transport) -> None:
        self._owner = owner
        self._answer: _Answer | None = None
        self._transport: asyncio.Transport
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = False
        self._cut = False  # the last request's body was not sent to its end
        self.heard = False
        """Whether a part of an answer to the last request has come."""

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return not (self._lost or self._cut or self._transport.is_closing())

    async def send(self, request: httpx2.Request) -> None:
        """Send a request."""
        self._answer = _Answer(self)
        self.heard = False
        head = bytearray(b"%s %s HTTP/1.1\r\n" % (request.method.encode(), request.url.raw_path))
        for name, value in request.headers.raw:
            head += b"%s: %s\r\n" % (name, value)
        head += b"\r\n"
        chunked = request.headers.get("transfer-encoding", "").lower() == "chunked"
        assert isinstance(request.stream, httpx2.AsyncByteStream)
        if isinstance(request.stream, httpx2.ByteStream):
            async for chunk in request.stream:
                head += b"%x\r\n%s\r\n" % (len(chunk), chunk) if chunked else chunk
        else:
            await self._write(head)
            self._cut = not await self._send_pieces(request.stream, chunked=chunked)
            head = bytearray()
        if chunked and not self._cut:
            head += b"0\r\n\r\n"
        await self._write(head)

    async def _send_pieces(self, stream: httpx2.AsyncByteStream, *, chunked: bool) -> bool:
        """Send each piece of a body as it comes; return False if the answer began before its end.

        Like most clients, it sends no more then: a server that refuses a body must be heard, also
        while the body never ends.
        """
        assert self._answer is not None, "it is set before anything is sent"
        pieces, head = aiter(stream), self._answer.head
        while True:
            coming: asyncio.Future[bytes | None] = asyncio.ensure_future(anext(pieces, None))
            either: set[asyncio.Future[Any]] = {coming, head}
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait({coming})
            if coming.cancelled() or head.done():
                return coming.done() and not coming.cancelled() and coming.result() is None
            if (piece := coming.result()) is None:
                return True
            if piece:
                await self._write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)

    async def response(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer once its headers are there."""
        assert self._answer is not None, "it is asked for after a request was sent"
        answer = self._answer
        await answer.head
        told: dict[str, Any] = {
            "headers": answer.headers,
            "extensions": {"http_version": b"HTTP/1.1", "reason_phrase": answer.reason},
            "request": request,
        }
        if answer.is_plain:
            return httpx2.Response(answer.status, content=answer.body(), **told)
        return httpx2.Response(answer.status, stream=_Body(answer), **told)

    async def _write(self, data: bytes | bytearray) -> None:
        if data:
            self._transport.write(data)
        if not self._writable.is_set():
            await self._writable.wait()

    def abort(self) -> None:
        """Hang up at once."""
        self._transport.abort()
        self._end(httpx2.ReadError("the connection was given up"))

    def done(self, *, keep: bool) -> None:
        """Take note that the answer is complete and has been read."""
        self._answer = None
        if keep and self.usable:
            self._owner.idle(self)
        else:
            self._transport.abort()

    def slow_down(self, *, waiting: int) -> None:
        """Let the other side send only as fast as the body is read."""
        with contextlib.suppress(RuntimeError):  # it is closing
            if waiting > _MAX_WAITING:
                self._transport.pause_reading()
            elif not self._transport.is_reading():
                self._transport.resume_reading()

    def _end(self, error: httpx2.TransportError) -> None:
        self._lost = True
        self._writable.set()
        self._owner.closed(self)
        if self._answer is not None:
            self._answer.broke_off(error)

    def _hear_the_rest(self) -> None:
        """Read what the other side said before it hung up: asyncio stops at a write that fails.

        A server that refuses a body hangs up while pieces of it are still on their way.
        """
        descriptor = self._transport.get_extra_info("socket").fileno()
        with contextlib.suppress(OSError):  # nothing more is there
            while self._answer is not None and (data := os.read(descriptor, _MAX_WAITING)):
                self.data_received(data)

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        self.heard = True
        if self._answer is None:
            self._transport.abort()  # nobody has asked
        elif (problem := self._answer.feed(data)) is not None:
            self._end(httpx2.RemoteProtocolError(problem))
            self._transport.abort()

    def eof_received(self) -> None:
        if self._answer is not None:
            self._answer.ended()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._hear_the_rest()
        what = "Server disconnected without sending a response."
        self._end(httpx2.RemoteProtocolError(what) if error is None else httpx2.ReadError(what))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()


class _Answer:
    """A response as it comes; httptools calls the methods that begin with `on_`."""

    def __init__(self, connection: _Connection) -> None:
        self._connection: _Connection | None = connection
        self.head: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.status = 0
        self.reason = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.names: set[str] = set()
        self.complete = False
        self._keep = False
        self._surplus = False  # what comes behind the end was not asked for
        self._parser = httptools.HttpResponseParser(self)
        self._beside = 0  # bytes since the last piece of the body
        self._chunks: deque[bytes] = deque()
        self._waiting = 0
        self._news = asyncio.Event()
        self._problem: httpx2.TransportError | None = None

    @property
    def is_plain(self) -> bool:
        """Whether all of it is here and needs no decoding."""
        known = "content-length" in self.names and "content-encoding" not in self.names
        return self.complete and known

    def feed(self, data: bytes) -> str | None:
        """Take bytes; return what is wrong with them, if anything."""
        self._beside += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            return str(error)
        if self._beside > MAX_HEAD:
            what = "what follows its body is" if self.head.done() else "the headers are"
            return f"{what} longer than {MAX_HEAD} bytes"
        return None

    def ended(self) -> None:
        """Take note that the other side sends nothing more: the end of a body of no length."""
        bounded = "content-length" in self.names or "transfer-encoding" in self.names
        if self.head.done() and not bounded:
            self.on_message_complete()

    def broke_off(self, error: httpx2.TransportError) -> None:
        """Take note that nothing more comes."""
        if self.complete:
            return
        self._problem = error
        self._news.set()
        if not self.head.done():
            self.head.set_exception(error)
            self.head.exception()  # whoever waited may have gone

    def body(self) -> bytes:
        """Return the whole body, which has come, and free the connection."""
        body = b"".join(self._chunks)
        self.finish()
        return body

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes.

        Raises:
            httpx2.TransportError: It broke off.
        """
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._waiting -= len(chunk)
                self._slow_down()
                yield chunk
            if self.complete:
                return
            if self._problem is not None:
                raise httpx2.RemoteProtocolError(
                    "peer closed connection without sending complete message body"
                ) from self._problem
            self._news.clear()
            await self._news.wait()

    def finish(self) -> None:
        """Free the connection; one whose answer is not complete is hung up."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self.complete:
            connection.done(keep=self._keep)
        else:
            connection.abort()

    def _slow_down(self) -> None:
        if self._connection is not None:
            self._connection.slow_down(waiting=self._waiting)

    def on_message_begin(self) -> None:
        self._surplus = self.complete

    def on_status(self, status: bytes) -> None:
        if not self._surplus:
            self.reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._surplus or self.head.done():  # trailers say nothing that anybody asks for
            return
        self.headers.append((name, value))
        self.names.add(name.decode("latin-1").lower())

    def on_headers_complete(self) -> None:
        if self._surplus:
            return
        self.status = self._parser.get_status_code()
        if self.status < _INTERIM:
            self.headers.clear()
            self.names.clear()
            self.reason = b""
        elif not self.head.done():
            self.head.set_result(None)

    def on_body(self, body: bytes) -> None:
        if self._surplus:
            return
        self._beside = 0
        self._chunks.append(body)
        self._waiting += len(body)
        if self._waiting > _MAX_WAITING:
            self._slow_down()
        self._news.set()

    def on_message_complete(self) -> None:
        if self._surplus:
            self._keep = False
        elif self.status >= _INTERIM:
            # After an error uvicorn hangs up, a moment later than it answers.
            self._keep = self._parser.should_keep_alive() and self.status < _ERROR
            self.complete = True
            self._news.set()


class _Body(httpx2.AsyncByteStream):
    """The body of a response that is read as it comes."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.chunks():
            yield chunk
        self._answer.finish()

    async def aclose(self) -> None:
        self._answer.finish()
