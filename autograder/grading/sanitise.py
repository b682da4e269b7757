"""Rebuilds a submission from the release, before nbgrader or anything else reads it.

Layout, locked cells, flags and points come from the release. From the submission come only the
text of its unlocked cells, found by their ids (or, where an editor has lost these, by their text
and order), and the code cells that the student added.
Whatever else a submission says is ignored and reported. Without this, some damaged
notebooks (duplicated or renamed cells, a wrong schema) stop nbgrader for the whole class.
"""

from __future__ import annotations

import copy
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum  # type: ignore[import-untyped]  # it ships no types

from autograder.grading.identity import Found, Known, recover

MAX_BYTES = 32 * 2**20
"""Size of a notebook that is read; outputs, which are thrown away, make most of it."""
MAX_CELLS = 2_000
"""Cells of a submission that are looked at."""
MAX_SOURCE = 256 * 1024
"""Characters of one cell's source that are kept."""
MAX_SOURCES = 2**20
"""Characters of all sources that are kept."""

Cell = dict[str, Any]


class Unreadable(ValueError):
    """A submission that is no notebook; the message says why, for student and instructor."""


@dataclass(frozen=True)
class Rebuilt:
    """A submission made safe to read.

    Attributes:
        notebook: The release with the student's answers and added cells.
        altered: What was altered, missing or duplicated, each in a few words.
    """

    notebook: NotebookNode
    altered: tuple[str, ...] = ()


def read_submission(file: Path, *, most: int = MAX_BYTES) -> bytes:
    """Return a submitted file's bytes.

    Args:
        file: The file.
        most: How many it may have.

    Raises:
        Unreadable: It is missing, a link, no ordinary file, or too large.
    """
    try:
        # O_NOFOLLOW: a link could name another student's notebook or the solution.
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Unreadable(f"{file.name} was not handed in.") from None
    except OSError:
        raise Unreadable(f"{file.name} is a link or cannot be opened.") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable(f"{file.name} is no ordinary file.")
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            data = opened.read(most + 1)
    finally:
        os.close(descriptor)
    if len(data) > most:
        size = f"{most // 2**20} MB" if most >= 2**20 else f"{most} bytes"
        raise Unreadable(f"{file.name} is larger than {size}.")
    return data


def rebuild(data: bytes, release: NotebookNode) -> Rebuilt:
    """Return the release with the answers of a submission.

    Args:
        data: The submitted file.
        release: The notebook that students were given.

    Raises:
        Unreadable: The file is no notebook.
    """
    handed_in = _cells(data)
    known = {_name(cell): cell for cell in release.cells}
    order = {name: number for number, name in enumerate(known)}
    report = _Report(known)
    texts: dict[str, str] = {}
    added: dict[str, list[str]] = {}
    place = ""
    room = MAX_SOURCES
    recovered = recover(
        [
            Known(name, cell.source, bool(_told(cell).get("solution")))
            for name, cell in known.items()
        ],
        [Found(_name(cell), _source(cell), cell.get("cell_type") == "code") for cell in handed_in],
    )
    for number, cell in enumerate(handed_in):
        room -= len(_text(cell))
        name = recovered.get(number) or _name(cell)
        if room < 0:
            report.note_length(name)
            continue
        if name in known and name not in report.seen:
            if number in recovered:
                report.note_recovered(name)
            else:
                report.compare(name, cell)
            if not _is_locked(known[name]):
                texts[name] = _source(cell)
            place = name
        elif cell.get("cell_type") == "code":
            # A copied cell runs a second time, as it would in a kernel.
            report.note_copy(name)
            after = max(place, name, key=lambda one: order.get(one, -1))
            added.setdefault(after, []).append(_source(cell))
    return Rebuilt(_assembled(release, texts, added), report.lines())


def _assembled(
    release: NotebookNode, texts: Mapping[str, str], added: Mapping[str, list[str]]
) -> NotebookNode:
    notebook = copy.deepcopy(release)
    cells: list[NotebookNode] = list(_new_cells("", added.get("", [])))
    for cell in notebook.cells:
        name = _name(cell)
        if not _is_locked(cell):
            cell.source = texts.get(name, cell.source if cell.cell_type != "code" else "")
        cells += [cell, *_new_cells(name, added.get(name, []))]
    notebook.cells = cells
    return notebook


def _new_cells(place: str, sources: list[str]) -> Iterator[NotebookNode]:
    for number, source in enumerate(sources, start=1):
        cell: NotebookNode = nbformat.v4.new_code_cell(source)
        cell.id = f"added-{number}-{place}"[:64]
        yield cell


