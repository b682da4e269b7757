"""Right and wrong designs of small apps, one set for each gate; for its tests and benchmark.

Every app finds its outside world at `UPSTREAM_URL`. Before each call to it, and between the
pieces of a stream, an app waits for as long as `pause()` says: the injected delay.
"""

# ruff: noqa: D103 - the name of a design says it all

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI

from autograder.checks import gates
from classroom.upstream import Upstream

Pause = Callable[[], float]
Design = Callable[[FastAPI, Pause], None]
Job = Callable[[], Awaitable[str]]
TOPICS = ("news", "prices", "weather")


@dataclass(frozen=True)
class Pattern:
    """A gate's right and wrong designs; the wrong ones with a part of the sentence they earn."""

    right: tuple[Design, ...]
    wrong: tuple[tuple[Design, str], ...]


def app_of(design: Design, pause: Pause = lambda: 0.0) -> FastAPI:
    """Return an app of this design, with a ping."""
    app = FastAPI()

    @app.get("/ping")
    async def ping() -> str:
        return "pong"

    design(app, pause)
    return app


def _url(path: str) -> str:
    return os.environ["UPSTREAM_URL"] + path


def _chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "desk-small", "messages": [{"role": "user", "content": text}], **more}


def _openai(http: type[Any]) -> dict[str, Any]:
    # Making a TLS context takes longer than a whole gate, and plain HTTP needs none.
    plain = http(verify=False)
    settings = {"api_key": "key", "timeout": 60, "max_retries": 0}
    return {"base_url": _url("/v1"), "http_client": plain, **settings}


def _http() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(verify=False, timeout=60)


async def _get(client: httpx2.AsyncClient, path: str, pause: Pause) -> Any:
    await asyncio.sleep(pause())
    return (await client.get(_url(path))).json()


def _get_blocking(path: str, pause: Pause) -> Any:
    time.sleep(pause())
    return httpx2.get(_url(path), timeout=60, verify=False).json()


# together: GET /report/{key} asks the legacy system for three things


def gathers(app: FastAPI, pause: Pause) -> None:
    @app.get("/report/{key}")
    async def report(key: str) -> list[Any]:
        async with _http() as client:
            calls = (_get(client, f"/legacy/{key}/{topic}", pause) for topic in TOPICS)
            return list(await asyncio.gather(*calls))


def task_group(app: FastAPI, pause: Pause) -> None:
    @app.get("/report/{key}")
    async def report(key: str) -> list[Any]:
        async with _http() as client, asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_get(client, f"/legacy/{key}/{topic}", pause)) for topic in TOPICS
            ]
        return [task.result() for task in tasks]


def threads(app: FastAPI, pause: Pause) -> None:
    @app.get("/report/{key}")
    def report(key: str) -> list[Any]:
        with ThreadPoolExecutor() as pool:
            paths = [f"/legacy/{key}/{topic}" for topic in TOPICS]
            return list(pool.map(lambda path: _get_blocking(path, pause), paths))


def one_after_the_other(app: FastAPI, pause: Pause) -> None:
    @app.get("/report/{key}")
    async def report(key: str) -> list[Any]:
        async with _http() as client:
            return [await _get(client, f"/legacy/{key}/{topic}", pause) for topic in TOPICS]


def two_at_a_time(app: FastAPI, pause: Pause) -> None:
    @app.get("/report/{key}")
    async def report(key: str) -> list[Any]:
        async with _http() as client:
            first = [_get(client, f"/legacy/{key}/{topic}", pause) for topic in TOPICS[:2]]
            return [
                *await asyncio.gather(*first),
                await _get(client, f"/legacy/{key}/{TOPICS[2]}", pause),
            ]


def gathers_blocking(app: FastAPI, pause: Pause) -> None:
    async def ask(path: str) -> Any:
        return _get_blocking(path, pause)

    @app.get("/report/{key}")
    async def report(key: str) -> list[Any]:
        return list(await asyncio.gather(*(ask(f"/legacy/{key}/{topic}") for topic in TOPICS)))


# at_most: POST /batch/{key} asks the model twelve things, four at a time

BATCH = 12
LIMIT = 4


async def _say(client: AsyncOpenAI, text: str, pause: Pause) -> str:
    await asyncio.sleep(pause())
    reply = await client.chat.completions.create(**_chat(text))
    return str(reply.choices[0].message.content)


def _batch(how: Callable[[list[Job]], Awaitable[list[str]]]) -> Design:
    def design(app: FastAPI, pause: Pause) -> None:
        @app.post("/batch/{key}")
        async def batch(key: str) -> list[str]:
            async with AsyncOpenAI(**_openai(DefaultAsyncHttpxClient)) as client:
                jobs: list[Job] = [
                    partial(_say, client, f"{key} question {n}", pause) for n in range(BATCH)
                ]
                return await how(jobs)

    design.__name__ = getattr(how, "__name__", "batch")
    return design


