"""The page that leads from the two sources to lessons, labs and skills leads to what exists."""

import re
import tomllib
from pathlib import Path

import nbformat
import pytest

from autograder.course import Course

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "sources.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ")]
COURSE = Course.find(ROOT)


def slug(title):
    """Name a heading in a link as GitHub does."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def anchors(notebook):
    """Return the names of a notebook's headings."""
    cells = nbformat.read(notebook, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return {slug(title) for title in re.findall(r"^#{1,4} (.+)$", text, flags=re.MULTILINE)}


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", TEXT))))
def test_each_link_leads_to_a_section_or_a_lab(link):
    """The notebook is there, and the heading in it."""
    path, _, anchor = link.partition("#")
    notebook = (PAGE.parent / path).resolve()
    assert notebook.is_file()
    assert not anchor or anchor in anchors(notebook)


def test_each_skill_is_one_that_labs_report():
    """No row names a skill that does not exist."""
    told = tomllib.loads((ROOT / "content/skills.toml").read_text(encoding="utf-8"))
    known = {f"{one}.{skill}" for one, group in told.items() for skill in group["skills"]}
    named = set(re.findall(r"`(d\d\.\w+)`", TEXT))
    assert named <= known


def test_each_item_has_a_lesson():
    """No row is left without a place where the item is taught."""
    items = [row for row in ROWS if "](" not in row]
    assert [row for row in items if row.count("---") == 0 and "| lesson |" not in row] == []


def test_every_lesson_and_every_lab_has_a_row():
    """What the course teaches is asked for by one of the sources; a lab may stand beside it."""
    without = {"00-start-here"}  # it teaches what the sources take for known
    lessons = {one.name for one in COURSE.lessons} - without
    labs = {
        lab.name for lab in COURSE.labs for lesson in COURSE.lessons if lesson.number == lab.number
    }
    assert [one for one in sorted(lessons) if f"/{one}.ipynb" not in TEXT] == []
    assert [one for one in sorted(labs) if f"/{one}.ipynb" not in TEXT] == []


def test_all_twenty_questions_have_an_answer():
    """The guide's questions are numbered from 1 to 20."""
    asked = re.search(r"## The guide's twenty questions(.*?)\n## ", TEXT, flags=re.DOTALL)[1]
    numbers = {int(number) for number in re.findall(r"^\| (\d+) ", asked, flags=re.MULTILINE)}
    assert set(range(1, 21)) <= numbers
