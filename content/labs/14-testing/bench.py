# ruff: noqa: INP001 - it lies beside a notebook
"""The test bench of lab 14: what runs your tests, and the fakes that they may ask for.

`suite` makes a test class into a function that runs its tests with a client of an app.
`Bench` is what the app stands in: it makes the app anew for every test, with a clock and a
language model that the test controls through routes below `/test`.
"""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from fastapi import FastAPI
from httpx2 import AsyncClient
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from classroom import serve

HOLD, BREAK = "<hold>", "<break>"  # in what a model says: it waits here, it breaks off here


# Two dependencies of the apps, which production has and a test replaces.
class ModelFailed(Exception):
    """The language model answered with an error status, or broke off."""

    def __init__(self, status: int = 500) -> None:
        super().__init__(f"The model answered {status}.")
        self.status = status


class Model:
    """The language model; it costs money, and no test asks it."""

    async def ask(self, question: str) -> str:
        """Return what the model says, or raise `ModelFailed`."""
        raise NotImplementedError(question)

    def stream(self, question: str) -> AsyncIterator[str]:
        """Yield word by word what the model says; it may end with `ModelFailed`."""
        raise NotImplementedError(question)


def get_now() -> float:
    """Return the time in seconds."""
    return time.monotonic()


def get_model() -> Model:
    """Return the language model."""
    return Model()


# What your tests may ask for by naming it as a parameter, beside `client`.
class Clock:
    """The app's clock. It stands still until a test moves it."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def move(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        await self._client.post("/test/clock", json=seconds)


class FakeModel:
    """The app's language model. It says what a test tells it to say."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def says(self, *script: str | int) -> None:
        """Set what the model says: see the tasks."""
        await self._client.post("/test/model", json=script)

    async def go(self) -> None:
        """Let the model go on that waits at HOLD."""
        await self._client.post("/test/model/go")

    async def questions(self) -> list[str]:
        """Return the questions that the model has been asked in this test."""
        asked: list[str] = (await self._client.get("/test/model/questions")).json()
        return asked


# The other side of these two: they live beside the app.
class _ClockOfTheApp:
    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time


class _ModelOfTheApp(Model):
    def __init__(self) -> None:
        self.script: list[str | int] = []
        self.questions: list[str] = []
        self.gate = asyncio.Event()

    async def ask(self, question: str) -> str:
        self.questions.append(question)
        said = self.script.pop(0) if self.script else "Hello."
        if isinstance(said, int):
            raise ModelFailed(said)
        return said

    async def stream(self, question: str) -> AsyncIterator[str]:
        self.questions.append(question)
        for word in list(self.script):
            if word == HOLD:
                await self.gate.wait()
            elif word == BREAK:
                raise ModelFailed
            else:
                yield str(word)


class Bench:
    """An app that is made anew for each test, with fakes for its clock and its model.

    Args:
        create: What makes the app.
    """

    def __init__(self, create: Callable[[], FastAPI]) -> None:
        self.create = create
        self.renew("")

    def renew(self, test: str) -> None:
        """Make the app anew for a test, with new fakes."""
        self.test = test
        self.app: ASGIApp = (app := self.create())
        self.clock, self.model = _ClockOfTheApp(), _ModelOfTheApp()
        app.dependency_overrides[get_now] = self.clock.now
        app.dependency_overrides[get_model] = lambda: self.model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer requests below `/test/`, and pass the others on; a new test gets a new app."""
        test = Request(scope).headers.get("X-Test", "") if scope["type"] == "http" else self.test
        if test != self.test:
            self.renew(test)
        if not scope.get("path", "").startswith("/test/"):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        shown = None
        match request.method, request.url.path:
            case "POST", "/test/clock":
                self.clock.time += await request.json()
            case "POST", "/test/model":
                self.model.script = await request.json()
            case "POST", "/test/model/go":
                self.model.gate.set()
            case "GET", "/test/model/questions":
                shown = self.model.questions
        await JSONResponse(shown)(scope, receive, send)


_testing: ContextVar[bool] = ContextVar("testing", default=False)
_sleep, _sleep_of_asyncio = time.sleep, asyncio.sleep


def _awake(seconds: float) -> None:
    if _testing.get() and seconds > 0:
        raise AssertionError("Tests do not sleep: move the clock, or hold the model.")


def _sleep_unless_testing(seconds: float) -> None:
    _awake(seconds)
    _sleep(seconds)


def _async_sleep_unless_testing(seconds: float, result: Any = None) -> Awaitable[Any]:
    _awake(seconds)
    return _sleep_of_asyncio(seconds, result)


if _sleep.__module__ != __name__:
    time.sleep, asyncio.sleep = _sleep_unless_testing, _async_sleep_unless_testing


def _tests_of(tests: type) -> list[str]:
    """Return the names of a class's tests, those of its base classes first."""
    names = dict.fromkeys(name for one in reversed(tests.__mro__) for name in vars(one))
    return [name for name in names if name.startswith("test")]


async def _run(tests: type, name: str, client: AsyncClient) -> None:
    """Run one test on a new app; whatever it raises is its verdict."""
    client.headers["X-Test"] = uuid.uuid4().hex  # for another test, the app is made anew
    offered = {"client": client, "clock": Clock(client), "model": FakeModel(client)}
    test = getattr(tests(), name)
    if not inspect.iscoroutinefunction(test):
        raise TypeError(f"`{name}` must be an `async def`.")
    wanted = list(inspect.signature(test).parameters)
    if unknown := set(wanted) - set(offered):
        raise TypeError(f"`{name}` may ask for {', '.join(offered)}, not for {unknown.pop()}.")
    token = _testing.set(True)
    try:
        await test(**{one: offered[one] for one in wanted})
    finally:
        _testing.reset(token)


def suite(names: dict[str, Any], of: str) -> Callable[[AsyncClient], Awaitable[None]]:
    """Return a function that runs all tests of a class with a client of an app.

    Args:
        names: The notebook's variables.
        of: The class's name in there. Its tests are the methods that begin with `test`.
    """

    async def run(client: AsyncClient) -> None:
        tests = names[of]
        if not _tests_of(tests):
            raise AssertionError(f"{of} has no test yet.")
        for name in _tests_of(tests):
            await _run(tests, name, client)

    return run


async def try_out(tests: type, create: Callable[[], FastAPI]) -> None:
    """Run the tests of a class on an app, and print what each says.

    Args:
        tests: The class.
        create: What makes the app.
    """
    try:
        server = serve(Bench(create))
    except OSError:
        print("No app can be served here.")
        return
    if not server.port:  # a sandbox: a stream that the test holds would never begin there
        print("No app can be served here.")
        return
    with server:
        for name in _tests_of(tests):
            try:
                await _run(tests, name, server.async_client)
                print("passed ", name)
            except (KeyboardInterrupt, asyncio.CancelledError):
                raise
            except BaseException as error:  # noqa: BLE001 - also what `pytest.fail` raises
                print("FAILED ", name, repr(error))
    print(f"{len(_tests_of(tests))} tests of {tests.__name__}.")