def _semaphore(slots: int) -> Any:
    async def semaphore(jobs: list[Job]) -> list[str]:
        free = asyncio.Semaphore(slots)

        async def limited(job: Job) -> str:
            async with free:
                return await job()

        return list(await asyncio.gather(*map(limited, jobs)))

    semaphore.__name__ = f"semaphore_of_{slots}"
    return semaphore


async def workers(jobs: list[Job]) -> list[str]:
    """Let four workers share the jobs."""
    left = list(enumerate(jobs))
    done: dict[int, str] = {}

    async def worker() -> None:
        while left:
            place, job = left.pop(0)
            done[place] = await job()

    await asyncio.gather(*(worker() for _ in range(LIMIT)))
    return [done[place] for place in sorted(done)]


async def in_order(jobs: list[Job]) -> list[str]:
    """Do one after the other, which keeps every limit."""
    return [await job() for job in jobs]


async def all_at_once(jobs: list[Job]) -> list[str]:
    """Know no limit."""
    return list(await asyncio.gather(*(job() for job in jobs)))


async def semaphore_each(jobs: list[Job]) -> list[str]:
    """Give every job a semaphore of its own."""

    async def limited(job: Job) -> str:
        async with asyncio.Semaphore(LIMIT):
            return await job()

    return list(await asyncio.gather(*map(limited, jobs)))


def pool_of_four(app: FastAPI, pause: Pause) -> None:
    @app.post("/batch/{key}")
    def batch(key: str) -> list[str]:
        with OpenAI(**_openai(DefaultHttpxClient)) as client, ThreadPoolExecutor(LIMIT) as pool:

            def say(n: int) -> str:
                time.sleep(pause())
                reply = client.chat.completions.create(**_chat(f"{key} question {n}"))
                return str(reply.choices[0].message.content)

            return list(pool.map(say, range(BATCH)))


# loop_is_free: GET /item/{key} asks the legacy system


def awaits(app: FastAPI, pause: Pause) -> None:
    @app.get("/item/{key}")
    async def item(key: str) -> Any:
        async with _http() as client:
            return await _get(client, f"/legacy/{key}", pause)


def plain_def(app: FastAPI, pause: Pause) -> None:
    @app.get("/item/{key}")
    def item(key: str) -> Any:
        return _get_blocking(f"/legacy/{key}", pause)


def to_thread(app: FastAPI, pause: Pause) -> None:
    @app.get("/item/{key}")
    async def item(key: str) -> Any:
        return await asyncio.to_thread(_get_blocking, f"/legacy/{key}", pause)


def blocks(app: FastAPI, pause: Pause) -> None:
    @app.get("/item/{key}")
    async def item(key: str) -> Any:
        return _get_blocking(f"/legacy/{key}", pause)


def awaits_a_blocked_thread(app: FastAPI, pause: Pause) -> None:
    @app.get("/item/{key}")
    async def item(key: str) -> Any:
        with ThreadPoolExecutor() as pool:
            return pool.submit(_get_blocking, f"/legacy/{key}", pause).result()


# streamed and cancelled_on_leave: POST /chat/{key} passes the model's words on


async def _words(key: str, pause: Pause) -> AsyncIterator[str]:
    async with AsyncOpenAI(**_openai(DefaultAsyncHttpxClient)) as client:
        await asyncio.sleep(pause())
        async with await client.chat.completions.create(**_chat(key, stream=True)) as chunks:
            async for chunk in chunks:
                await asyncio.sleep(pause())
                if chunk.choices:
                    yield chunk.choices[0].delta.content or ""


def plain_text(app: FastAPI, pause: Pause) -> None:
    @app.post("/chat/{key}")
    async def chat(key: str) -> StreamingResponse:
        return StreamingResponse(_words(key, pause), media_type="text/plain")


def server_sent_events(app: FastAPI, pause: Pause) -> None:
    @app.post("/chat/{key}", response_class=EventSourceResponse)
    async def chat(key: str) -> AsyncIterator[dict[str, str]]:
        async for word in _words(key, pause):
            yield {"delta": word}


def json_lines(app: FastAPI, pause: Pause) -> None:
    @app.post("/chat/{key}")
    async def chat(key: str) -> AsyncIterator[dict[str, str]]:
        async for word in _words(key, pause):
            yield {"delta": word}


