"""The tests of a check cell: what they are called, what they mean, what they weigh."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.authoring import words
from autograder.authoring.markdown import Cell, Document
from autograder.authoring.names import undefined
from autograder.authoring.problems import Problem
from autograder.authoring.python import compile_cell
from autograder.authoring.regions import Marker, regions

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Test:
    """One test function of a check cell.

    Attributes:
        name: Its name.
        line: Its line in the cell, from 1.
        has_docstring: Whether it says what it means.
        hidden: Whether it stands in the hidden region.
        probe: Whether it shows that the task has been begun.
        weight: Its shares of the cell's points; None if that is not a positive number.
        skills: Skills of its own.
        hints: What it says after failed attempts.
    """

    name: str
    line: int
    has_docstring: bool
    hidden: bool
    probe: bool
    weight: float | None
    skills: tuple[str, ...]
    hints: tuple[str, ...]


def tests(cell: Cell) -> list[Test]:
    """Return the tests of a check cell that is known to be Python."""
    hidden = regions(cell, Marker.BEGIN_HIDDEN)
    return [
        _test(node, hidden=any(region.begin < node.lineno <= region.end for region in hidden))
        for node in ast.parse(cell.text).body
        if isinstance(node, Function) and node.name.startswith("test")
    ]


def _test(node: Function, *, hidden: bool) -> Test:
    marks = [_mark(decorator) for decorator in node.decorator_list]
    weights = [values[0] if values else None for name, values in marks if name == "weight"]
    return Test(
        name=node.name,
        line=node.lineno,
        has_docstring=bool((ast.get_docstring(node) or "").strip()),
        hidden=hidden,
        probe=any(name == "probe" for name, _ in marks),
        weight=_positive(weights[0]) if weights else 1.0,
        skills=tuple(str(values[0]) for name, values in marks if name == "skill" and values),
        hints=tuple(str(text) for name, values in marks if name == "hint" for text in values),
    )


def _mark(decorator: ast.expr) -> tuple[str, list[object]]:
    """Return a decorator's last name and its plain arguments."""
    call = decorator if isinstance(decorator, ast.Call) else None
    target = call.func if call else decorator
    name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    arguments = call.args if call else []
    return name, [arg.value if isinstance(arg, ast.Constant) else None for arg in arguments]


def _positive(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return float(value)


def check_problems(document: Document, cell: Cell, skills: frozenset[str]) -> Iterator[Problem]:
    """Yield what is wrong with a check cell that is Python with sound markers."""
    found = tests(cell)
    yield from _order(document, cell, found)
    yield from _doubles(document, cell, found)
    yield from _undefined(document, cell)
    for test in found:
        yield from _test_problems(document, test, cell.line + test.line - 1, skills)
    skill = words.text(cell, "skill")
    if skill and skill not in skills:
        yield _unknown_skill(document, cell.fence, skill)
    for node in ast.parse(cell.text).body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield document.problem(
                cell.line + node.lineno - 1,
                f"{node.name} is a class of tests",
                "Write each test as a function.",
            )


def _test_problems(
    document: Document, test: Test, line: int, skills: frozenset[str]
) -> Iterator[Problem]:
    if not test.has_docstring:
        yield document.problem(
            line,
            f"{test.name} has no docstring",
            "Say in one sentence what it shows: it is the line that the student reads.",
        )
    if test.weight is None:
        yield document.problem(
            line, f"the weight of {test.name} is not a positive number", "Write @weight(2)."
        )
    if test.hidden and test.probe:
        yield document.problem(
            line,
            f"{test.name} is a probe and hidden",
            "Nothing may depend on a hidden test: make it visible, or no probe.",
        )
    for skill in set(test.skills) - skills:
        yield _unknown_skill(document, line, skill)


def _doubles(document: Document, cell: Cell, found: list[Test]) -> Iterator[Problem]:
    for name, times in Counter(test.name for test in found).items():
        if times > 1:
            last = max(test.line for test in found if test.name == name)
            yield document.problem(
                cell.line + last - 1,
                f"two tests of {words.task(cell)} are called {name}",
                "Give each test a name of its own: the second one would replace the first.",
            )


def _order(document: Document, cell: Cell, found: list[Test]) -> Iterator[Problem]:
    """Yield what is wrong with the places of visible and hidden tests."""
    visible = [test.line for test in found if not test.hidden]
    hidden = regions(cell, Marker.BEGIN_HIDDEN)
    lines = cell.text.split("\n")
    if not visible:
        yield document.problem(
            cell.fence,
            f"the check of {words.task(cell)} has no visible test",
            f'Write at least one test above "{Marker.BEGIN_HIDDEN}".',
        )
        return
    if not hidden:
        return
    if hidden[0].begin + 1 < max(visible):
        yield document.problem(
            cell.line + hidden[0].begin,
            "hidden tests stand before visible ones",
            "Put the hidden region at the end of the cell.",
        )
    elif any(line.strip() for line in lines[hidden[0].end + 1 :]):
        yield document.problem(
            cell.line + hidden[0].end,
            "text stands behind the hidden tests",
            "Put one hidden region at the end of the cell.",
        )
    try:
        compile_cell(_visible_part(cell))
    except SyntaxError as error:
        yield document.problem(
            cell.line + (error.lineno or 1) - 1,
            f"without its hidden tests this is not Python: {error.msg}",
            "Let the region hold whole functions.",
        )


def _visible_part(cell: Cell) -> str:
    """Return what students are given of a check."""
    hidden = regions(cell, Marker.BEGIN_HIDDEN)
    lines = cell.text.split("\n")
    return "\n".join(lines[: hidden[0].begin] if hidden else lines)


def _undefined(document: Document, cell: Cell) -> Iterator[Problem]:
    """Yield names that nobody defines, in the whole check or in what students are given."""
    nowhere = undefined(cell.text)
    try:
        shown = undefined(_visible_part(cell))
    except SyntaxError:  # told by `_order`
        shown = {}
    for name, line in (shown | nowhere).items():
        where = "in this check" if name in nowhere else "above its hidden tests"
        yield document.problem(
            cell.line + line - 1,
            f"`{name}` is not defined {where}",
            "Import or define it in the visible part: checks share nothing, and see no cell.",
        )


def _unknown_skill(document: Document, line: int, skill: str) -> Problem:
    return document.problem(
        line,
        f'there is no skill "{skill}"',
        "Use one of content/skills.toml, or add it there with its meaning.",
    )


def shares(cell: Cell) -> tuple[float, float]:
    """Return the points of a check cell that are visible, and all of them."""
    found = tests(cell)
    total = sum(test.weight or 0 for test in found)
    seen = sum(test.weight or 0 for test in found if not test.hidden)
    points = words.points(cell)
    return (points * seen / total if total else 0.0), points