@dataclass
class _Report:
    """What differs between the release and a submission."""

    known: Mapping[str, NotebookNode]
    seen: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    def compare(self, name: str, cell: Cell) -> None:
        given = self.known[name]
        self.seen.append(name)
        if _is_cut(cell):
            self.changes.append(f"too long and cut: {name}")
        ours, theirs = given.metadata.get("nbgrader", {}), _told(cell)
        if ours and set(map(str, _tags(cell))) - set(given.metadata.get("tags", [])):
            self.changes.append(f"tags of {name}")
        if not ours or (_is_locked(given) and _is_as_released(cell)):
            # Text that is no part of the work, or a cell as it was on this release or an earlier
            # one: nothing that matters was changed by the student.
            return
        if _is_locked(given) and _source(cell) != given.source:
            self.changes.append(f"source of {name}")
        for key in ("points", "grade", "solution", "locked", "cell_type"):
            if key in ours and theirs.get(key) != ours[key]:
                self.changes.append(f"{key} of {name}")

    def note_recovered(self, name: str) -> None:
        """Take note that a cell was found by its text, because it did not say which one it is."""
        self.seen.append(name)
        if _told(self.known[name]).get("solution"):
            self.changes.append(f"found by its text: {name}")

    def note_length(self, name: str) -> None:
        """Take note that a cell was left out, because the notebook is too long."""
        what = name if name in self.known else "added cells"
        self.changes.append(f"left out for length: {what}")
        if name in self.known:
            self.seen.append(name)

    def note_copy(self, name: str) -> None:
        if name in self.known:
            self.changes.append(f"duplicated: {name}")

    def lines(self) -> tuple[str, ...]:
        graded = [name for name, cell in self.known.items() if "nbgrader" in cell.metadata]
        missing = [f"missing: {name}" for name in graded if name not in self.seen]
        order = [name for name in self.known if name in self.seen]
        moved = ["order of cells"] if order != self.seen else []
        return tuple(dict.fromkeys([*self.changes, *missing, *moved]))


def lost_answers(altered: Iterable[str], release: NotebookNode) -> str:
    """Return why a person should look: the notebook has no cell for a task; empty if it has all.

    Args:
        altered: What was reported of the submission.
        release: The notebook that students were given.
    """
    answers = [_name(cell) for cell in release.cells if _told(cell).get("solution")]
    lost = [name for name in answers if f"missing: {name}" in altered]
    if not lost:
        return ""
    which = "the cell of " + lost[0] if len(lost) == 1 else "the cells of " + ", ".join(lost)
    return (
        f"The notebook does not hold {which}: it was deleted, or an editor has lost what names it. "
        "Open what was handed in, and look for the answer."
    )


def _cells(data: bytes) -> list[Cell]:
    """Return the cells of a file that should be a notebook."""
    if not data.strip():
        raise Unreadable("The notebook is empty.")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise Unreadable("The file is no notebook: it is not JSON.") from None
    cells = document.get("cells") if isinstance(document, dict) else None
    if cells is None:
        cells = _cells_of_nbformat_3(document)
    if not isinstance(cells, list):
        raise Unreadable("The file is no notebook: it has no list of cells.")
    if len(cells) > MAX_CELLS:
        raise Unreadable(f"The notebook has more than {MAX_CELLS} cells.")
    return [cell for cell in cells if isinstance(cell, dict)]


def _cells_of_nbformat_3(document: Any) -> list[Any] | None:
    """Return the cells of a notebook in the format before 2015; some editors save it."""
    sheets = document.get("worksheets") if isinstance(document, dict) else None
    if not isinstance(sheets, list):
        return None
    lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    cells = [cell for one in lists if isinstance(one, list) for cell in one]
    for cell in cells:
        if isinstance(cell, dict) and "source" not in cell:
            cell["source"] = cell.get("input", "")
    return cells or None


def _name(cell: Mapping[str, Any]) -> str:
    """Return the name by which a cell is known: nbgrader's, else the notebook's id."""
    name = _told(cell).get("grade_id") or cell.get("id")
    return name if isinstance(name, str) else ""


def _metadata(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = cell.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _tags(cell: Mapping[str, Any]) -> list[Any]:
    tags = _metadata(cell).get("tags")
    return tags if isinstance(tags, list) else []


def _told(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    told = _metadata(cell).get("nbgrader")
    return told if isinstance(told, Mapping) else {}


def _is_locked(cell: NotebookNode) -> bool:
    """Tell whether students may not change a cell of the release."""
    told = _told(cell)
    if told.get("solution"):
        return False
    if told.get("grade") or told.get("locked"):
        return True
    return bool(cell.cell_type != "code")


def _is_as_released(cell: Cell) -> bool:
    """Tell whether a cell is as nbgrader released it, by the checksum that it was given then.

    An instructor may have changed the lab since. A student who also changes the checksum is not
    named for it, and gains nothing: locked text and points are never taken from a submission.
    """
    told = _told(cell)
    try:
        found: str = compute_checksum(
            nbformat.from_dict({**cell, "source": _source(cell), "metadata": {"nbgrader": told}})
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return told.get("checksum") == found


def _is_cut(cell: Cell) -> bool:
    return len(_text(cell)) > MAX_SOURCE


def _source(cell: Mapping[str, Any]) -> str:
    # Lone surrogates cannot be written to a file.
    return _text(cell)[:MAX_SOURCE].encode("utf-8", "replace").decode("utf-8")


def _text(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""
