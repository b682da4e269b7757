"""The generated folders: what they should hold, what they hold, and making them equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GENERATED = ("notebooks", "solutions", "labs")
LEFT_ALONE = {"__pycache__"}

Files = dict[str, bytes]
"""Content by path, relative to the course's root, with forward slashes."""


@dataclass(frozen=True)
class Differences:
    """How generated folders depart from what the sources make.

    Attributes:
        missing: Paths that should be there and are not.
        changed: Paths that hold something else.
        stray: Paths that nothing makes.
    """

    missing: tuple[str, ...]
    changed: tuple[str, ...]
    stray: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.stray)


def held(root: Path) -> Files:
    """Return the files of the generated folders; hidden ones and caches are nobody's concern."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for folder in GENERATED
        for path in _files(root / folder)
    }


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(p.startswith(".") or p in LEFT_ALONE for p in parts):
            yield path


def differences(wanted: Files, present: Files) -> Differences:
    """Compare two states of the generated folders."""
    return Differences(
        missing=tuple(sorted(wanted.keys() - present.keys())),
        changed=tuple(sorted(p for p in wanted.keys() & present.keys() if wanted[p] != present[p])),
        stray=tuple(sorted(present.keys() - wanted.keys())),
    )


def apply(found: Differences, wanted: Files, root: Path) -> None:
    """Write what is missing or changed and remove what is stray, with folders left empty."""
    for name in (*found.missing, *found.changed):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wanted[name])
    for name in found.stray:
        path = root / name
        path.unlink()
        _remove_empty(path.parent, root)


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
