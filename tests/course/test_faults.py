"""docs/faults/ says truly where each fault of the interview guide is met."""

import re
from functools import cache
from pathlib import Path

import pytest

from autograder.authoring.markdown import read
from autograder.course import Course

COURSE = Course.find(Path(__file__))
FOLDER = COURSE.root / "docs" / "faults"
FILES = sorted(FOLDER.glob("[0-9][0-9].md"))
LAST_ROW = 58
HEAD = "| row | fault | where |"
PLACE = re.compile(r"\]\((?P<link>[^)#]*)(?:#(?P<anchor>[^)]+))?\)|(?<!\S)`?#(?P<behind>[\w-]+)")
"""A link, with or without an anchor, or an anchor behind a link."""

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@cache
def anchors():
    """Return the anchors of each lesson and lab, by the notebook that is built from it."""
    sources = {f"notebooks/{lesson.name}.ipynb": lesson.source for lesson in COURSE.lessons} | {
        f"labs/{lab.name}/{lab.name}.ipynb": lab.source for lab in COURSE.labs
    }
    return {
        COURSE.root / notebook: read(source.read_text(encoding="utf-8"), file=source.name)[
            0
        ].headings
        for notebook, source in sources.items()
    }


def rows(file):
    """Yield the number, the fault and the places of each row of a table."""
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines.count(HEAD) == 1, f"{file.name} has no table with the head {HEAD}"
    for line in lines[lines.index(HEAD) + 2 :]:
        if line.startswith("|"):
            number, fault, *where = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            yield int(number), fault, "|".join(where)


def places(where):
    """Yield each notebook that a row names, with an anchor in it or without."""
    notebook = None
    for match in PLACE.finditer(where):
        if match["behind"]:
            yield notebook, match["behind"]
        else:
            notebook = (FOLDER / match["link"]).resolve()
            yield notebook, match["anchor"]


def test_every_lesson_with_a_lab_has_its_table():
    """There is a file for each, and none for a lesson that does not exist."""
    numbers = {file.stem for file in FILES}
    lessons = {f"{lesson.number:02}" for lesson in COURSE.lessons}
    assert numbers >= lessons & {f"{lab.number:02}" for lab in COURSE.labs}
    assert numbers <= lessons


@every_file
def test_every_fault_is_told_and_numbered_as_in_the_guide(file):
    """Rows are in order, each once, and each says what is wrong."""
    told = list(rows(file))
    numbers = [number for number, _, _ in told]
    assert numbers
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(range(1, LAST_ROW + 1))
    assert all(fault for _, fault, _ in told)


@every_file
def test_every_place_exists(file):
    """Each link leads to a lesson or a lab, and each anchor is one of its headings."""
    for number, _, where in rows(file):
        found = list(places(where))
        assert any(anchor for _, anchor in found), f"row {number} names no section"
        for notebook, anchor in found:
            assert notebook in anchors(), f"row {number}: no lesson and no lab: {notebook}"
            assert anchor is None or anchor in anchors()[notebook], f"row {number}: #{anchor}"
