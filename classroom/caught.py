"""Notes the errors that a notebook's own `except Exception` swallows.

Such an error is the cause of what a check then sees from outside, and nobody would hear of it.
Each broad handler of a cell (`except:`, `except Exception`, `except BaseException`) gets one more
statement at its beginning. Lines keep their numbers, and what is caught on purpose, by the name
of its class, is left alone. `contextlib.suppress` and `gather(return_exceptions=True)` are not
seen.
"""

from __future__ import annotations

import ast
import builtins
import sys
import time
import traceback
from collections import deque
from typing import Any

from fastapi import HTTPException

NAME = "__classroom_caught__"
_BROAD = {"Exception", "BaseException"}
_KEPT = 32
_noted: deque[tuple[float, str]] = deque(maxlen=_KEPT)


def install(shell: Any) -> None:
    """Note what the cells of an IPython shell swallow; harmless when done before."""
    setattr(builtins, NAME, _note)
    if not any(isinstance(each, _Notes) for each in shell.ast_transformers):
        shell.ast_transformers.append(_Notes())


def take(*, since: float) -> list[str]:
    """Return what was swallowed, each in a line; it is then forgotten.

    Args:
        since: What came before that, as `time.monotonic` counts, is left out.
    """
    found = [line for at, line in list(_noted) if at >= since]
    _noted.clear()
    return list(dict.fromkeys(found))


def _note() -> None:
    error = sys.exception()
    if error is None or isinstance(error, HTTPException):
        return
    # Text only: a traceback would keep the frames alive, and with them open generators.
    what = "".join(traceback.format_exception_only(error)).strip()[:500]
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_cell(frame.filename)]
    where = f" — in `{own[-1].name}`, line {own[-1].lineno}: {own[-1].line}" if own else ""
    _noted.append((time.monotonic(), f"{what}{where}"))


def _is_cell(name: str) -> bool:
    return "ipykernel_" in name or name.startswith("<ipython-input")


class _Notes(ast.NodeTransformer):
    """Adds the note to each broad handler."""

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        """Add it to one, and to those inside."""
        self.generic_visit(node)
        names = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        if any(name is None or getattr(name, "id", "") in _BROAD for name in names):
            call = ast.Expr(ast.Call(ast.Name(NAME, ast.Load()), [], []))
            for part in ast.walk(call):
                ast.copy_location(part, node.body[0])
            node.body.insert(0, call)
        return node
