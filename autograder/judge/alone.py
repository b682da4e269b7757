"""A verdict that hangs on a deadline is judged again, while nothing else is being judged."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from autograder.judge.judged import Judged

_CONFIRMED = (
    "Time was up in this check. It was judged again while nothing else was running, and time was "
    "up again."
)
_CHANGED = "Time was up in this check. It was judged again alone, and this is the second verdict."


@contextmanager
def beside_others(folder: str) -> Iterator[None]:
    """Judge at the same time as other workers, but not while one of them wants to be alone.

    Args:
        folder: Where the workers of a class have their locks; empty where there is one worker.
    """
    if not folder:
        yield
        return
    with _locked(f"{folder}/turnstile", fcntl.LOCK_EX):
        room = _open(f"{folder}/room")
        fcntl.flock(room, fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(room)


@contextmanager
def alone(folder: str) -> Iterator[None]:
    """Judge while no other worker does; they wait at the turnstile."""
    if not folder:
        yield
        return
    with (
        _locked(f"{folder}/turnstile", fcntl.LOCK_EX),
        _locked(f"{folder}/room", fcntl.LOCK_EX),
    ):
        yield


def confirmed(first: Judged, second: Judged) -> Judged:
    """Return the second verdicts, with what a deadline has cost said in each.

    Args:
        first: What came of it beside other submissions.
        second: What came of it alone.
    """
    checks = dict(second.checks)
    changed = []
    for cell in first.late:
        result = checks[cell]
        if result.points != first.checks[cell].points:
            changed.append(result.task)
            checks[cell] = result.model_copy(update={"deadline": _CHANGED})
        elif cell in second.late:
            checks[cell] = result.model_copy(update={"deadline": _CONFIRMED})
    doubts = []
    if changed:
        doubts.append(f"Time decided a verdict at first ({', '.join(sorted(changed))}).")
    timed = sorted(checks[cell].task for cell in second.by_clock)
    if timed and not second.overtime:
        doubts.append(f"Marks were lost to time ({', '.join(timed)}).")
    return replace(second, checks=checks, doubt=" ".join(doubts))


@contextmanager
def _locked(path: str, kind: int) -> Iterator[None]:
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
