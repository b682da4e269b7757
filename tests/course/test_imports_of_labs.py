"""What labs import of the course is what CONTRIBUTING.md lists, so the rest may change freely."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from autograder.course import Course

COURSE = Course.find(Path(__file__))
OURS = {"autograder", "classroom"}


def listed():
    """Return the modules of the page's table with the names that may be imported from each."""
    text = (COURSE.root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## What a lab may import")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| (.*) \|$", table, re.MULTILINE)
    return {module: set(re.findall(r"`(\w+)`", names)) for module, names in rows}


def imported(source):
    """Yield the module, the name and the statement of each import of the course in a text."""
    for block in re.findall(r"^```python[^\n]*\n(.*?)^```", source, re.DOTALL | re.MULTILINE):
        for line in re.findall(
            r"^\s*(?:from (?:autograder|classroom)[\w.]* import (?:\([^)]*\)|[^\n]*)"
            r"|import (?:autograder|classroom)[\w.]*)",
            block,
            re.MULTILINE,
        ):
            statement = ast.parse(line.strip()).body[0]
            module = getattr(statement, "module", None)
            for alias in statement.names:
                yield (module, alias.name) if module else (alias.name, "")


@pytest.mark.parametrize("lab", COURSE.labs, ids=lambda lab: lab.short)
def test_a_lab_imports_only_what_is_listed(lab):
    """Each name that a lab takes from the course stands in the table, beside its module."""
    names = listed()
    taken = set(imported(lab.source.read_text(encoding="utf-8")))
    assert {(module, name) for module, name in taken if name not in names.get(module, ())} == set()


def test_everything_listed_exists():
    """Each module of the table can be imported, and has every name beside it."""
    names = listed()
    assert len(names) > 10
    modules = {module.rpartition(".")[2] for module in names}  # `from package import module`
    for module, has in names.items():
        assert has <= modules | set(dir(importlib.import_module(module))), module
