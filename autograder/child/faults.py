"""Turns an error of a submission into text, whatever the error tries."""

from __future__ import annotations

import errno
import linecache
import socket
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Final

from autograder.child.messages import LONGEST_LINE, LONGEST_TEXT, Raised
from classroom.sole_error import sole_error

CELL: Final = "<cell "
"""How the file names of compiled cells begin; the cell's id and `>` follow."""
_FRAMES: Final = 30
_CAUSES: Final = 10
"""Links of a chain of errors that are looked at."""
_WITHHELD: Final = {
    errno.ENOENT: "a file, which was not handed in",
    errno.EPERM: "a permission",
    errno.EACCES: "a permission",
    errno.EROFS: "a folder to write to",
    errno.ENOSYS: "a call of the system",
    errno.ENOSPC: "room for files",
    errno.EDQUOT: "room for files",
    errno.EFBIG: "room in a file",
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
    errno.EAGAIN: "processes or threads",
    errno.ENOMEM: "memory",
    errno.ENETUNREACH: "the network",
    errno.EHOSTUNREACH: "the network",
}


def clean(text: str, longest: int) -> str:
    """Return a text that JSON can carry, cut to a length that is then stated."""
    text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= longest:
        return text
    note = f" … ({len(text)} characters)"
    return text[: longest - len(note)] + note


def describe(error: BaseException) -> Raised:
    """Describe an error by the student's own lines.

    Args:
        error: What was raised; its methods are foreign code and may raise too. A group of one
            error counts as that error.
    """
    error = sole_error(error)
    kind = clean(type(error).__name__, LONGEST_LINE)
    own = [place for place in _places(error.__traceback__) if place[0].startswith(CELL)]
    name, line = own[-1] if own else _place_of_syntax(error)
    return Raised(
        type=kind,
        message=clean(_message(error), LONGEST_LINE),
        cell=clean(name.removeprefix(CELL).removesuffix(">"), LONGEST_LINE),
        line=line if name else None,
        source=clean(linecache.getline(name, line).strip(), LONGEST_LINE) if name else "",
        text=clean(_traceback(error), LONGEST_TEXT),
        withheld=clean(_withheld(error), LONGEST_LINE),
    )


def _withheld(error: BaseException) -> str:
    """Say what the sandbox may have withheld: the student's own kernel may well have it.

    That nothing is served beside the checks is every lab's rule: a cell that only tries something
    by `serve` costs no mark.
    """
    link: BaseException | None = error
    if type(error).__qualname__ == "NoSocketsError":
        return ""
    for _ in range(_CAUSES):
        if link is None:
            break
        if lacking := _lacking(link):
            return lacking
        link = link.__cause__ or link.__context__
    return ""


def _lacking(error: BaseException) -> str:
    match error:
        case ModuleNotFoundError():
            return f"the module `{error.name}`"
        case socket.gaierror():
            return "the network"
        case MemoryError():
            return "memory"
        case OSError():
            return _WITHHELD.get(error.errno or 0, "")
    return "threads" if "start new thread" in _message(error) else ""


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - the student's own __str__
        return f"(its text cannot be shown: {type(second).__name__})"


def _places(link: TracebackType | None) -> Iterator[tuple[str, int]]:
    for frame, line in traceback.walk_tb(link):
        yield frame.f_code.co_filename, line


def _place_of_syntax(error: BaseException) -> tuple[str, int]:
    if isinstance(error, SyntaxError) and str(error.filename).startswith(CELL):
        return str(error.filename), error.lineno or 1
    return "", 0


def _traceback(error: BaseException) -> str:
    """Format from the first frame of a cell on; what lies before is the grader's."""
    link = error.__traceback__
    while link is not None and not link.tb_frame.f_code.co_filename.startswith(CELL):
        link = link.tb_next
    try:
        told = traceback.TracebackException(
            type(error), error, link or error.__traceback__, limit=-_FRAMES, compact=True
        )
        return "".join(told.format())
    except Exception:  # noqa: BLE001 - the student's own attributes
        return f"{type(error).__name__}: {_message(error)}"
