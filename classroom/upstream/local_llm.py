"""The language model of a lesson, in one line."""

from __future__ import annotations

import os

from classroom.serving import NoSocketsError
from classroom.upstream.endpoint import Pace
from classroom.upstream.upstream import UPSTREAM_URL, Upstream

_local: list[Upstream] = []


def local_llm(*, first: float = 0.0, each: float = 0.0) -> Upstream:
    """Return this notebook's own language model, started if need be.

    It needs no network, no key and no weights, and the same request gets the same words.
    Running the cell again returns the same server with the new pace.

        llm = local_llm(each=0.05)
        client = AsyncOpenAI(**llm.openai)

    An app finds it at the environment variable `UPSTREAM_URL`.

    Args:
        first: Seconds before the first token.
        each: Seconds before every further token.
    """
    if not _local:
        _local.append(_started())
    llm = _local[0]
    llm.pace = Pace(first=first, each=each)
    os.environ[UPSTREAM_URL] = llm.url
    return llm


def _started() -> Upstream:
    try:
        return Upstream().start()
    except NoSocketsError:
        # A grader's sandbox: the outside world is the grader's own.
        return Upstream(elsewhere=os.environ[UPSTREAM_URL])
