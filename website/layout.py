"""The pages of the site, laid out as the repository is, so that the lessons' own links lead on."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, Self

import nbformat
import yaml  # type: ignore[import-untyped]  # it ships no types
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nbformat import NotebookNode

from autograder.course import Course, Lesson, part_of

REPOSITORY = "https://github.com/fastapi-for-ai-engineers/course"
BINDER = "https://mybinder.org/v2/gh/fastapi-for-ai-engineers/course/main?urlpath=lab/tree/"
GUIDES = ("docs", "CONTRIBUTING.md", "CHANGELOG.md")
EXAMPLE = "example-lab"
"""A folder of the guides that holds files to copy, no pages."""
_LINK = re.compile(r"(?<=\]\()(?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?(?=\))")
_TEMPLATES: Final = Environment(  # noqa: S701 - Markdown, of the course's own words
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
)


@dataclass(frozen=True)
class Layout:
    """Where the pages are written.

    Attributes:
        course: The course that they show.
        folder: The root of the pages' sources.
    """

    course: Course
    folder: Path

    def write(self, run: Callable[[Path], NotebookNode]) -> None:
        """Write every page but those of lessons, and each lesson as `run` returns it.

        Args:
            run: Returns a lesson's notebook with its outputs.
        """
        root = self.course.root
        shutil.copytree(root / "notebooks" / "figures", self.folder / "notebooks" / "figures")
        for lesson in self.course.lessons:
            self._lesson(lesson, run)
        self._notebook("notebooks/glossary.ipynb", nbformat.read(
            root / "notebooks" / "glossary.ipynb", as_version=4))  # fmt: skip
        for lab in self.course.labs:
            path = f"labs/{lab.name}/{lab.name}.ipynb"
            self._notebook(path, _statement(nbformat.read(root / path, as_version=4)))
        shutil.copytree(root / "docs" / "images", self.folder / "docs" / "images")
        for file in self._guides():
            self._guide(file)
        (self.folder / "index.md").write_text(self._front(), encoding="utf-8")

    def _lesson(self, lesson: Lesson, run: Callable[[Path], NotebookNode]) -> None:
        path = f"notebooks/{lesson.name}.ipynb"
        self._notebook(path, run(self.course.root / path))

    def _notebook(self, path: str, notebook: NotebookNode) -> None:
        """Write a notebook with a line that leads to the live one, and with its folds."""
        for cell in notebook.cells:
            if cell.metadata.get("jupyter", {}).get("source_hidden"):
                cell.metadata.setdefault("tags", []).append("hide-input")
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = self._with_links(cell.source, path)
        if "glossary" not in path:
            notebook.cells.insert(1, nbformat.v4.new_markdown_cell(_ways_in(path)))
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)

    def _guides(self) -> Iterator[Path]:
        for name in GUIDES:
            path = self.course.root / name
            found = sorted(path.rglob("*.md")) if path.is_dir() else [path]
            yield from (one for one in found if EXAMPLE not in one.parts)

    def _guide(self, file: Path) -> None:
        path = file.relative_to(self.course.root).as_posix()
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = self._with_links(file.read_text(encoding="utf-8"), path)
        if below := [one.stem for one in self._guides() if _is_below(one, file)]:
            text += _tree(below)
        target.write_text(text, encoding="utf-8")

    def _with_links(self, text: str, page: str) -> str:
        """Let links to files that are no pages lead to the repository."""

        def led(match: re.Match[str]) -> str:
            target, anchor = match["target"], match["anchor"] or ""
            if "://" in target or target.startswith("mailto:"):
                return match[0]
            path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
            if path == "README.md":
                return posixpath.relpath("index.md", posixpath.dirname(page) or ".")
            if self._is_page(path):
                return target + anchor
            kind = "tree" if (self.course.root / path).is_dir() else "blob"
            return f"{REPOSITORY}/{kind}/main/{path}{anchor}"

        return _LINK.sub(led, text)

    def _is_page(self, path: str) -> bool:
        file = self.course.root / path
        shown = path.startswith(("notebooks/", "labs/", "docs/")) or path in GUIDES
        return shown and file.is_file() and EXAMPLE not in file.parts

    def _front(self) -> str:
        readme = (self.course.root / "README.md").read_text(encoding="utf-8")
        lessons = [_Page.of(one.source, f"notebooks/{one.name}") for one in self.course.lessons]
        labs = {
            one.number: _Page.of(one.source, f"labs/{one.name}/{one.name}")
            for one in self.course.labs
        }
        return _TEMPLATES.get_template("index.md.j2").render(
            about=readme.partition("\n\n")[2].partition("\n\n")[0],
            first=lessons[0].path,
            binder=BINDER,
            repository=REPOSITORY,
            rows=[
                {"lesson": page, "lab": labs.get(lesson.number)}
                for lesson, page in zip(self.course.lessons, lessons, strict=True)
            ],
            parts=list(self._parts()),
        )

    def _parts(self) -> Iterator[tuple[str, list[str]]]:
        for part, lessons in groupby(self.course.lessons, key=lambda one: part_of(one.number)):
            yield part, [f"notebooks/{one.name}" for one in lessons]
        yield "Labs", [f"labs/{one.name}/{one.name}" for one in self.course.labs]
        files = list(self._guides())
        top = [one for one in files if not any(_is_below(one, other) for other in files)]
        guides = (one.relative_to(self.course.root).with_suffix("") for one in top)
        yield "Guides", ["notebooks/glossary", *(one.as_posix() for one in guides)]


@dataclass(frozen=True)
class _Page:
    """A lesson or a lab as the front page names it.

    Attributes:
        heading: What stands on top of it.
        minutes: How long it takes.
        path: Its notebook, from the root.
    """

    heading: str
    minutes: int
    path: str

    @classmethod
    def of(cls, source: Path, page: str) -> Self:
        """Read it from its text in content/."""
        _, matter, text = source.read_text(encoding="utf-8").split("---\n", 2)
        heading = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
        assert heading is not None, source
        return cls(heading[1], yaml.safe_load(matter)["minutes"], f"{page}.ipynb")


def _is_below(guide: Path, other: Path) -> bool:
    """Tell whether a guide is one of those that a folder's README leads to."""
    return other.name == "README.md" and guide.parent == other.parent and guide != other


def _tree(names: list[str]) -> str:
    return "\n```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```\n"


def _ways_in(path: str) -> str:
    name = posixpath.basename(path)
    download = f"{{download}}`Download the notebook <{name}>`"
    return f"> [Run this page on Binder]({BINDER}{path}) · {download}"


def _statement(notebook: NotebookNode) -> NotebookNode:
    """Return a lab as it is read: what it asks and its stubs, with its checks folded."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.startswith("%%check"):
            cell.metadata.setdefault("jupyter", {})["source_hidden"] = True
    return notebook
