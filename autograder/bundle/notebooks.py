"""Lessons and labs as a class gets them: they lead only to what is in the bundle."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s]+\.ipynb)(?P<anchor>#[^)\s]*)?\)")
_ALONE = re.compile(r"If you learn alone, .*?\n\n(?=If you are in a class)", flags=re.DOTALL)
"""What the last cell of a lab says to those who have the answers and the hidden tests."""


@dataclass(frozen=True)
class Page:
    """A notebook as the README names it.

    Attributes:
        title: Its heading.
        path: Where it lies, from the root of the bundle.
    """

    title: str
    path: str


def adapt(file: Path, root: Path) -> None:
    """Take from a notebook what a class cannot follow: links to absent notebooks, commands.

    Args:
        file: The notebook, which is written anew if anything changes.
        root: The root of the bundle.
    """
    notebook = json.loads(file.read_text(encoding="utf-8"))
    before = json.dumps(notebook)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = _ALONE.sub("", "".join(cell["source"]))
            text = _LINK.sub(_kept_if_there(file.parent, root), text)
            cell["source"] = text.splitlines(keepends=True)
    if json.dumps(notebook) != before:
        written = json.dumps(notebook, ensure_ascii=False, indent=1)
        file.write_text(written + "\n", encoding="utf-8")


def page(file: Path, root: Path) -> Page:
    """Return a notebook's heading and place.

    Args:
        file: The notebook.
        root: The root of the bundle.
    """
    cells: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["cells"]
    heading = next(text for cell in cells if (text := "".join(cell["source"])).startswith("# "))
    return Page(heading.partition("\n")[0].removeprefix("# "), file.relative_to(root).as_posix())


def _kept_if_there(folder: Path, root: Path) -> Callable[[re.Match[str]], str]:
    def replaced(match: re.Match[str]) -> str:
        target = (folder / match["target"]).resolve()
        there = target.is_file() and target.is_relative_to(root.resolve())
        return match[0] if there or "://" in match["target"] else match["text"]

    return replaced
