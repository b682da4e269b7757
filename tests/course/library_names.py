"""The names that code takes from the libraries of the course, and those that prose shows."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import warnings
from collections.abc import Iterable
from functools import cache

from markdown_it import MarkdownIt

from autograder.authoring import words
from autograder.authoring.markdown import Cell, Document
from autograder.authoring.python import plain_python
from autograder.authoring.words import Role

FAMILY = {"starlette": "fastapi", "httpx2": "httpx"}
"""Libraries that hand on each other's names."""
KNOWN = sys.stdlib_module_names - {"asyncio"} | {"autograder"}
"""What a reader knows from Python, or meets in the checks only."""
WORD = re.compile(r"[A-Za-z_]\w*")

LibraryName = tuple[str, str]
"""A library and a name that is taken from it, such as `("asyncio", "to_thread")`."""


@cache
def is_module(name: str) -> bool:
    """Tell whether a dotted name is a module's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a lesson may show a module that is deprecated
            return importlib.util.find_spec(name) is not None
    except Exception:  # noqa: BLE001 - a module of Django's wants to be configured first
        return False


def library_of(module: str) -> str:
    """Return the library that a module belongs to; empty if the course does not teach it."""
    top = module.partition(".")[0]
    return FAMILY.get(top, top) if top not in KNOWN and is_module(top) else ""


class Names(ast.NodeVisitor):
    """Collects the names that code refers to; what one cell imports, the next one knows.

    Attributes:
        found: The names so far.
    """

    def __init__(self) -> None:
        self.found: set[LibraryName] = set()
        self._modules: dict[str, str] = {}
        self._imported: dict[str, LibraryName] = {}

    def visit_Import(self, node: ast.Import) -> None:
        """Note under which names modules are known."""
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self._modules[alias.asname or top] = alias.name if alias.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Note under which names modules, and what they hold, are known."""
        if node.level or not (library := library_of(node.module or "")):
            return
        for alias in node.names:
            self._imported[alias.asname or alias.name] = (library, alias.name)
            if is_module(module := f"{node.module}.{alias.name}"):
                self._modules[alias.asname or alias.name] = module

    def visit_Name(self, node: ast.Name) -> None:
        """Take a name that has been imported, where it is used."""
        if node.id in self._imported:
            self.found.add(self._imported[node.id])

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Take a name that is reached through a module."""
        self.generic_visit(node)
        module = self._module(node.value)
        if module and (library := library_of(module)):
            self.found.add((library, node.attr))

    def _module(self, node: ast.expr) -> str:
        """Return the module that an expression names; empty if it names none."""
        if isinstance(node, ast.Name):
            return self._modules.get(node.id, "")
        if isinstance(node, ast.Attribute) and (outer := self._module(node.value)):
            inner = f"{outer}.{node.attr}"
            return inner if library_of(outer) and is_module(inner) else ""
        return ""


def used_in(cells: Iterable[Cell]) -> dict[LibraryName, str]:
    """Return the names that code cells use, each with what it is first used in."""
    names = Names()
    where: dict[LibraryName, str] = {}
    for cell in cells:
        if words.text(cell, "raises") == "SyntaxError":
            continue
        names.visit(ast.parse(plain_python(cell.text)))
        if words.role(cell) is Role.SETUP:
            names.found.clear()  # imports, and what the student runs without reading it
            continue
        place = words.text(cell, "task") or words.role(cell).value
        for name in names.found - where.keys():
            where[name] = place
    return where


def asked_for(lab: Document) -> dict[LibraryName, str]:
    """Return the names that a lab's answers, and the code given around them, use."""
    code = [cell for cell in lab.cells if cell.kind == "code"]
    return used_in(cell for cell in code if words.role(cell) in {Role.SETUP, Role.TASK})


def words_shown(lesson: Document) -> set[str]:
    """Return every word of the code that stands in a lesson's prose."""
    found: set[str] = set()
    for cell in lesson.cells:
        if cell.kind == "markdown":
            for token in MarkdownIt().parse(cell.text):
                for part in (token, *(token.children or ())):
                    if part.type in {"fence", "code_inline", "code_block"}:
                        found |= set(WORD.findall(part.content))
    return found
