"""What the fork server imports once, so that no submission has to."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import multiprocessing
import multiprocessing.context
import socket
import threading
from typing import TYPE_CHECKING, Any, Final, cast

import httpx2

from autograder.child.faults import describe
from autograder.child.serving import Serving
from autograder.sandbox import readable, seccomp
from autograder.sandbox.policy import Policy
from classroom.upstream import Upstream

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

    from autograder.child.shell import Shell

_MODULES: Final = (
    "fastapi",
    "fastapi.encoders",
    "fastapi.middleware.cors",
    "fastapi.responses",
    "fastapi.security",
    "fastapi.staticfiles",
    "fastapi.templating",
    "fastapi.testclient",
    "pydantic",
    "pydantic_settings",
    "email_validator",
    "python_multipart",
    "uvicorn",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "websockets",
    "anyio._backends._asyncio",
    "anyio.to_thread",
    "httpx",
    "httpx2",
    "httpx2.websockets",
    "httpcore2",
    "openai",
    "openai.resources",
    "openai.lib._chat_completion_resources",
    "openai.resources.chat.completions",
    "openai.resources.embeddings",
    "openai.resources.models",
    "requests",
    "pytest",
    "nest_asyncio",
    "sqlite3",
    "concurrent.futures.process",
    "concurrent.futures.thread",
    "multiprocessing.pool",
    "importlib.metadata",
    "zoneinfo",
    "classroom",
    "classroom.upstream",
)


def fork_by_default(context: Any = None) -> None:
    """Have worker processes forked where a submission chooses no other way.

    Python 3.14 starts them by a server that it listens to on a Unix socket, which the sandbox
    refuses. To set the start method would forbid a submission to set its own.

    Args:
        context: Python's own default context if None.
    """
    own = context or vars(multiprocessing.context)["_default_context"]
    if own._actual_context is None:  # noqa: SLF001 - no public way leaves the choice open
        own._default_context = multiprocessing.get_context("fork")  # noqa: SLF001 - as above


def import_all() -> None:
    """Import what submissions are likely to need; what is not installed is left out."""
    for name in _MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


_A_SUBMISSION: Final = """
from contextlib import asynccontextmanager
from typing import Annotated
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, Field

class Thing(BaseModel):
    name: str = Field(min_length=1)

def number() -> int:
    return 1

app = FastAPI()

@app.post("/things", status_code=201)
async def add(thing: Thing, number: Annotated[int, Depends(number)]) -> Thing:
    return thing

app
"""


_A_QUESTION: Final[Any] = {"model": "desk", "messages": [{"role": "user", "content": "Hello"}]}
_TURNS: Final = 10
"""Python specialises code for the types it meets once it has run about eight times."""
_PATIENCE: Final = 5.0
"""Seconds that such a thread is waited for."""
_BODY: Final = b'{"name": "one"}'
_REQUESTS: Final = (
    b"POST /things HTTP/1.1\r\nHost: app\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY),
    b"GET /nothing HTTP/1.1\r\nHost: app\r\n\r\n",
)


def warm(shell: Shell) -> None:
    """Go through what every submission does, so that children find it done and specialised.

    Args:
        shell: The shell that children inherit; its state is as before.
    """

    async def submissions() -> None:
        for turn in range(_TURNS):
            await shell.run(f"{turn}", _A_SUBMISSION)
            await _ask_served(shell.user_ns["app"])
            await _ask_here(shell.user_ns["app"])
        _, error = await shell.run("", "await missing()")
        if error is not None:
            describe(error)

    asyncio.run(submissions())
    with contextlib.suppress(ImportError):
        asyncio.run(_ask_model())
    for thread in threading.enumerate():  # of the pool for plain functions, which are ending
        if thread is not threading.main_thread():
            thread.join(_PATIENCE)
    shell.reset(new_session=True)  # type: ignore[no-untyped-call]
    readable.python_folders()
    with contextlib.suppress(OSError):  # no table for this processor; the layer will say so
        seccomp.program(Policy(), own=1, signals_bounded=True)


async def _ask_served(app: ASGI3Application) -> None:
    """Send requests to the app as the grader does, by a real server on a Unix socket."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("")  # a name of the kernel's choice: in a sandbox there may be no folder
    listening.listen()
    serving = Serving(app, listening)
    address = listening.getsockname()
    served = asyncio.create_task(serving.serve())
    await asyncio.wrap_future(serving.started)
    reader, writer = await asyncio.open_unix_connection(address)
    for request in _REQUESTS:
        writer.write(request)
        await reader.readuntil(b"}")
    writer.close()
    await serving.stop()
    await served


async def _ask_here(app: ASGI3Application) -> None:
    """Send a request to the app as submissions do in cells of their own."""
    transport = httpx2.ASGITransport(app=cast("Any", app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        await client.post("/things", content=_BODY)


async def _ask_model() -> None:
    """Ask a model by OpenAI's client, which makes its types when they are first needed.

    Raises:
        ImportError: There is no such client here.
    """
    from openai import AsyncOpenAI  # noqa: PLC0415 - a lab need not have it

    here = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=Upstream().app))
    async with AsyncOpenAI(base_url="http://model/v1", api_key="any", http_client=here) as model:
        await model.chat.completions.create(**_A_QUESTION)
        async for _ in await model.chat.completions.create(**_A_QUESTION, stream=True):
            pass
