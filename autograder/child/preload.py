"""What the fork server imports once, so that no submission has to."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from typing import TYPE_CHECKING, Any, Final, cast

from autograder.child.faults import describe
from autograder.sandbox import readable, seccomp
from autograder.sandbox.policy import Policy

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
    "openai.resources.chat",
    "openai.resources.embeddings",
    "openai.resources.models",
    "requests",
    "pytest",
    "nest_asyncio",
    "sqlite3",
    "concurrent.futures.process",
    "multiprocessing.pool",
    "importlib.metadata",
    "zoneinfo",
    "classroom",
    "classroom.upstream",
)


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


def warm(shell: Shell) -> None:
    """Go once through what every submission does, so that lazy parts are there.

    Args:
        shell: The shell that children inherit; its state is as before.
    """

    async def submission() -> None:
        await shell.run("", _A_SUBMISSION)
        await _post(shell.user_ns["app"])
        _, error = await shell.run("", "await missing()")
        if error is not None:
            describe(error)

    asyncio.run(submission())
    shell.reset(new_session=True)  # type: ignore[no-untyped-call]
    readable.python_folders()
    with contextlib.suppress(OSError):  # no table for this processor; the layer will say so
        seccomp.program(Policy(), own=1, signals_bounded=True)


async def _post(app: ASGI3Application) -> None:
    """Send one request without a server."""
    body = b'{"name": "one"}'
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/things",
        "raw_path": b"/things",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json")],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Any) -> None:
        return

    await app(cast("Any", scope), cast("Any", receive), send)
