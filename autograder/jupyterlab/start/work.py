"""Somebody's own work as one file: to take away before a session on Binder ends, and to bring back.

The file is a ZIP archive of `notebooks/` and `labs/` as they are, with what the checks keep beside
the notebooks. What is brought back replaces what is there; whatever differs is kept in a folder
`.before/` beside the two, by the moment. An archive is a stranger's: names, kinds and sizes are
looked at first.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

FOLDERS: Final = ("notebooks", "labs")
KEPT: Final = ".before"
"""Where what was replaced is kept."""
MOST_BYTES: Final = 200_000_000
"""Bytes of an archive, and of all that is in it."""
_MOST_FILES: Final = 5_000
_PASSED_OVER: Final = frozenset({".ipynb_checkpoints", "__pycache__"})
_PLAIN: Final = re.compile(r"[^\\:\x00-\x1f\x7f]+")


class BadArchive(ValueError):
    """A file is no archive of the course's work; the message says why."""


@dataclass(frozen=True)
class Brought:
    """What an archive has changed.

    Attributes:
        new: Files that were not there before.
        replaced: Files that were there with another content, which is kept.
        same: How many files were as they are.
    """

    new: tuple[str, ...]
    replaced: tuple[str, ...]
    same: int


def packed(root: Path) -> bytes:
    """Return the archive of what lies in the course's folders.

    Args:
        root: The folder of the course.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in _files(root):
            file.write(path, path.relative_to(root).as_posix())
    return archive.getvalue()


def bring_back(archive: bytes, root: Path, *, moment: str) -> Brought:
    """Put the files of an archive where they were.

    Args:
        archive: What `packed` has made, here or elsewhere.
        root: The folder of the course.
        moment: Names the folder in which what is replaced is kept.

    Raises:
        BadArchive: It is no such archive; then nothing is changed.
    """
    new, replaced, same = [], [], 0
    contents = _contents(archive)
    for name in contents:
        if not (root / name).parent.resolve().is_relative_to(root.resolve()):
            raise BadArchive(
                f"{name[:100]!r} would lie outside of the course: its folder is a link."
            )
    for name, content in contents.items():
        path = root / name
        before = path.read_bytes() if path.is_file() else None
        if before == content:
            same += 1
            continue
        if before is None:
            new.append(name)
        else:
            replaced.append(name)
            _write(root / KEPT / moment / name, before)
        _write(path, content)
    return Brought(tuple(new), tuple(replaced), same)


def _files(root: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            inner = path.relative_to(root).parts
            if path.is_file() and not path.is_symlink() and not _PASSED_OVER.intersection(inner):
                yield path


def _contents(archive: bytes) -> dict[str, bytes]:
    """Return the files of an archive by name, once all of them have been looked at."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            entries = [entry for entry in file.infolist() if not entry.is_dir()]
            _look_at(entries)
            return {entry.filename: _read(file, entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise BadArchive(f"This file is not a ZIP archive that can be read: {error}.") from error


def _look_at(entries: list[zipfile.ZipInfo]) -> None:
    if not entries:
        raise BadArchive("This archive is empty.")
    if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise BadArchive(
            f"This archive holds more than {_MOST_FILES} files or {MOST_BYTES // 10**6} MB."
        )
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if (
            len(parts) < 2  # noqa: PLR2004 - a folder and a file
            or parts[0] not in FOLDERS
            or entry.filename != "/".join(parts)
            or not all(_PLAIN.fullmatch(part) and part != ".." for part in parts)
            or kind not in {0, stat.S_IFREG}
        ):
            raise BadArchive(
                f"{entry.filename[:100]!r} in this archive is not a file in notebooks/ or labs/. "
                "Nothing was changed: take the file that this page has let you download."
            )


def _read(file: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with file.open(entry) as opened:
        content = opened.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise BadArchive(f"{entry.filename[:100]!r} is larger than this archive says.")
    return content


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a link is replaced, never followed
    path.write_bytes(content)
