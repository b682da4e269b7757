"""The notebook of this session as it lies on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def cells_of(file: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook; none if it cannot be read."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return [cell for cell in document["cells"] if isinstance(cell, dict)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def own_file(names: Mapping[str, Any]) -> Path | None:
    """Return the notebook of this session, where its front end says which that is.

    Jupyter's server says so to the kernel by a variable, VS Code by a name in the notebook.

    Args:
        names: The notebook's variables.
    """
    for told in (names.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(told, str) and told.endswith(".ipynb") and Path(told).is_file():
            return Path(told)
    return None


def notebooks(folder: Path, names: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the notebook of this session first, if it is known, then those of a folder."""
    own = own_file(names)
    if own is not None:
        yield own
    yield from sorted(folder.glob("*.ipynb"))


def source_of(cell: Mapping[str, Any]) -> str:
    """Return a cell's text, which a file may hold in pieces."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(map(str, source))


def task_of(cell: Mapping[str, Any]) -> str:
    """Return the task that a cell answers, by nbgrader's name for it or by its id."""
    told = cell.get("metadata", {}).get("nbgrader", {})
    return str(told.get("grade_id") if told.get("solution") else cell.get("id", ""))
