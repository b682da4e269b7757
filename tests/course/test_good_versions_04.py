"""Lesson 04's good version does what its text says: it checks, logs, answers and frees the loop."""

import asyncio
import logging
import re
import threading
from pathlib import Path

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from classroom import serve

LESSON = Path(__file__).parents[2] / "content" / "lessons" / "04-blocked-loop.md"
PRELUDE = """
import asyncio, logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx2 as httpx
from concurrent.futures import ThreadPoolExecutor as ProcessPoolExecutor
from fastapi import FastAPI, HTTPException, Path, Request
from pydantic import BaseModel

logger = logging.getLogger("report")


class Report(BaseModel):
    warranty: dict[str, int]
    strength: int


app = FastAPI()
"""


def good_version():
    """Return the code of the section's last example."""
    section = LESSON.read_text(encoding="utf-8").partition("## Code review")[2]
    return re.findall(r"```py\n(.*?)```", section, flags=re.DOTALL)[1]


@pytest.fixture
def report():
    """Serve the good version beside a workshop that can be told to wait or to fail."""
    workshop, may_answer, asked = FastAPI(), threading.Event(), threading.Event()
    written: list[int] = []

    @workshop.get("/warranty/{bike}")
    def warranty(bike: int) -> dict[str, int]:
        asked.set()
        assert may_answer.wait(10)
        return {"months": 24} if bike < 100 else {}["no such bike"]

    class Wheels:
        strength = staticmethod(lambda bike: bike * 2)

    with serve(workshop) as old:
        names = {"wheels": Wheels, "write_log": written.append, "WORKSHOP": str(old.url)}
        exec(compile(PRELUDE + good_version(), str(LESSON), "exec"), names)  # noqa: S102 - ours
        app = names["app"]
        app.router.lifespan_context = names["lifespan"]

        @app.get("/ping")
        async def ping() -> str:
            return "pong"

        with serve(app) as server:
            yield server, may_answer, asked, written


def test_the_loop_is_free_while_the_workshop_works(report):
    """A ping is answered while a report waits, and the log has been written with the answer."""
    server, may_answer, asked, written = report

    async def both() -> httpx.Response:
        waiting = asyncio.create_task(server.async_client.get("/bikes/7/report"))
        await asyncio.to_thread(asked.wait, 10)
        assert (await server.async_client.get("/ping")).json() == "pong"
        assert not waiting.done()
        may_answer.set()
        return await waiting

    reply = asyncio.run(both())
    assert reply.json() == {"warranty": {"months": 24}, "strength": 14}
    assert written == [7]


def test_a_failure_is_logged_and_answered(report, caplog):
    """What the workshop cannot answer is a 502, with a line in the log; 0 is no bike."""
    server, may_answer, _, _ = report
    may_answer.set()
    with caplog.at_level(logging.WARNING, logger="report"):
        assert server.client.get("/bikes/100/report").status_code == 502
    assert "No warranty for bike 100" in caplog.text
    assert server.client.get("/bikes/0/report").status_code == 422
