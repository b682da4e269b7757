"""What a student has handed in, read so that nothing in it can do harm."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import parse_utc  # type: ignore[import-untyped]  # it ships no types

from autograder.grading.sanitise import Unreadable, read_submission, rebuild

_TIMESTAMP = "timestamp.txt"
LONGEST_TIMESTAMP = 100
"""Characters; nbgrader writes some thirty."""


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """One submission as it is graded.

    Attributes:
        folder: Where it lies.
        notebook: Rebuilt from the release; the release itself if it cannot be read.
        altered: What the student changed that is not part of an answer.
        reason: Why it cannot be read; empty if it can.
        timestamp: When it was handed in, in UTC, if that is known.
    """

    folder: Path
    notebook: NotebookNode
    altered: tuple[str, ...]
    reason: str
    timestamp: dt.datetime | None


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """One submission of which only the bytes are known.

    Attributes:
        folder: Where it lies.
        data: Its notebook's bytes; empty if they cannot be read.
        reason: Why they cannot be read; empty if they can.
        wrong: Files that say nothing sensible and are not looked at.
        timestamp: When it was handed in, in UTC, if that is known.
    """

    folder: Path
    data: bytes
    reason: str
    wrong: tuple[str, ...]
    timestamp: dt.datetime | None

    def rebuilt(self, release: NotebookNode) -> HandedIn:
        """Look into it.

        Args:
            release: The notebook that students were given.
        """
        notebook, altered, reason = release, self.wrong, self.reason
        if not reason:
            try:
                rebuilt = rebuild(self.data, release)
                notebook, altered = rebuilt.notebook, (*self.wrong, *rebuilt.altered)
            except Unreadable as error:
                reason = str(error)
            except Exception as error:  # noqa: BLE001 - one submission never stops the class
                notebook, altered, reason = release, self.wrong, _unforeseen(error)
        return HandedIn(
            folder=self.folder,
            notebook=notebook,
            altered=altered,
            reason=reason,
            timestamp=self.timestamp,
        )


def fetch(folder: Path, name: str) -> Fetched:
    """Read a submission's bytes.

    Args:
        folder: Where it lies.
        name: Name of its notebook.
    """
    timestamp, wrong = _timestamp(folder / _TIMESTAMP)
    data, reason = b"", ""
    try:
        data = read_submission(folder / name)
    except Unreadable as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - one submission never stops the class
        reason = _unforeseen(error)
    return Fetched(folder=folder, data=data, reason=reason, wrong=wrong, timestamp=timestamp)


def _unforeseen(error: Exception) -> str:
    """Return what is said of a submission that does what nobody has thought of."""
    return f"It cannot be read ({type(error).__name__}: {error!s:.200})."


def read(folder: Path, name: str, release: NotebookNode) -> HandedIn:
    """Read a submission and look into it."""
    return fetch(folder, name).rebuilt(release)


def _timestamp(file: Path) -> tuple[dt.datetime | None, tuple[str, ...]]:
    """Return when a submission was handed in, and what is wrong with that file."""
    text, wrong = timestamp_text(file)
    return (parse_utc(text) if text else None), wrong


def timestamp_text(file: Path) -> tuple[str, tuple[str, ...]]:
    """Return a time of submission that nbgrader can read, and what is wrong with the file.

    Args:
        file: `timestamp.txt`, as whoever handed it in has left it.
    """
    if not file.exists() and not file.is_symlink():
        return "", ()
    try:
        text = read_submission(file, most=LONGEST_TIMESTAMP).decode("utf-8").strip()
        if text:
            parse_utc(text)
    except (Unreadable, ValueError, OverflowError):
        return "", (_TIMESTAMP,)
    return text, ()
