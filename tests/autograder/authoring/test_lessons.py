"""A lesson's Markdown becomes its notebook."""

import json

import nbformat
import pytest

NOTEBOOK = "notebooks/01-path-operations.ipynb"
FRONT = "---\ntitle: Path operations\nminutes: 45\nlevel: beginner\nlab:\n---\n\n"


def built(course, body: str) -> list[dict]:
    """Build a lesson with a body and return its cells without the links."""
    course.lesson.write_text(f"{FRONT}# Title\n\n{body}\n", encoding="utf-8")
    assert course.build() == 0
    return [cell for cell in course.cells(NOTEBOOK)[1:] if not cell["id"].startswith("navigation")]


def source(cell: dict) -> str:
    return "".join(cell["source"])


@pytest.mark.parametrize(
    "language",
    ["bash", "sh", "html", "javascript", "sql", "json", "http", "console", "text", "py", "R", ""],
)
def test_only_python_fences_become_cells(lesson_only, language):
    """A fence of another language stays prose, also where Jupytext would make it a magic."""
    fence = f"```{language}\nls -l\n\n\n# no heading\n```"
    cells = built(lesson_only, f"Before.\n\n{fence}\n\nAfter.")

    assert [cell["cell_type"] for cell in lesson_only.cells(NOTEBOOK)] == ["markdown"] * 3
    assert cells == []
    assert source(lesson_only.cells(NOTEBOOK)[0]) == f"# Title\n\nBefore.\n\n{fence}\n\nAfter."


def test_python_in_lists_quotations_and_longer_fences_stays_prose(lesson_only):
    """Only a Python fence at the beginning of a line, outside everything, is a cell."""
    body = (
        "1. item\n\n   ```python\n   a = 1\n   ```\n\n> ```python\n> b = 1\n> ```\n\n"
        "````markdown\n```python\nc = 1\n```\n````"
    )
    assert built(lesson_only, body) == []
    assert source(lesson_only.cells(NOTEBOOK)[0]) == f"# Title\n\n{body}"


def test_magics_stay_magics(lesson_only):
    """`%%writefile`, line magics and shell commands come out as they stand."""
    first = "%%writefile app.py\nfrom fastapi import FastAPI\n\n\n# %%time\napp = FastAPI()"
    second = "%matplotlib inline\n!echo hello\nreply = await fetch()"
    cells = built(
        lesson_only,
        f"```python\n{first}\n```\n\n```python\n{second}\n```\n\n"
        "```python\n%%time\nx = await y\n```",
    )
    assert [source(cell) for cell in cells] == [first, second, "%%time\nx = await y"]


def test_a_string_may_hold_a_fence(lesson_only):
    """Three backticks inside a Python string do not end a cell in a longer fence."""
    text = 'reply = """\n```\ncode\n```\n"""'
    cells = built(lesson_only, f"````python\n{text}\n````")
    assert [source(cell) for cell in cells] == [text]


def test_headings_and_two_blank_lines_start_a_cell(lesson_only):
    """Prose is cut at headings and at two blank lines, not at one."""
    cells = built(lesson_only, "One.\n\nStill one.\n\n\nTwo.\n\n## Three\n\nStill three.")
    assert [source(cell) for cell in cells] == ["Two.", "## Three\n\nStill three."]


def test_words_become_tags(lesson_only):
    """`raises` and `optional` become the tags that Jupyter's runners know."""
    cells = built(
        lesson_only,
        '```python raises="ValueError"\nint("x")\n```\n\n```python optional\nlong()\n```\n\n'
        '```python raises="SyntaxError"\nx = = 1\n```',
    )
    assert [cell["metadata"] for cell in cells] == [
        {"raises": "ValueError", "tags": ["raises-exception"]},
        {"tags": ["skip-execution"]},
        {"raises": "SyntaxError", "tags": ["raises-exception"]},
    ]


def test_a_notebook_is_valid_and_holds_nothing_of_a_run(lesson_only):
    """A notebook is nbformat 4.5 with a kernel, without outputs, versions or counts."""
    built(lesson_only, "```python\n1 + 1\n```")
    text = (lesson_only.root / NOTEBOOK).read_text(encoding="utf-8")
    notebook = json.loads(text)

    nbformat.validate(notebook)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "version" not in notebook["metadata"]["language_info"]
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)]
    assert text.endswith("}\n")
    assert not text.endswith("\n\n")
    assert text == json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_inserting_a_cell_changes_no_other_id(lesson_only):
    """An id depends on kind and text only; equal cells are counted."""
    before = built(lesson_only, "```python\nx = 1\n```\n\nProse.\n\n```python\nx = 1\n```")
    after = built(
        lesson_only,
        "```python\nnew = 1\n```\n\n```python\nx = 1\n```\n\nProse.\n\n```python\nx = 1\n```",
    )
    assert [cell["id"] for cell in after[1:]] == [cell["id"] for cell in before]
    assert len({cell["id"] for cell in after}) == 4


def test_a_lesson_links_its_neighbours_and_its_lab(course):
    """Below the title and at the end stand the previous lesson, the next one and the lab."""
    text = course.lesson.read_text(encoding="utf-8")
    for number, name in ((0, "00-start-here"), (2, "02-dependencies")):
        other = text.replace("lab: lab01-greetings", "lab:")
        other = other.replace("Path operations", f"Lesson {number}")
        course.lesson.with_name(f"{name}.md").write_text(other, encoding="utf-8")

    assert course.build() == 0

    cells = course.cells(NOTEBOOK)
    line = (
        "[← 00 Lesson 0](00-start-here.ipynb) · 45 minutes · beginner · "
        "[Lab 01](../labs/lab01-greetings/lab01-greetings.ipynb) · [Glossary](glossary.ipynb) · "
        "[02 Lesson 2 →](02-dependencies.ipynb)"
    )
    assert source(cells[1]) == source(cells[-1]) == line
    assert (course.root / "labs/lab01-greetings/lab01-greetings.ipynb").is_file()
    first = source(course.cells("notebooks/00-start-here.ipynb")[1])
    assert first == (
        "45 minutes · beginner · [Glossary](glossary.ipynb) · "
        "[01 Path operations →](01-path-operations.ipynb)"
    )


def test_pictures_come_along(lesson_only):
    """A file beside the lessons is copied beside the notebooks."""
    assert lesson_only.build() == 0
    assert (lesson_only.root / "notebooks/figures/route.svg").read_text() == "<svg/>"


def test_line_ends_of_windows_make_no_difference(lesson_only):
    """A source with carriage returns makes the same bytes."""
    assert lesson_only.build() == 0
    before = lesson_only.generated()
    lesson_only.lesson.write_bytes(lesson_only.lesson.read_bytes().replace(b"\n", b"\r\n"))
    assert lesson_only.build() == 0
    assert lesson_only.generated() == before
