"""Copies what lies beside a notebook into the autograded folder, as nbgrader does.

Only regular files, of bounded size and number: a link could lead to another submission.
"""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

from autograder.grading.cache import write_whole

MAX_FILES = 200
MAX_BYTES = 16 * 2**20
"""Size of one file."""
MAX_TOTAL = 64 * 2**20
MAX_HANDED_ON = 16 * 2**20
"""Bytes of all files that a submission's cells find in their folder."""
_READ_ONLY = 0o444
_NOT_HANDED_ON = (
    *("timestamp.txt", "*.pyc", "__pycache__", ".ipynb_checkpoints", ".git", ".venv"),
    *("nbgrader_config.py", "*.sock"),
)


def listing(folder: Path, ignored: Collection[str]) -> dict[str, Path]:
    """Return the regular files of a submission that are copied, by their path in its folder.

    Args:
        folder: The submission.
        ignored: Patterns of names that nbgrader ignores.
    """
    found: dict[str, Path] = {}
    total = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_left_out(name, ignored))
        for name in sorted(names):
            path = Path(parent) / name
            if _is_left_out(name, ignored):
                continue
            state = path.lstat()
            fits = state.st_size <= MAX_BYTES and total + state.st_size <= MAX_TOTAL
            if stat.S_ISREG(state.st_mode) and fits and len(found) < MAX_FILES:
                found[str(path.relative_to(folder))] = path
                total += state.st_size
    return found


def handed_on(folder: Path) -> dict[str, Path]:
    """Return the files of a submission that lie in its working folder while it is graded.

    These are what its cells find beside the notebook in the student's own kernel: modules, data,
    settings.

    Args:
        folder: The submission.
    """
    found: dict[str, Path] = {}
    total = 0
    for name, path in listing(folder, _NOT_HANDED_ON).items():
        if not str(path).isprintable():  # not UTF-8, or a line's end: no name for a message
            continue
        total += path.lstat().st_size
        if total > MAX_HANDED_ON:
            break
        found[name] = path
    return found


def states(files: Mapping[str, Path]) -> list[tuple[str, int, int]]:
    """Return name, size and time of each file, to tell whether anything has changed."""
    found = []
    for name, path in sorted(files.items()):
        state = path.lstat()
        found.append((name, state.st_size, state.st_mtime_ns))
    return found


def copy(files: Mapping[str, Path], target: Path, *, keep: Collection[str]) -> None:
    """Make a folder hold these files, and none but these and those to keep.

    A file whose name is too long here is left out.
    """
    _clear(target, {*files, *keep})
    for name, path in files.items():
        try:
            write_whole(target / name, _content(path), mode=_READ_ONLY)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise


def _clear(folder: Path, kept: Collection[str]) -> None:
    """Remove other files, and folders that are empty then: a file may want their name."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(parent) / name
            if str(path.relative_to(folder)) not in kept:
                path.unlink(missing_ok=True)
        if parent != str(folder):
            with contextlib.suppress(OSError):  # it is not empty
                Path(parent).rmdir()


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as opened:
        return opened.read(MAX_BYTES)


def _is_left_out(name: str, ignored: Collection[str]) -> bool:
    # Also a folder with a notebook's name, which would stand in the notebook's way.
    return name.endswith(".ipynb") or any(fnmatch.fnmatch(name, pattern) for pattern in ignored)
