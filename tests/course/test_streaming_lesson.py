"""Lesson 08 is free of the faults that it teaches."""

import ast
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "notebooks" / "08-streaming.ipynb"


def swallowing():
    """Yield each `except Exception` of the lesson that sends something instead of raising."""
    for cell in nbformat.read(LESSON, as_version=4).cells:
        if cell.cell_type == "code" and not cell.source.startswith("%"):
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.ExceptHandler) and "yield" in ast.unparse(node):
                    yield ast.unparse(node)


def test_what_a_stream_swallows_is_logged():
    """Every error event of the lesson has its line in the log."""
    assert [*swallowing()]
    assert not [handler for handler in swallowing() if "logger.exception(" not in handler]


@pytest.mark.notebook
def test_the_good_version_refuses_what_it_says(run_notebook):
    """A blank message and an unknown field get a 422, and a large body a 413."""
    (told,) = (
        ran.stdout for ran in run_notebook(LESSON).cells if "for bad in (" in ran.cell.source
    )
    assert [line[:3] for line in told.splitlines()[-3:]] == ["422", "422", "413"]


@pytest.mark.notebook
def test_the_session_stays_open_only_with_the_default_scope(run_notebook):
    """The two routes say so with every event."""
    said = "".join(ran.stdout for ran in run_notebook(LESSON).cells)
    assert said.count("data: true") == said.count("data: false") == 3
