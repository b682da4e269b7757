"""The outside world of an app, in one real server that its owner controls."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Self, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from classroom.serving import BackgroundServer, Lateness
from classroom.upstream.board import Board
from classroom.upstream.call import About, Call, chooser
from classroom.upstream.chat import Chat
from classroom.upstream.desk_services import Legacy, Mail, Questions, Work
from classroom.upstream.endpoint import Endpoint, Pace, Reception, no_delay
from classroom.upstream.gate import Gate
from classroom.upstream.model_services import Embeddings, Models
from classroom.upstream.queue import Queue
from classroom.upstream.service import Service

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator


S = TypeVar("S", bound=Service)

_NOT_RUNNING = "The upstream is not running. Start it, or use it with `with`."
UPSTREAM_URL = "UPSTREAM_URL"
"""The environment variable in which an app finds its outside world."""


class Upstream:
    """A model API in OpenAI's wire format, mail, a queue, a legacy system: all under control.

    The app under test reaches it by TCP at `url`. Its owner, in any thread of this process,
    scripts how it behaves and holds calls at gates:

        async with Upstream() as upstream:
            async with upstream.chat.hold() as gate:
                ...
                await gate.arrived(3)
                gate.release_all()

    Args:
        pace: How fast tokens come; for lessons.
        delay: Draws seconds by which every arrival and sending is delayed; for tests that
            show that only order decides.
        elsewhere: The address of an upstream that somebody else runs; this one then only says
            where it is.
        listening: A TCP socket that listens already, to serve on; it is closed at the end.
    """

    def __init__(
        self,
        *,
        pace: Pace | None = None,
        delay: Callable[[], float] = no_delay,
        elsewhere: str = "",
        listening: socket.socket | None = None,
    ) -> None:
        self._board = Board()
        self._reception = Reception(self._board)
        self._reception.delay = delay
        self.pace = pace or Pace()
        self.chat = self._made(Chat)
        self.embeddings = self._made(Embeddings)
        self.models = self._made(Models)
        self.mail = self._made(Mail)
        self.legacy = self._made(Legacy)
        self.queue = self._made(Queue)
        self.questions = self._made(Questions)
        self.work = self._made(Work)
        self._server: BackgroundServer | None = None
        self._elsewhere = elsewhere
        self._listening = listening

    def _made(self, kind: type[S]) -> S:
        return kind(board=self._board, gates=self._reception.gates)

    @property
    def services(self) -> tuple[Service, ...]:
        """All services."""
        return (
            *(self.chat, self.embeddings, self.models, self.mail),
            *(self.legacy, self.queue, self.questions, self.work),
        )

    @property
    def url(self) -> str:
        """The address without a slash at its end, such as `http://127.0.0.1:41234`."""
        if self._elsewhere:
            return self._elsewhere
        if self._server is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._server.url

    @property
    def port(self) -> int:
        """The TCP port that it listens on."""
        if self._server is None or self._server.port is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._server.port

    @cached_property
    def app(self) -> Starlette:
        """What it serves: every service at its paths."""
        routes = [
            Route(path, Endpoint(service, self._reception), methods=list(methods))
            for service in self.services
            for path, methods in service.paths.items()
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _no_such_place})

    @property
    def openai(self) -> dict[str, str]:
        """The settings for OpenAI's client: `AsyncOpenAI(**upstream.openai)`."""
        return {"base_url": f"{self.url}/v1", "api_key": "any-text-will-do"}

    @property
    def pace(self) -> Pace:
        """How fast tokens come."""
        return self._reception.pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self._reception.pace = pace

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls to all services, in the order of arrival."""
        return self._reception.log.calls

    def hold(self, about: About = None) -> Gate:
        """Return a gate that holds the calls to any of the services.

        Args:
            about: Only calls that mention this text, or that this function picks.
        """
        return Gate(
            board=self._board,
            gates=self._reception.gates,
            wants=chooser(about),
            name="the outside world",
        )

    def start(self) -> Self:
        """Serve on a free port of this machine; returns when it answers."""
        if self._server is None:
            self._server = BackgroundServer(self.app, listening=self._listening).start()
            self._reception.hang_up = self._server.hang_up
        return self

    @contextmanager
    def hosting(self, app: ASGIApp) -> Iterator[str]:
        """Serve another app beside the services, whose lifespan does not run.

        Yields:
            Its address, which says nothing about it.
        """
        path = f"/apps/{secrets.token_hex(8)}"
        mount = Mount(path, app=app)
        self.app.router.routes.insert(0, mount)
        try:
            yield f"{self.url}{path}"
        finally:
            self.app.router.routes.remove(mount)

    def stop(self) -> None:
        """Open every gate and end the server; harmless when it does not run."""
        self.open_all()
        if self._server is not None:
            self._server.stop()
            self._server = None

    def open_all(self) -> None:
        """Open every gate that somebody still keeps."""
        for gate in list(self._reception.gates):
            gate.open()

    def reset(self) -> None:
        """Begin afresh: open the gates, forget calls, scripts, mails, jobs and answers."""
        self.open_all()
        with self._board.changing():
            self._reception.gates.clear()
            self._reception.forget()
            for service in self.services:
                service.reset()

    def renew(self, *, timeout: float) -> bool:
        """Begin afresh as `reset` does, for another app, and prove that nothing is left.

        Args:
            timeout: Seconds to wait until what was asked before is over.

        Returns:
            Whether it is: nothing is connected and nothing runs. If not, stop using it.
        """
        if self._server is None:
            raise RuntimeError(_NOT_RUNNING)
        self.reset()
        if not self._server.come_to_rest(timeout=timeout):
            return False
        self.reset()  # what ended just now may have been noted
        return True

    def watch(self) -> Lateness:
        """Return what measures from now on how late it answers."""
        if self._server is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._server.watch()

    @contextmanager
    def in_environment(self) -> Iterator[Self]:
        """Let apps of this process find it at `UPSTREAM_URL`, until left."""
        before = os.environ.get(UPSTREAM_URL)
        os.environ[UPSTREAM_URL] = self.url
        try:
            yield self
        finally:
            if before is None:
                os.environ.pop(UPSTREAM_URL, None)
            else:
                os.environ[UPSTREAM_URL] = before

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)


async def _no_such_place(request: Request, problem: Exception) -> Response:
    """Word a 404 or 405 as the real service would."""
    assert isinstance(problem, HTTPException)
    text = f"There is no {request.method} {request.url.path} here ({problem.detail})."
    if request.url.path.startswith("/v1/"):
        error = {"type": "invalid_request_error", "param": None, "code": "unknown_url"}
        return JSONResponse({"error": {"message": text, **error}}, problem.status_code)
    return JSONResponse({"detail": text}, problem.status_code)
