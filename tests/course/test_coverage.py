"""Nothing is asked in a lab that no lesson up to it has shown, and every test has its place."""

import ast
from functools import cache
from pathlib import Path

import pytest

from autograder.authoring import check_tests, words
from autograder.authoring.markdown import Document, read
from autograder.authoring.words import Role
from autograder.course import Course, Lab

from .library_names import Names, asked_for, used_in, words_shown

COURSE = Course.find(Path(__file__))

every_lab = pytest.mark.parametrize("lab", COURSE.labs, ids=lambda lab: lab.short)


@cache
def document(source: Path) -> Document:
    """Read a source."""
    return read(source.read_text(encoding="utf-8"), file=source.name)[0]


def checks(lab: Lab):
    """Return a lab's check cells."""
    return [
        cell
        for cell in document(lab.source).cells
        if cell.kind == "code" and words.role(cell) is Role.CHECK
    ]


@every_lab
def test_a_lab_uses_only_what_a_lesson_up_to_it_shows(lab):
    """Each name that it takes from a library stands in a lesson's code, in a cell or in prose."""
    shown, said = set(), set()
    for lesson in COURSE.lessons:
        if lesson.number <= lab.number:
            text = document(lesson.source)
            shown |= used_in(cell for cell in text.cells if cell.kind == "code").keys()
            said |= words_shown(text)
    used = asked_for(document(lab.source))
    assert used
    assert not [
        f"{lab.short} uses {library}'s {name} in {where}, which no lesson up to "
        f"{lab.number:02} shows"
        for (library, name), where in sorted(used.items())
        if (library, name) not in shown and name not in said
    ]


@every_lab
def test_every_check_says_where_its_concept_was_taught(lab):
    """It names at least one section; the build sees to it that the section exists."""
    assert checks(lab)
    assert not [words.task(cell) for cell in checks(lab) if not words.text(cell, "taught").split()]


@every_lab
def test_every_test_has_a_skill_and_a_hint(lab):
    """The skill may be its check's; the first failed attempt opens the first hint."""
    for cell in checks(lab):
        for test in check_tests.tests(cell):
            assert test.skills or words.text(cell, "skill"), test.name
            assert any(hint.strip() for hint in test.hints), test.name


def test_the_comparison_sees_through_imports():
    """Other names, modules of modules and starlette's own are found; what nobody uses is not."""
    names = Names()
    code = """
import asyncio, json
import httpx2 as client
from fastapi import Depends as Needs, Path, responses
from starlette.requests import Request

async def answer(request: Request, needed=Needs(json.loads)):
    await asyncio.to_thread(client.get, "http://desk")
    return responses.JSONResponse({})
"""
    names.visit(ast.parse(code))
    assert names.found == {
        ("asyncio", "to_thread"),
        ("fastapi", "Depends"),
        ("fastapi", "JSONResponse"),
        ("fastapi", "Request"),
        ("fastapi", "responses"),
        ("httpx", "get"),
    }
