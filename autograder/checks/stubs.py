"""Brings a task's stub back, as it was released."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.checks.notebook_file import cells_of, notebooks

PLACEHOLDER = ("# Write your answer here.", "pass")
"""What stands in a stub in the place of an answer; nbgrader_config.py says it to nbgrader."""


class NoStub(LookupError):
    """The stub of a task cannot be found; the message says where it was looked for."""


def stub_of(task: str, folder: Path, names: Mapping[str, Any]) -> str:
    """Return a task's stub, which the released notebook carries in the cell's metadata.

    Args:
        task: Name of the task, such as `t2`.
        folder: The notebook's folder.
        names: The notebook's variables.

    Raises:
        NoStub: No notebook there has it.
    """
    for file in notebooks(folder, names):
        for cell in cells_of(file):
            metadata = cell.get("metadata", {})
            if metadata.get("nbgrader", {}).get("grade_id") == task:
                stub = metadata.get("autograder", {}).get("stub")
                if isinstance(stub, str):
                    return stub
    raise NoStub(
        f"No notebook in this folder has a task called {task or '(nothing)'}. "
        "Write the name of one: `%stub t2` brings back the cell of task 2."
    )
