"""The README keeps its promises."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BINDER = "https://mybinder.org/v2/gh/"


def table_of_lessons():
    """Return the README's rows that name a lesson."""
    return [line for line in README.splitlines() if line.startswith("| [")]


def front(path):
    """Return a source's front matter as words."""
    text = path.read_text(encoding="utf-8").split("---")[1]
    return dict(line.split(":", 1) for line in text.strip().splitlines())


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)h#][^)]*)\)", README))
def test_every_link_leads_to_a_file(link):
    """No link of the README is broken."""
    assert (ROOT / link).is_file()


def test_every_lesson_and_lab_has_its_row_with_its_minutes():
    """The table names each lesson, its lab, its minutes and its Binder link."""
    lessons = sorted((ROOT / "content" / "lessons").glob("*.md"))
    assert len(table_of_lessons()) == len(lessons)
    for source, row in zip(lessons, table_of_lessons(), strict=True):
        told = front(source)
        minutes = told["minutes"].strip()
        if lab := told["lab"].strip():
            assert f"labs/{lab}/{lab}.ipynb" in row
            lab_source = ROOT / "content" / "labs" / lab.removeprefix("lab") / "lab.md"
            minutes += f" + {front(lab_source)['minutes'].strip()}"
        assert f"| {minutes} |" in row
        assert f"urlpath=lab/tree/notebooks/{source.stem}.ipynb" in row


def test_binder_links_lead_to_the_repository_that_the_project_names():
    """There is one address, in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    place = project["urls"]["Repository"].removeprefix("https://github.com/")
    links = re.findall(rf"{re.escape(BINDER)}([^/]+/[^/]+)/", README)
    assert links
    assert set(links) == {place}


def test_the_quick_start_has_at_most_ten_lines():
    """An instructor sees the way at a glance."""
    part = README.split("## For instructors")[1].split("## ")[0]
    commands = re.search(r"```console\n(.*?)```", part, flags=re.DOTALL)
    assert commands
    assert len(commands[1].strip().splitlines()) <= 10
