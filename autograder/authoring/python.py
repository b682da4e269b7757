"""Python in a cell: whether it would run in IPython at all, and where it would not."""

from __future__ import annotations

import ast
import warnings

from IPython.core.inputtransformer2 import TransformerManager

from autograder.authoring.markdown import Cell, Document
from autograder.authoring.problems import Problem

PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")


def compile_cell(source: str) -> None:
    """See that a cell's Python compiles as in IPython, with `await` outside a function.

    Raises:
        SyntaxError: It is not Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(source, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def syntax_problem(document: Document, cell: Cell, *, magics: bool = True) -> Problem | None:
    """Return where a code cell is not Python, if so.

    Args:
        document: The source it stands in.
        cell: The cell.
        magics: Whether IPython's magics and shell commands may stand in it.
    """
    source, skipped = _python_part(cell.text) if magics else (cell.text, 0)
    try:
        compile_cell(_plain(source) if magics else source)
    except (SyntaxError, ValueError) as error:
        line = error.lineno or 1 if isinstance(error, SyntaxError) else 1
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        return document.problem(
            cell.line + skipped + line - 1,
            f"this is not Python: {reason}",
            "Mend it, or write it as ```py if it is only to be read."
            if magics
            else "A check holds plain Python, without magics.",
        )
    return None


def plain_python(source: str) -> str:
    """Return a cell's Python, magics and shell commands turned into calls; empty if it has none."""
    return _plain(_python_part(source)[0])


def _python_part(source: str) -> tuple[str, int]:
    """Return what of a cell is Python, and how many lines stand above it."""
    first, _, rest = source.partition("\n")
    if not first.startswith("%%"):
        return source, 0
    words = first.split()
    if words[0] in PYTHON_MAGICS or (words[0] == "%%writefile" and words[-1].endswith(".py")):
        return rest, 1
    return "", 0


def _plain(source: str) -> str:
    """Return Python in which magics and shell commands have become calls, line for line."""
    manager = TransformerManager()
    return manager.transform_cell(source)
