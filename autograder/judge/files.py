"""Files that a submission wrote, read without following it anywhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from autograder.checks.subject import NotThere

MAX_BYTES = 2**20
"""Bytes of a file that are read."""


def read_file(folder: int | None, name: str) -> bytes:
    """Return the beginning of an ordinary file in a submission's folder.

    Args:
        folder: Descriptor of the working folder; None if it has none.
        name: A plain file name.

    Raises:
        NotThere: There is no such file, or it is a link or something else.
    """
    if folder is None or Path(name).name != name:
        raise NotThere(f"There is no file `{name}`.")
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        raise NotThere(f"There is no file `{name}`.") from None
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise NotThere(f"`{name}` is no ordinary file.")
        return opened.read(MAX_BYTES)
