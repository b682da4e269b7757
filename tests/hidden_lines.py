"""Finds what of a lab's notebook no student may come to see."""

from __future__ import annotations

from nbformat import NotebookNode

from autograder.checks.cell import BEGIN_HIDDEN, END_HIDDEN

LONG_ENOUGH = 12
"""Characters from which on a line is looked for: shorter ones are found anywhere."""


def hidden_lines(notebook: NotebookNode) -> set[str]:
    """Return the lines of code that only hidden tests have, docstrings and hints aside."""
    hidden, shown = set(), set()
    for cell in notebook.cells:
        inside = hinting = False
        for line in map(str.strip, cell.source.splitlines()):
            inside = (inside or line == BEGIN_HIDDEN) and line != END_HIDDEN
            hinting = line.startswith("@hint") or (
                hinting and not line.startswith(("@", "async def", "def"))
            )
            (hidden if inside and not hinting else shown).add(line)
    return {
        line
        for line in hidden
        if len(line) > LONG_ENOUGH
        and not any(line in other for other in shown)
        and not line.startswith(('"""', "###"))
    }
