"""An upstream of its own for each test, and real clients of it."""

from __future__ import annotations

import httpx2
import openai
import pytest

from classroom.upstream import Deadline, Upstream, within


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def deadline():
    with within(Deadline(seconds=5)):
        yield


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
async def client(upstream):
    async with httpx2.AsyncClient(
        base_url=upstream.url,
        timeout=10,
        verify=False,
    ) as client:
        yield client


@pytest.fixture
async def model(upstream):
    # A TLS context takes longer to make than a test to run.
    plain = openai.DefaultAsyncHttpxClient(verify=False)
    async with openai.AsyncOpenAI(**upstream.openai, http_client=plain, timeout=10) as model:
        yield model
