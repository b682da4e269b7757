"""Folders that belong to a running program, and that the next one removes if it was killed.

Whether the owner still runs is told by a lock that it holds, not by its process number: containers
that share a disk have numbers of their own, and so has another host on the same network disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_LOCK: Final = ".lock"
_TRIES: Final = 20


class OwnFolder:
    """A new folder, held by a lock until it is removed.

    Args:
        prefix: How its name begins. Folders of that beginning that nobody holds are removed.
        parent: Where it is made; the folder for temporary files if None.
    """

    def __init__(self, prefix: str, parent: Path | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        _sweep(prefix, parent)
        for _ in range(_TRIES):
            self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _is_held(descriptor):
                self._descriptor = descriptor
                return
            os.close(descriptor)  # somebody has swept it in between
        raise OSError(f"No folder of its own could be made in {parent}.")

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the folder; harmless when done twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        self._descriptor = -1


def _is_held(descriptor: int) -> bool:
    """Take the lock on an open file; tell whether it was free and is still the file there."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return os.fstat(descriptor).st_nlink > 0


def _sweep(prefix: str, parent: Path) -> None:
    """Remove folders whose lock nobody holds; one without a lock is about to get it."""
    for folder in parent.glob(f"{prefix}*"):
        try:
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if _is_held(descriptor):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)
