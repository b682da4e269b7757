"""Notebooks as bytes that depend on nothing but their text."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    # No version: a notebook is the same whichever Python built it.
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}

FOLDED: dict[str, Any] = {"jupyter": {"source_hidden": True}}
"""Metadata of a cell whose source opens by a click: it holds an answer, or only draws."""


@dataclass(frozen=True, kw_only=True)
class NotebookCell:
    """A cell to be written.

    Attributes:
        kind: Markdown or code.
        text: Its source.
        metadata: Its metadata, as nbformat has them.
        name: Its id, where it has one of its own.
    """

    kind: Literal["markdown", "code"]
    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    name: str = ""


def written(cells: Iterable[NotebookCell], metadata: Mapping[str, Any] | None = None) -> str:
    """Return a notebook's text, with metadata of its own beside every notebook's.

    A cell without a name gets an id made of its kind and text, so that inserting a cell changes
    that cell alone; equal cells are counted.
    """
    seen: Counter[tuple[str, str]] = Counter()
    nodes = []
    for cell in cells:
        identity = cell.name or _identity(cell, seen[cell.kind, cell.text])
        seen[cell.kind, cell.text] += 1
        nodes.append(_node(cell, identity))
    notebook = new_notebook(cells=nodes, metadata={**METADATA, **(metadata or {})})
    notebook.nbformat_minor = 5  # the first with cell ids, and what nbgrader writes
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook)}\n"


def _identity(cell: NotebookCell, place: int) -> str:
    text = f"{cell.kind}\n{place}\n{cell.text}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _node(cell: NotebookCell, identity: str) -> Any:
    if cell.kind == "code":
        return new_code_cell(cell.text, id=identity, metadata=cell.metadata)
    return new_markdown_cell(cell.text, id=identity, metadata=cell.metadata)
