"""Remembers what has been graded, so that unchanged work is not run again.

One small file per submission lies in `.autograder/LAB/` of the course. It is written whole or
not at all, so a grader that is killed leaves nothing half-said.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Any

from pydantic import TypeAdapter, ValidationError

from autograder.checks.cell import CheckCell
from autograder.judge.judged import Judged
from autograder.judge.steps import Step

_LONGEST_NAME = 200
_JUDGING = ("checks", "child", "judge", "sandbox")
"""Parts of this package on which verdicts depend."""
SHOWING = ("checks", "render", "grading")
"""Parts on which the autograded notebook depends."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Hashes of a rebuilt submission's cells and of all that they run in.

    Attributes:
        all: Of all cells.
        before: Of those before each check, by the check cell's id.
    """

    all: str = ""
    before: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is remembered of one submission.

    Attributes:
        cells: Hashes of the submission's cells and of all that they ran in.
        checks: Hash of each check, by its cell's id.
        judged: What came of it.
        handed_in: Hash of the file that was handed in and of all that it was judged in.
        altered: What it had changed that it should not have.
        written: Hash of all that the autograded notebook was made from.
        notebook: Hash of the autograded notebook.
        scores: The automatic scores that went into the gradebook.
        comments: The automatic comments that went there.
    """

    cells: Cells = field(default_factory=Cells)
    checks: dict[str, str] = field(default_factory=dict)
    judged: Judged | None = None
    handed_in: str = ""
    altered: tuple[str, ...] = ()
    written: str = ""
    notebook: str = ""
    scores: dict[str, float | None] = field(default_factory=dict)
    comments: dict[str, str | None] = field(default_factory=dict)

    def known(self, cells: Cells, checks: Mapping[str, str], seed: int | None) -> Judged | None:
        """Return the verdicts that may be taken over, if there are any.

        Those are the ones on checks that are as they were, after cells that are as they were.

        Args:
            cells: Hashes of the submission's cells now.
            checks: Hashes of the checks now.
            seed: The seed that is asked for, if one is.
        """
        if self.judged is None:
            return None
        if self.cells.all != cells.all and self.judged.losses:
            return None  # a cell that took the process down was left out before other checks, too
        same = {
            cell: result
            for cell, result in self.judged.checks.items()
            if cell in checks
            and self.checks.get(cell) == checks[cell]
            and cell in cells.before
            and self.cells.before.get(cell) == cells.before[cell]
            and seed in {None, result.seed}
        }
        if not same and cells.before:
            return None
        return replace(self.judged, checks=same)

    def seed(self, known: Judged | None, cells: Cells, drawn: int) -> int:
        """Return what the values of new tests are to be drawn from.

        That is the seed of what is taken over, so that one seed replays all of it. But not where
        the student has changed a cell since, and may have seen the values of that seed.

        Args:
            known: What `known` returned.
            cells: Hashes of the submission's cells now.
            drawn: A new seed.
        """
        return known.seed if known is not None and self.cells == cells else drawn

    def tells_all(self, known: Judged | None, cells: Cells) -> bool:
        """Tell whether nothing has to be run, given what `known` returned for these cells."""
        return (
            known is not None and self.cells == cells and known.checks.keys() == cells.before.keys()
        )


_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


class Records:
    """The records of one lab.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, student: str) -> Record:
        """Return what is remembered of a submission; an empty record if nothing is."""
        try:
            return _RECORD.validate_json(self.file(student).read_bytes())
        except (OSError, ValidationError):
            return Record()

    def write(self, student: str, record: Record) -> None:
        """Remember a submission."""
        write_whole(self.file(student), _RECORD.dump_json(record))

    @contextmanager
    def lock(self, student: str) -> Iterator[bool]:
        """Keep other graders away from a submission; gives whether it was free."""
        with self._file(student, ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def file(self, student: str) -> Path:
        """Return where a submission is remembered."""
        return self._file(student, ".json")

    def _file(self, student: str, ending: str) -> Path:
        name = student
        if len(os.fsencode(student)) > _LONGEST_NAME:
            name = hashlib.sha256(os.fsencode(student)).hexdigest()
        return self._folder / f"{name}{ending}"


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Wait until no other grader is at work on what a lock file stands for."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def write_whole(file: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that it is there as a whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Not the file's own name with more around it, which could be too long.
    name = hashlib.sha256(os.fsencode(file.name)).hexdigest()[:16]
    # Nor a process number, which another container or host may have as well.
    temporary = file.with_name(f".{name}.{token_hex(8)}.tmp")
    with temporary.open("wb") as opened:
        opened.write(content)
        os.fchmod(opened.fileno(), mode)
    temporary.replace(file)


def digest(*parts: Any) -> str:
    """Return a hash of some JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def hashes_of_cells(steps: Iterable[Step], world: str, files: str) -> Cells:
    """Return the hashes of a rebuilt submission's cells and of all that they run in.

    Args:
        steps: The submission.
        world: What `world` returned.
        files: Hash of the submission's own files that they may read.
    """
    so_far, before = digest(world, files), {}
    for step in steps:
        if step.check is not None:
            before[step.cell] = so_far
        so_far = digest(so_far, step.cell, step.source)
    return Cells(all=so_far, before=before)


def hash_of_files(files: Mapping[str, Path]) -> str:
    """Return a hash of files by their names; those that cannot be read are left out."""
    found = []
    for name, path in sorted(files.items()):
        with suppress(OSError):
            found.append((name, hash_of(path.read_bytes())))
    return digest(found)


def hash_of_check(cell: CheckCell) -> str:
    """Return a hash of a check."""
    told = [cell.lab, cell.task, cell.points, cell.body, cell.needs, cell.skill, cell.entry]
    return digest(told)


def world(*, data: str, sandbox: str) -> str:
    """Return a hash of all that cells and checks run in.

    Args:
        data: Hash of the lab's data files and grants.
        sandbox: Name of the sandbox's level.
    """
    return digest(data, sandbox, sys.version, hash_of_code(*_JUDGING), _packages())


@cache
def hash_of_code(*folders: str) -> str:
    """Return a hash of the code in some folders of this package, and of `classroom`."""
    total = hashlib.sha256()
    own = _folder_of("autograder")
    for root in (*(own / folder for folder in folders), _folder_of("classroom")):
        for file in sorted(root.rglob("*.py")):
            total.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def _folder_of(package: str) -> Path:
    """Return where a package is, without importing it, which would take time."""
    found = find_spec(package)
    assert found is not None, "both packages come together"
    assert found.submodule_search_locations is not None, "it is a package"
    return Path(found.submodule_search_locations[0])


def _packages() -> list[str]:
    """Return what is installed: the names of the folders in which pip keeps it on record."""
    return sorted(
        entry.name
        for folder in {Path(path) for path in sys.path if path.endswith("-packages")}
        if folder.is_dir()
        for entry in folder.iterdir()
        if entry.name.endswith((".dist-info", ".egg-info"))
    )


def hash_of(content: bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(content).hexdigest()