def sync_generator(app: FastAPI, pause: Pause) -> None:
    def words(key: str) -> Iterator[str]:
        with OpenAI(**_openai(DefaultHttpxClient)) as client:
            time.sleep(pause())
            for chunk in client.chat.completions.create(**_chat(key, stream=True)):
                time.sleep(pause())
                yield chunk.choices[0].delta.content or ""

    @app.post("/chat/{key}")
    async def chat(key: str) -> StreamingResponse:
        return StreamingResponse(words(key), media_type="text/plain")


def collects(app: FastAPI, pause: Pause) -> None:
    @app.post("/chat/{key}")
    async def chat(key: str) -> StreamingResponse:
        words = [word async for word in _words(key, pause)]
        return StreamingResponse(iter(words), media_type="text/plain")


def two_by_two(app: FastAPI, pause: Pause) -> None:
    async def pairs(key: str) -> AsyncIterator[str]:
        kept: list[str] = []
        async for word in _words(key, pause):
            kept += [word] if word else []
            if len(kept) == 2:  # noqa: PLR2004 - a pair
                yield "".join(kept)
                kept.clear()
        yield "".join(kept)

    @app.post("/chat/{key}")
    async def chat(key: str) -> StreamingResponse:
        return StreamingResponse(pairs(key), media_type="text/plain")


def asks_for_the_whole(app: FastAPI, pause: Pause) -> None:
    async def words(key: str) -> AsyncIterator[str]:
        async with AsyncOpenAI(**_openai(DefaultAsyncHttpxClient)) as client:
            for word in (await _say(client, key, pause)).split():
                yield word + " "

    @app.post("/chat/{key}")
    async def chat(key: str) -> StreamingResponse:
        return StreamingResponse(words(key), media_type="text/plain")


def asks_while_connected(app: FastAPI, pause: Pause) -> None:
    async def words(key: str, request: Request) -> AsyncIterator[str]:
        async for word in _words(key, pause):
            if await request.is_disconnected():
                return
            yield word

    @app.post("/chat/{key}")
    async def chat(key: str, request: Request) -> StreamingResponse:
        return StreamingResponse(words(key, request), media_type="text/plain")


def producer_goes_on(app: FastAPI, pause: Pause) -> None:
    producers: set[asyncio.Task[None]] = set()

    async def words(key: str) -> AsyncIterator[str]:
        queue: asyncio.Queue[str | None] = asyncio.Queue()

        async def produce() -> None:
            async for word in _words(key, pause):
                await queue.put(word)
            await queue.put(None)

        producers.add(asyncio.create_task(produce()))
        while (word := await queue.get()) is not None:
            yield word

    @app.post("/chat/{key}")
    async def chat(key: str) -> StreamingResponse:
        return StreamingResponse(words(key), media_type="text/plain")


def cancels_from_the_first_word_on(app: FastAPI, pause: Pause) -> None:
    async def words(key: str) -> AsyncIterator[str]:
        queue: asyncio.Queue[str | None] = asyncio.Queue()

        async def produce() -> None:
            async for word in _words(key, pause):
                if word:  # the model's first piece has none
                    await queue.put(word)
            await queue.put(None)

        producer = asyncio.create_task(produce())
        word = await queue.get()
        try:
            while word is not None:
                yield word
                word = await queue.get()
        finally:
            producer.cancel()

    @app.post("/chat/{key}")
    async def chat(key: str) -> StreamingResponse:
        return StreamingResponse(words(key), media_type="text/plain")


def thread_goes_on(app: FastAPI, pause: Pause) -> None:
    async def words(key: str) -> AsyncIterator[str]:
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def produce() -> None:
            with (
                suppress(RuntimeError),
                OpenAI(**_openai(DefaultHttpxClient)) as client,
            ):  # the loop has ended
                time.sleep(pause())
                for chunk in client.chat.completions.create(**_chat(key, stream=True)):
                    loop.call_soon_threadsafe(queue.put_nowait, chunk.choices[0].delta.content)
                loop.call_soon_threadsafe(queue.put_nowait, None)

        threading.Thread(target=produce, daemon=True).start()
        while (word := await queue.get()) is not None:
            yield word

    @app.post("/chat/{key}")
    async def chat(key: str) -> StreamingResponse:
        return StreamingResponse(words(key), media_type="text/plain")


# in_the_background: POST /orders/{key} sends a mail


async def _send_mail(key: str, pause: Pause) -> None:
    await asyncio.sleep(pause())
    async with _http() as client:
        await client.post(_url("/mail"), json={"to": "ann@example.org", "order": key})


def background_task(app: FastAPI, pause: Pause) -> None:
    @app.post("/orders/{key}", status_code=202)
    async def order(key: str, later: BackgroundTasks) -> dict[str, str]:
        later.add_task(_send_mail, key, pause)
        return {"order": key}


