"""The least that a class of lab 01 could cost: its cells and plain asserts, and nothing else.

Each submission of a course folder runs once, in a process forked from one that has imported
everything, with its tests as plain asserts in the same process. Nothing is confined, served, kept
from the submission or written down, so this is no way to grade: it is the floor that `grading.py`
compares with. Run by it: `python benchmarks/bare.py COURSE_FOLDER JOBS`.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from pathlib import Path

import nbformat

from autograder.child import preload
from autograder.child.shell import Shell, make


def cells_of(submitted: Path, given: dict[str, str]) -> list[tuple[str, str]]:
    """Return a submission's code cells, with the lab's own checks in their places."""
    notebook = nbformat.read(submitted, as_version=4)
    return [
        (cell.id, given.get(cell.id, cell.source))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


async def execute(shell: Shell, cells: list[tuple[str, str]]) -> None:
    """Run every cell; what a wrong submission raises is left alone."""
    for cell, source in cells:
        await shell.run(cell, source)


def main() -> None:
    """Run the class with so many processes at once."""
    folder, jobs = Path(sys.argv[1]), int(sys.argv[2])
    (lab,) = (folder / "solutions").glob("*/*.ipynb")
    given = {
        cell.id: cell.source
        for cell in nbformat.read(lab, as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    preload.import_all()
    shell = make()
    preload.warm(shell)
    class_ = [cells_of(file, given) for file in sorted(folder.glob("submitted/*/*/*.ipynb"))]
    gc.freeze()
    running = 0
    for cells in class_:
        if running == jobs:
            os.wait()
            running -= 1
        if os.fork() == 0:
            asyncio.run(execute(shell, cells))
            os._exit(0)
        running += 1
    for _ in range(running):
        os.wait()


if __name__ == "__main__":
    main()
