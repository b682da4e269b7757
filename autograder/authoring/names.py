"""Names that a check uses and nobody defines, which would fail every student's test."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator


def undefined(source: str) -> dict[str, int]:
    """Return the names that Python would not find, each with the first line that uses it.

    Args:
        source: Python that compiles as a module.
    """
    module = symtable.symtable(source, "<cell>", "exec")
    tables = [module, *_within(module)]
    symbols = [(table, symbol) for table in tables for symbol in table.get_symbols()]
    defined = {
        symbol.get_name()
        for table, symbol in symbols
        if (table is module or symbol.is_declared_global())
        and (symbol.is_assigned() or symbol.is_imported())
    }
    used = {symbol.get_name() for _, symbol in symbols if symbol.is_global()}
    missing = used - defined - set(dir(builtins))
    return {name: _first_line(source, name) for name in sorted(missing)}


def _within(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _within(child)


def _first_line(source: str, name: str) -> int:
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))
    return min((node.lineno for node in nodes if node.id == name), default=1)
