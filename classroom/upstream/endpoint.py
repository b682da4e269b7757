"""From a request on the wire to a `Call`, through gates and scripts, to the answer."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from classroom.upstream.call import Call, CallState, Log
from classroom.upstream.service import NORMAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from classroom.upstream.answer import Answer
    from classroom.upstream.behaviour import Behaviour
    from classroom.upstream.board import Board
    from classroom.upstream.gate import Gate
    from classroom.upstream.service import Service


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast tokens come when nothing holds them; for lessons, so that streams can be seen.

    Attributes:
        first: Seconds before the first token.
        each: Seconds before every further token.
    """

    first: float = 0.0
    each: float = 0.0


def no_delay() -> float:
    """Return no seconds."""
    return 0.0


Address = tuple[str, int]
"""Host and port of a caller."""


def no_connection(caller: Address) -> None:
    """Refuse to break off a connection that there is not.

    Raises:
        RuntimeError: Always: nobody serves.
    """
    raise RuntimeError(f"Only a running upstream can hang up on {caller}: start it first.")


MAX_BODY = 2**20
"""Bytes of one request."""
MAX_BYTES = 16 * 2**20
"""Bytes of all requests that are kept until a reset; a hostile app must not fill the memory."""
MAX_CALLS = 5_000
"""Calls that are kept until a reset."""


class Reception:
    """Where every call arrives: numbers it, notes it, and finds its gate and its script."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.gates: list[Gate] = []
        self.pace = Pace()
        self.delay: Callable[[], float] = no_delay
        """Seconds by which arrivals and sendings are delayed, drawn anew for each."""
        self.hang_up: Callable[[Address], None] = no_connection
        """Breaks off the connection of a caller; set by who serves."""
        self.forget()

    def forget(self) -> None:
        """Forget the calls so far."""
        self.log = Log()
        self._room = MAX_BYTES

    async def body_of(self, request: Request) -> bytes | None:
        """Return a request's body; None where there is no room to keep it.

        Raises:
            ClientDisconnect: The caller left while sending it.
        """
        body = bytearray()
        async for piece in request.stream():
            self._room -= len(piece)
            if self._room < 0 or len(self.log) >= MAX_CALLS or len(body) > MAX_BODY:
                return None
            body += piece
        return bytes(body)

    def admit(self, service: Service, call: Call) -> tuple[Gate | None, Behaviour]:
        """Note a call that has arrived; return the gate that took it, and what to do with it."""
        with self.board.changing():
            self.board.server_loop = asyncio.get_running_loop()
            call.number = len(self.log) + 1
            for log in (self.log, service.log):
                log.add(call)
            gate = next((gate for gate in reversed(self.gates) if gate.takes(call)), None)
            return gate, service.behaviour_for(call)

    def mark(self, call: Call, state: CallState) -> None:
        """Note how far a call has come."""
        with self.board.changing():
            call.state = state
            if not call.open:
                call.ended_at = time.perf_counter()


class Endpoint:
    """The ASGI app that stands at every path of a service."""

    def __init__(self, service: Service, reception: Reception) -> None:
        self._service = service
        self._reception = reception

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and notice when its caller leaves before the end."""
        request = Request(scope, receive)
        try:
            body = await self._reception.body_of(request)
        except ClientDisconnect:
            return
        if body is None:
            full = PlainTextResponse("The upstream keeps no more calls: reset it.", 507)
            await full(scope, receive, send)
            return
        await self._stall()
        call = self._call(request, body)
        gate, behaviour = self._reception.admit(self._service, call)
        answering = asyncio.create_task(self._answer(call, gate, behaviour, send, request.client))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.wait({answering, leaving})
            if call.open:
                self._reception.mark(call, CallState.CANCELLED)
        if not answering.cancelled():
            answering.result()

    def _call(self, request: Request, body: bytes) -> Call:
        return Call(
            number=0,
            service=self._service.name,
            method=request.method,
            path=request.scope["path"],
            query=dict(request.query_params),
            parameters=dict(request.path_params),
            headers=dict(request.headers),
            json=_json(body),
            arrived_at=time.perf_counter(),
        )

    async def _answer(
        self,
        call: Call,
        gate: Gate | None,
        behaviour: Behaviour,
        send: Send,
        caller: Address | None,
    ) -> None:
        if gate is not None:
            await self._reception.board.until(partial(gate.lets_in, call))
        self._reception.mark(call, CallState.OPEN)
        answer = self._shaped(behaviour, call, gate)
        await asyncio.sleep(answer.seconds)
        await self._stall()
        if answer.hangs_up:
            assert caller is not None, "the upstream is served by TCP"
            self._reception.mark(call, CallState.ANSWERED)
            self._reception.hang_up(caller)
            await asyncio.Future()  # cancelled as soon as the caller is seen to be gone
        elif answer.streams:
            await self._stream(call, gate, answer, send)
        else:
            await self._whole(call, answer, send)

    def _shaped(self, behaviour: Behaviour, call: Call, gate: Gate | None) -> Answer:
        words = None if gate is None else gate.words()
        if words is None or behaviour is not NORMAL:
            return behaviour(self._service, call)
        return self._service.say(call, words)

    async def _whole(self, call: Call, answer: Answer, send: Send) -> None:
        body = answer.closing(0)
        headers = {**answer.headers, "content-length": str(len(body))}
        if answer.status == 204:  # noqa: PLR2004 - no content, hence no length either
            headers.pop("content-length")
        await send(_start(answer, headers))
        # Over before the last byte leaves: its reader may call again at once, and a limit of
        # calls at a time must not see both.
        self._reception.mark(call, CallState.ANSWERED)
        if answer.is_cut:
            await send(_piece(body[: len(body) // 2]))
        else:
            await send({"type": "http.response.body", "body": body})

    async def _stream(self, call: Call, gate: Gate | None, answer: Answer, send: Send) -> None:
        pace = self._reception.pace
        await send(_start(answer, answer.headers))
        await send(_piece(answer.opening))
        for number, token in enumerate(answer.tokens, 1):
            if gate is not None:
                await self._reception.board.until(partial(gate.lets_send, number))
            await asyncio.sleep(pace.first if number == 1 else pace.each)
            await self._stall()
            await send(_piece(token))
            with self._reception.board.changing():
                call.tokens_sent = number
        self._reception.mark(call, CallState.ANSWERED)
        if not answer.is_cut:
            await send(_piece(answer.closing(call.tokens_sent)))
            await send({"type": "http.response.body", "body": b""})

    async def _stall(self) -> None:
        if seconds := self._reception.delay():
            await asyncio.sleep(seconds)


async def _gone(receive: Receive) -> None:
    """Return when the caller has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def _start(answer: Answer, headers: Mapping[str, str]) -> dict[str, Any]:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": answer.status, "headers": raw}


def _piece(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": True}
