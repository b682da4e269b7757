"""Copies what lies beside a notebook into the autograded folder, as nbgrader does.

Only regular files, of bounded size and number: a link could lead to another submission.
"""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import os
import stat
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from autograder.grading.cache import write_whole

MAX_FILES = 200
MAX_ENTRIES = 2_000
"""Names that are looked at."""
MAX_DEPTH = 8
"""Folders inside folders that are looked into."""
MAX_BYTES = 16 * 2**20
"""Size of one file."""
MAX_TOTAL = 64 * 2**20
MAX_HANDED_ON = 16 * 2**20
"""Bytes of all files that a submission's cells find in their folder."""
_READ_ONLY = 0o444
_NEVER = (
    *("*.ipynb", ".*"),
    # What a program takes as its settings, or runs, because it was started beside it.
    *("*_config.py", "*_config.json", "conftest.py", "sitecustomize.py", "usercustomize.py"),
    *("*.pth", "pytest.ini", "tox.ini", "setup.cfg", "setup.py", "pyproject.toml", "makefile"),
    *("gnumakefile", "*.mk", "*.desktop", "pyvenv.cfg"),
    # What a browser runs: these are copied on into feedback/, and are opened from there.
    *("*.htm", "*.html", "*.shtml", "*.xht", "*.xhtml", "*.mht", "*.mhtml", "*.svg", "*.svgz"),
    *("*.xml", "*.xsl", "*.xslt", "*.js", "*.mjs", "*.swf", "*.hta"),
)
"""Names, in lower case, of what is not copied on, because it would do something there."""
_NOT_HANDED_ON = (
    *("*.ipynb", ".*"),
    *("timestamp.txt", "*.pyc", "__pycache__"),
    *("nbgrader_config.py", "*.sock"),
)


def listing(folder: Path, ignored: Collection[str]) -> dict[str, Path]:
    """Return the regular files of a submission that are copied, by their path in its folder.

    Args:
        folder: The submission.
        ignored: Patterns of names that nbgrader ignores.
    """
    return _fitting(folder, _files(folder, (*_NEVER, *ignored)), most=MAX_TOTAL)


def handed_on(folder: Path) -> dict[str, Path]:
    """Return the files of a submission that lie in its working folder while it is graded.

    These are what its cells find beside the notebook in the student's own kernel: modules, data,
    settings.

    Args:
        folder: The submission.
    """
    found = _fitting(folder, _files(folder, _NOT_HANDED_ON), most=MAX_HANDED_ON)
    # Not UTF-8, or with a line's end: no name for a message.
    return {name: path for name, path in found.items() if str(path).isprintable()}


def _files(folder: Path, left_out: Collection[str]) -> Iterator[Path]:
    """Yield what is no folder, a folder's own first; no further than a student would nest them."""
    waiting = deque([(folder, 0)])
    looked_at = 0
    while waiting:
        parent, depth = waiting.popleft()
        try:
            with os.scandir(parent) as found:
                entries = sorted(islice(found, MAX_ENTRIES - looked_at), key=lambda one: one.name)
        except OSError:  # not to be opened, or its path has become too long
            continue
        looked_at += len(entries)
        for entry in entries:
            if _is_left_out(entry.name, left_out):
                continue
            if not entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)
            elif depth < MAX_DEPTH:
                waiting.append((Path(entry.path), depth + 1))


def _fitting(folder: Path, paths: Iterable[Path], *, most: int) -> dict[str, Path]:
    """Return the regular files among some, as far as they fit together."""
    found: dict[str, Path] = {}
    total = 0
    for path in paths:
        try:
            state = path.lstat()
        except OSError:
            continue
        fits = state.st_size <= MAX_BYTES and total + state.st_size <= most
        if stat.S_ISREG(state.st_mode) and fits and len(found) < MAX_FILES:
            found[str(path.relative_to(folder))] = path
            total += state.st_size
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


def _is_left_out(name: str, patterns: Collection[str]) -> bool:
    # Also a folder with a notebook's name, which would stand in the notebook's way.
    return any(
        fnmatch.fnmatch(name, pattern) or fnmatch.fnmatchcase(name.lower(), pattern)
        for pattern in patterns
    )
