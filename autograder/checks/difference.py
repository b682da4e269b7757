"""Finds where an answer departs from what a test expected."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass

from autograder.checks.records import Difference
from autograder.checks.transcript import all_spaces_shown, cut, readable

MAX_VALUE = 300
"""Characters of a value that are shown."""

SOME_VALUE = "The value"
"""Where a difference is that a test worked out; its own names tell a student nothing."""
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
    shown = _with_spaces if _differ_in_spaces(got, expected) else _shown
    return Difference(where=where, got=shown(got), expected=relation + shown(expected))


def sentence(found: Difference) -> str:
    """Say a difference in two short sentences."""
    if found.where == SOME_VALUE:
        return f"Got {found.got}. Expected: {found.expected}."
    verb = "are" if found.where.startswith(("The fields", "The items")) else "is"
    return f"{found.where} {verb} {found.got}. Expected: {found.expected}."


def _differ_in_spaces(got: object, expected: object) -> bool:
    """Tell whether two texts are the same but for spaces, tabs and line ends."""
    return (
        isinstance(got, str)
        and isinstance(expected, str)
        and got != expected
        and "".join(got.split()) == "".join(expected.split())
    )


def _with_spaces(value: object) -> str:
    return readable(cut(f'"{all_spaces_shown(str(value))}"', MAX_VALUE))


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
    return SOME_VALUE


_PLACES = (
    (re.compile(r"\.status_code$"), "The status"),
    (re.compile(r"\.text$"), "The body"),
    (re.compile(r"^reply\.value$"), "The value that came back"),
    (re.compile(r"^reply\.raised$"), "The error that was raised"),
    (re.compile(r"\.closed\(\)$"), "The code with which the WebSocket was closed"),
    (re.compile(r"\.receive_json\(\)\)?$"), "The message"),
    (re.compile(r"\.receive_text\(\)\)?$"), "The message"),
)


def _place_of(expression: ast.expr | None) -> str:
    """Name what an expression of a test looks at, as HTTP people do, never as the test does."""
    source = ast.unparse(expression) if expression else ""
    if header := re.search(r"\.headers(?:\.get\(|\[)'([^']+)'", source):
        return f"The header {header[1]}"
    if message := re.search(r"\.receive_json\(\)\)\['([^']+)'\]$", source):
        return f"The message's {message[1]}"
    for pattern, name in _PLACES:
        if pattern.search(source):
            return name
    if body := re.search(r"\.json\(\)((?:\[[^\]]+\])*)(\)?)$", source):
        path = re.sub(r"\['([^']+)'\]", r".\1", body[1])
        if not body[2]:
            return _join("The body", path)
        if source.startswith(("sorted(", "set(", "list(")):
            return _join("The fields of the body", path)
    return SOME_VALUE


def _join(where: str, path: str) -> str:
    if not path:
        return where
    if where == SOME_VALUE:
        return SOME_VALUE
    if where.startswith("The body's "):
        return where + path
    joint = "'s" if where == "The body" else " at"
    return f"{where}{joint} {path.lstrip('.')}"


def _shown(value: object) -> str:
    if isinstance(value, _Missing):
        return "missing"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return readable(cut(text, MAX_VALUE))
