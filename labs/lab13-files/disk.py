"""A slow disk. Its functions work correctly; do not change them.

Each of them blocks: it keeps the thread that calls it until it returns. Midway it reports to the
control room, if a check has set one up, and goes on when it has the reply.
"""

from __future__ import annotations

import json
import os
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit


def create(path: Path) -> None:
    """Make an empty file, and the folder that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _report("create", path)
    path.write_bytes(b"")


def append(path: Path, piece: bytes) -> None:
    """Add a piece at the end of a file."""
    with path.open("ab") as file:
        _report("append", path)
        file.write(piece)


def rename(old: Path, new: Path) -> None:
    """Give a file another name, in one step; a file that has this name is replaced."""
    _report("rename", old)
    old.replace(new)


def remove(path: Path) -> None:
    """Remove a file."""
    _report("remove", path)
    path.unlink()


def size(path: Path) -> int:
    """Return how many bytes a file has; `FileNotFoundError` if there is none."""
    _report("size", path)
    return path.stat().st_size


def read(path: Path, start: int, size: int) -> bytes:
    """Return bytes of a file, fewer at its end; `FileNotFoundError` if there is none."""
    with path.open("rb") as file:
        _report("read", path)
        file.seek(start)
        return file.read(size)


def _report(step: str, path: Path) -> None:
    if "UPSTREAM_URL" not in os.environ:
        return
    address = urlsplit(os.environ["UPSTREAM_URL"])
    room = HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        content = json.dumps({"path": str(path)})
        room.request("POST", f"/steps/disk-{step}", content, {"Content-Type": "application/json"})
        room.getresponse().read()
    finally:
        room.close()


# ruff: noqa: INP001 - it lies beside a notebook
