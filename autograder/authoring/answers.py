"""What a task cell gives and what it asks for.

Whether given text already answers a task cannot be decided in general. What is refused can be
decided for certain:

- in a function that holds a region, a `return` of a value outside it, or anything behind it;
- a function or class that holds a region and is defined again further down;
- anything behind a last region that stands in no function or class.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from autograder.authoring import words
from autograder.authoring.markdown import Cell, Document
from autograder.authoring.problems import Problem
from autograder.authoring.python import compile_cell
from autograder.authoring.regions import Marker, Region, regions

Function = ast.FunctionDef | ast.AsyncFunctionDef
EMPTY = re.compile(r"\s*(#.*|\.\.\.|pass)?\s*")


def answer_problems(document: Document, cell: Cell) -> Iterator[Problem]:
    """Yield what is wrong with the answer of a task cell whose markers are in order."""
    found = regions(cell, Marker.BEGIN_SOLUTION)
    lines = cell.text.split("\n")
    name = words.task(cell)
    if not found:
        yield document.problem(
            cell.fence,
            f"task {name} has no answer",
            f'Put the answer between "{Marker.BEGIN_SOLUTION}" and "{Marker.END_SOLUTION}".',
        )
        return
    for region in found:
        if all(EMPTY.fullmatch(line) for line in region.inside(lines)):
            yield document.problem(
                cell.line + region.begin,
                f"the answer of task {name} is empty",
                "Write the code that a student is to write.",
            )
    if cell.text.startswith("%%") or not lines[found[-1].begin].startswith(" "):
        yield from _behind(document, cell, found[-1].end + 1)
    if not cell.text.startswith("%%"):
        yield from _given(document, cell, found, lines)


def _behind(document: Document, cell: Cell, first: int) -> Iterator[Problem]:
    """Yield the first line with text from a line on."""
    for offset, line in enumerate(cell.text.split("\n")[first:]):
        if line.strip():
            yield document.problem(
                cell.line + first + offset,
                f"text stands behind the answer of task {words.task(cell)}",
                "Move it above the answer, or into a cell of its own.",
            )
            return


def _given(
    document: Document, cell: Cell, found: list[Region], lines: list[str]
) -> Iterator[Problem]:
    """Yield what is wrong with the Python that a student is given."""
    stub = "\n".join(_stubbed(lines, found))
    try:
        compile_cell(stub)
        tree = ast.parse(stub)
    except SyntaxError as error:
        yield document.problem(
            cell.line + (error.lineno or 1) - 1,
            f"without its answer this is not Python: {error.msg}",
            "Let the region hold whole statements.",
        )
        return
    yield from _defined_again(document, cell, tree, found)
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    for function in functions:
        inside = [region for region in found if _holds(function, region, functions)]
        if inside:
            yield from _early_answers(document, cell, function, inside)


def _stubbed(lines: list[str], found: list[Region]) -> list[str]:
    """Return the lines with `...` for each answer and blanks below, so that numbers stay."""
    stub = lines.copy()
    for region in found:
        marker = lines[region.begin]
        indent = marker[: len(marker) - len(marker.lstrip())]
        stub[region.begin : region.end + 1] = [f"{indent}...", *[""] * (region.end - region.begin)]
    return stub


def _covers(node: ast.stmt, region: Region) -> bool:
    return node.lineno <= region.begin + 1 <= (node.end_lineno or node.lineno)


def _defined_again(
    document: Document, cell: Cell, tree: ast.Module, found: list[Region]
) -> Iterator[Problem]:
    """Yield definitions that replace one which a student is to complete."""
    asked: set[str] = set()
    for node in tree.body:
        for name in _defines(node):
            if name in asked:
                yield document.problem(
                    cell.line + node.lineno - 1,
                    f"{name} is defined again behind its answer",
                    "Leave one definition, with the answer in it.",
                )
        if any(_covers(node, region) for region in found):
            asked.update(_defines(node))


def _defines(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines or assigns."""
    if isinstance(node, Function | ast.ClassDef):
        yield node.name
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def _holds(function: Function, region: Region, functions: list[Function]) -> bool:
    """Tell whether a function is the innermost one around a region."""
    around = [other for other in functions if _covers(other, region)]
    return bool(around) and max(around, key=lambda other: other.lineno) is function


def _early_answers(
    document: Document, cell: Cell, function: Function, inside: list[Region]
) -> Iterator[Problem]:
    for node in _own(function):
        if isinstance(node, ast.Return) and not _says_nothing(node.value):
            yield document.problem(
                cell.line + node.lineno - 1,
                f"{function.name} returns a value outside its answer",
                f'Move the return between "{Marker.BEGIN_SOLUTION}" and "{Marker.END_SOLUTION}".',
            )
    last = max(region.end for region in inside) + 1
    if (function.end_lineno or 0) > last:
        behind = next(
            node.lineno
            for node in _own(function)
            if isinstance(node, ast.stmt | ast.ExceptHandler) and node.lineno > last
        )
        yield document.problem(
            cell.line + behind - 1,
            f"{function.name} goes on behind its answer",
            "Move that above the answer or into it.",
        )


def _own(function: Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function's body in order, without those of functions inside it."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            waiting[:0] = ast.iter_child_nodes(node)


def _says_nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value in {None, ...})
