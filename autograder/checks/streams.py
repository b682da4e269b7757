"""Catches what a submission writes to its streams while a check runs.

nbgrader counts any stderr in a check cell as failure, and an app that prints, logs or warns
from another thread would otherwise cost its author the mark.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

MAX_KEPT = 64 * 1024
"""Characters that are kept between two takes; the rest is counted as lost."""


class Captured:
    """What was written, bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: list[str] = []
        self._size = 0

    def write(self, text: str) -> int:
        """Keep a text as long as there is room."""
        with self._lock:
            kept = text[: max(0, MAX_KEPT - self._size)]
            self._parts.append(kept)
            self._size += len(kept)
        return len(text)

    def flush(self) -> None:
        """Do nothing: everything is kept at once."""

    def isatty(self) -> bool:
        """Return that no terminal listens."""
        return False

    def take(self) -> str:
        """Return what was written since the last take."""
        with self._lock:
            text = "".join(self._parts)
            self._parts.clear()
            self._size = 0
        return text


@contextlib.contextmanager
def captured() -> Iterator[Captured]:
    """Keep what is written to Python's two streams, and silence the descriptors below them."""
    caught = Captured()
    with contextlib.ExitStack() as undo:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            undo.enter_context(_shadowed(stream, caught))
        undo.enter_context(contextlib.redirect_stdout(caught))
        undo.enter_context(contextlib.redirect_stderr(caught))
        undo.enter_context(_descriptors_silenced())
        yield caught


@contextlib.contextmanager
def _shadowed(stream: TextIO, caught: Captured) -> Iterator[None]:
    """Also catch writes by those who kept the stream itself, as logging handlers do."""
    try:
        stream.write = caught.write  # type: ignore[method-assign]
    except AttributeError:  # a terminal's stream, written in C; nobody counts its stderr
        yield
        return
    try:
        yield
    finally:
        del stream.write


@contextlib.contextmanager
def _descriptors_silenced() -> Iterator[None]:
    """Lose what code below Python writes to file descriptors 1 and 2."""
    kept = {number: os.dup(number) for number in (1, 2)}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        os.close(nowhere)
        for number, old in kept.items():
            os.dup2(old, number)
            os.close(old)
