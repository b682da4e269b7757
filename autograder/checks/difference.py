"""Finds where an answer departs from what a test expected."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass

from autograder.checks.records import Difference
from autograder.checks.transcript import cut, readable

MAX_VALUE = 300
"""Characters of a value that are shown."""

_RELATIONS = {
    "==": "",
    "!=": "anything but ",
    "<": "less than ",
    "<=": "at most ",
    ">": "more than ",
    ">=": "at least ",
    "in": "one of ",
    "not in": "none of ",
    "is": "",
    "is not": "anything but ",
}


@dataclass(frozen=True)
class Comparison:
    """A comparison that a test made and that did not hold: `left op right`."""

    op: str
    left: object
    right: object


def difference(comparison: Comparison, statement: ast.Assert | None) -> Difference:
    """Say what differs.

    Args:
        comparison: The comparison that failed, `assert got == expected`.
        statement: The assert statement it stands in; its left side names the place.
    """
    where = _place(statement)
    got, expected = comparison.left, comparison.right
    if comparison.op == "==":
        path, got, expected = _descend(got, expected)
        where = _join(where, path)
    elif comparison.op in {"in", "not in"} and _is_container_test(statement):
        # `assert "x" in reply.json()`: the container is what came back.
        wanted = "to have" if comparison.op == "in" else "not to have"
        return Difference(
            where=_join(_place_of(_right(statement)), ""),
            got=_shown(comparison.right),
            expected=f"{wanted} {_shown(comparison.left)}",
        )
    if got is None and where.startswith("The header"):
        got = _MISSING
    relation = _RELATIONS.get(comparison.op, f"{comparison.op} ")
    return Difference(where=where, got=_shown(got), expected=relation + _shown(expected))


def sentence(found: Difference) -> str:
    """Say a difference in one sentence."""
    verb = ("are", "were") if found.where.startswith("The fields") else ("is", "was")
    return f"{found.where} {verb[0]} {found.got}; expected {verb[1]} {found.expected}."


class _Missing:
    def __repr__(self) -> str:
        return "missing"


_MISSING = _Missing()


def _descend(got: object, expected: object, path: str = "") -> tuple[str, object, object]:
    """Follow two values to the first place where they differ."""
    if isinstance(got, dict) and isinstance(expected, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            ours, theirs = got.get(key, _MISSING), expected.get(key, _MISSING)
            if ours is not theirs and ours != theirs:
                return _descend(ours, theirs, f"{path}.{key}")
    if isinstance(got, list) and isinstance(expected, list) and len(got) == len(expected):
        for index, (ours, theirs) in enumerate(zip(got, expected, strict=True)):
            if ours != theirs:
                return _descend(ours, theirs, f"{path}[{index}]")
    return path, got, expected


def _right(statement: ast.Assert | None) -> ast.expr | None:
    if statement and isinstance(statement.test, ast.Compare):
        return statement.test.comparators[0]
    return None


def _is_container_test(statement: ast.Assert | None) -> bool:
    left = statement.test.left if statement and isinstance(statement.test, ast.Compare) else None
    return isinstance(left, ast.Constant)


def _place(statement: ast.Assert | None) -> str:
    if statement and isinstance(statement.test, ast.Compare):
        return _place_of(statement.test.left)
    return "The value"


def _place_of(expression: ast.expr | None) -> str:
    """Name what an expression of a test looks at, as HTTP people do."""
    source = ast.unparse(expression) if expression else ""
    if source.endswith(".status_code"):
        return "The status"
    if header := re.search(r"\.headers(?:\.get\(|\[)'([^']+)'", source):
        return f"The header {header[1]}"
    if source.endswith(".text"):
        return "The body"
    if body := re.search(r"\.json\(\)((?:\[[^\]]+\])*)(\)?)$", source):
        path = "$" + re.sub(r"\['([^']+)'\]", r".\1", body[1])
        if body[2]:  # sorted(reply.json())
            return "The fields of the body" + (f" at {path}" if path != "$" else "")
        return f"The body's {path}"
    return f"`{source}`" if source else "The value"


def _join(where: str, path: str) -> str:
    if not path:
        return where
    return where + path if where.startswith("The body's $") else f"{where} at {path}"


def _shown(value: object) -> str:
    if isinstance(value, _Missing):
        return "missing"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return readable(cut(text, MAX_VALUE))
