"""Small faults that code may have, as another text of the same cell.

Each fault changes a few characters, so that comments, names and blank lines stay the student's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

OTHER_COMPARISON: Final[dict[type[ast.cmpop], tuple[str, str]]] = {
    ast.Lt: (r"<", "<="),
    ast.LtE: (r"<=", "<"),
    ast.Gt: (r">", ">="),
    ast.GtE: (r">=", ">"),
    ast.Eq: (r"==", "!="),
    ast.NotEq: (r"!=", "=="),
    ast.In: (r"\bin\b", "not in"),
    ast.NotIn: (r"\bnot\s+in\b", "in"),
    ast.Is: (r"\bis\b", "is not"),
    ast.IsNot: (r"\bis\s+not\b", "is"),
}
OTHER_STATUS: Final = {
    200: 201,
    201: 200,
    202: 200,
    204: 200,
    206: 200,
    400: 404,
    401: 403,
    403: 401,
    404: 400,
    409: 400,
    410: 404,
    413: 400,
    415: 400,
    416: 400,
    422: 400,
    429: 503,
    500: 502,
    502: 500,
    503: 500,
    504: 500,
}
THREADS: Final = {"to_thread", "run_in_threadpool"}
"""Functions that call another one in a thread."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    Attributes:
        what: What was done, in a few words.
        line: The line of the cell, from 1.
        text: The whole cell with the fault in it.
    """

    what: str
    line: int
    text: str


def faults_in(text: str, *, given: str) -> list[Fault]:
    """Return all faults that can be planted in a cell, from its top to its bottom.

    Args:
        text: The cell.
        given: What the student was given; its lines stay as they are.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # it begins with a magic, for example
        return []
    cell = _Cell(text)
    kept = {line.strip() for line in given.splitlines()}
    lines = text.splitlines()
    found: dict[str, Fault] = {}
    for node in _own_nodes(tree):
        for kind in KINDS:
            for fault in kind(cell, node):
                changed = lines[fault.line - 1].strip() not in kept
                if changed and fault.text != text and _is_python(fault.text):
                    found.setdefault(fault.text, fault)
    return sorted(found.values(), key=lambda fault: fault.line)


class _Cell:
    """A cell's text, in which nodes of its syntax tree have places."""

    def __init__(self, text: str) -> None:
        self._bytes = text.encode()
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def begin(self, node: ast.expr | ast.stmt) -> int:
        """Return the place of a node's first byte."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Return the place after a node's last byte."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def of(self, node: ast.expr | ast.stmt) -> str:
        """Return a node's text."""
        return self.between(self.begin(node), self.end(node))

    def between(self, begin: int, end: int) -> str:
        """Return the text between two places."""
        return self._bytes[begin:end].decode()

    def fault(self, what: str, begin: int, end: int, put: str) -> Fault:
        """Return the fault that puts another text between two places."""
        text = self._bytes[:begin] + put.encode() + self._bytes[end:]
        line = self._bytes[:begin].count(b"\n") + 1
        return Fault(what=what, line=line, text=text.decode())


def _own_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes except those whose places are not known, and those that do nothing."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for child in ast.iter_child_nodes(node):
            says_nothing = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if not says_nothing and not isinstance(child, ast.JoinedStr | ast.Import):
                waiting.append(child)


def _is_python(text: str) -> bool:
    try:
        compile(text, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError):
        return False
    return True


def _turned(cell: _Cell, node: ast.AST) -> Iterator[Fault]:
    """Turn a comparison: `<` becomes `<=`, `in` becomes `not in`."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        sign, other = OTHER_COMPARISON[type(node.ops[0])]
        begin, end = cell.end(node.left), cell.begin(node.comparators[0])
        between = re.sub(sign, other, cell.between(begin, end), count=1)
        yield cell.fault("a comparison is turned", begin, end, between)


def _number(cell: _Cell, node: ast.AST) -> Iterator[Fault]:
    """Change a status, or another number by one; turn True and False."""
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield cell.fault("a truth is turned", cell.begin(node), cell.end(node), f"{not node.value}")
    elif isinstance(node.value, int):
        is_status = node.value in OTHER_STATUS
        what = "a status is another" if is_status else "a number is one too large"
        other = OTHER_STATUS.get(node.value, node.value + 1)
        yield cell.fault(what, cell.begin(node), cell.end(node), str(other))


def _negated(cell: _Cell, node: ast.AST) -> Iterator[Fault]:
    """Negate the condition of an `if` or a `while`."""
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        begin, end = cell.begin(node.test), cell.end(node.test)
        if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not):
            yield cell.fault("a condition is turned", begin, end, cell.of(node.test.operand))
        elif isinstance(node.test, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            yield cell.fault("a condition is turned", begin, end, f"not {cell.of(node.test)}")


def _joined(cell: _Cell, node: ast.AST) -> Iterator[Fault]:
    """Put `or` in the place of `and`, or the other way round."""
    if isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        begin, end = cell.end(node.values[0]), cell.begin(node.values[1])
        between = re.sub(rf"\b{old}\b", new, cell.between(begin, end), count=1)
        yield cell.fault(f"`{old}` is `{new}`", begin, end, between)


def _without_thread(cell: _Cell, node: ast.AST) -> Iterator[Fault]:
    """Call on the event loop what was called in a thread."""
    if not (isinstance(node, ast.Await) and isinstance(node.value, ast.Call)):
        return
    call = node.value
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = call.func.id if isinstance(call.func, ast.Name) else name
    if name in THREADS and call.args:
        function, *arguments = [cell.of(one) for one in call.args]
        arguments += [f"{one.arg}={cell.of(one.value)}" for one in call.keywords if one.arg]
        put = f"{function}({', '.join(arguments)})"
        yield cell.fault("a thread is taken away", cell.begin(node), cell.end(node), put)


def _without_end(cell: _Cell, node: ast.AST) -> Iterator[Fault]:
    """Take away what a `finally` does."""
    if isinstance(node, ast.Try) and node.finalbody:
        begin, end = cell.begin(node.finalbody[0]), cell.end(node.finalbody[-1])
        yield cell.fault("a `finally` does nothing", begin, end, "pass")


def _without_lock(cell: _Cell, node: ast.AST) -> Iterator[Fault]:
    """Take away a lock: the block runs without it."""
    if isinstance(node, ast.With | ast.AsyncWith) and len(node.items) == 1:
        held = node.items[0].context_expr
        is_lock = re.search("lock|semaphore", cell.of(held), re.IGNORECASE)
        if is_lock and node.items[0].optional_vars is None:
            yield cell.fault("a lock is taken away", cell.begin(node), cell.end(held), "if True")


def _without_step(cell: _Cell, node: ast.AST) -> Iterator[Fault]:
    """Take away a statement that changes something: `del`, `+=`, or a call of a method."""
    changes = isinstance(node, ast.Delete | ast.AugAssign) or (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
    )
    if changes and isinstance(node, ast.stmt):
        yield cell.fault("a step is left out", cell.begin(node), cell.end(node), "pass")


KINDS: Final[tuple[Callable[[_Cell, ast.AST], Iterator[Fault]], ...]] = (
    _turned,
    _number,
    _negated,
    _joined,
    _without_thread,
    _without_end,
    _without_lock,
    _without_step,
)