def own_task(app: FastAPI, pause: Pause) -> None:
    tasks: set[asyncio.Task[None]] = set()

    @app.post("/orders/{key}", status_code=202)
    async def order(key: str) -> dict[str, str]:
        tasks.add(asyncio.create_task(_send_mail(key, pause)))
        return {"order": key}


def own_thread(app: FastAPI, pause: Pause) -> None:
    @app.post("/orders/{key}", status_code=202)
    def order(key: str) -> dict[str, str]:
        def send() -> None:
            asyncio.run(_send_mail(key, pause))

        threading.Thread(target=send, daemon=True).start()
        return {"order": key}


def mails_first(app: FastAPI, pause: Pause) -> None:
    @app.post("/orders/{key}", status_code=202)
    async def order(key: str) -> dict[str, str]:
        await _send_mail(key, pause)
        return {"order": key}


def forgets_the_mail(app: FastAPI, pause: Pause) -> None:
    @app.post("/orders/{key}", status_code=202)
    async def order(key: str) -> dict[str, str]:
        await asyncio.sleep(pause())
        return {"order": key}


def hangs_up(app: FastAPI, pause: Pause) -> None:
    tasks: set[asyncio.Task[Any]] = set()

    @app.post("/orders/{key}", status_code=202)
    async def order(key: str) -> dict[str, str]:
        await asyncio.sleep(pause())
        async with _http() as client:
            sending = asyncio.create_task(client.post(_url("/mail"), json={"order": key}))
            tasks.add(sending)
            sending.add_done_callback(lambda task: task.exception())
        return {"order": key}


async def at_its_gate(
    name: str, client: httpx2.AsyncClient, upstream: Upstream, key: str
) -> object:
    """Try the app behind `client` at a gate; `key` tells this try from all others.

    Raises:
        GateClosed: The app does not pass.
    """
    chat, legacy, mail = upstream.chat, upstream.legacy, upstream.mail
    stream = client.stream("POST", f"/chat/{key}")
    match name:
        case "together":
            return await gates.together(
                client.get(f"/report/{key}"), calls=len(TOPICS), to=legacy, about=key
            )
        case "at_most":
            batch = client.post(f"/batch/{key}")
            return await gates.at_most(LIMIT, batch, to=chat, client=client, about=key)
        case "loop_is_free":
            item = client.get(f"/item/{key}")
            return await gates.loop_is_free(item, to=legacy, client=client, about=key)
        case "streamed":
            return await gates.streamed(stream, to=chat, about=key)
        case "in_the_background":
            order = client.post(f"/orders/{key}")
            return await gates.in_the_background(order, to=mail, about=key)
        case "cancelled_on_leave" | "cancelled_before_a_word":
            at_once = name == "cancelled_before_a_word"
            await gates.cancelled_on_leave(
                stream, to=chat, about=key, before_the_first_word=at_once
            )
            return None
        case _:
            raise ValueError(f"There is no gate {name!r}.")


PATTERNS: dict[str, Pattern] = {
    "together": Pattern(
        right=(gathers, task_group, threads),
        wrong=(
            (one_after_the_other, "they run one after the other"),
            (two_at_a_time, "they do not all run together"),
            (gathers_blocking, "they run one after the other"),
        ),
    ),
    "at_most": Pattern(
        right=(_batch(_semaphore(LIMIT)), _batch(workers), pool_of_four, _batch(in_order)),
        wrong=(
            (_batch(all_at_once), "at most 4 may be"),
            (_batch(_semaphore(LIMIT + 1)), "at most 4 may be"),
            (_batch(semaphore_each), "at most 4 may be"),
        ),
    ),
    "loop_is_free": Pattern(
        right=(awaits, plain_def, to_thread),
        wrong=(
            (blocks, "event loop is blocked"),
            (awaits_a_blocked_thread, "event loop is blocked"),
        ),
    ),
    "streamed": Pattern(
        right=(plain_text, server_sent_events, json_lines, sync_generator),
        wrong=(
            (collects, "first word had left the model"),
            (two_by_two, "first word had left the model"),
            (asks_for_the_whole, "whole answer at once"),
        ),
    ),
    "in_the_background": Pattern(
        right=(background_task, own_task, own_thread),
        wrong=(
            (mails_first, "it waits for it"),
            (forgets_the_mail, "never came"),
            (hangs_up, "lost or not begun"),
        ),
    ),
    "cancelled_on_leave": Pattern(
        right=(plain_text, server_sent_events, json_lines, asks_while_connected),
        wrong=((producer_goes_on, "goes on with"), (thread_goes_on, "goes on with")),
    ),
    "cancelled_before_a_word": Pattern(
        right=(plain_text, server_sent_events, json_lines, asks_while_connected),
        wrong=(
            (producer_goes_on, "goes on with"),
            (cancels_from_the_first_word_on, "goes on with"),
        ),
    ),
}
