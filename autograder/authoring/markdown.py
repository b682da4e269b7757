"""A source file as its cells, each with the line where it begins.

Jupytext decides what is a cell. Left alone it also turns ```` ```bash ````, ```` ```html ````
and every other language that is a magic as well into a cell, and it knows no line numbers. So
markdown-it finds the fences first; all but the Python ones are masked before Jupytext reads the
text, and the two must agree on what the cells are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import jupytext  # type: ignore[import-untyped]  # it ships no types
from jupytext.cell_metadata import text_to_metadata  # type: ignore[import-untyped]
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin
from nbformat import NotebookNode

from autograder.authoring.problems import Problem

MASK = "masked-for-jupytext-"
FENCE = re.compile(r"^(?P<ticks>`{3,})\s*(?P<info>.*?)\s*$")
FRONT = re.compile(r"\A---[ ]*\n(?P<yaml>.*?)^---[ ]*$", re.DOTALL | re.MULTILINE)
JUPYTEXT_FORMAT = {"extension": ".md", "split_at_heading": True}

Words = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a source.

    Attributes:
        kind: Markdown or code.
        text: Its text, without a line break at the end.
        line: The line of the file on which the text begins, from 1.
        words: What stands on a code cell's fence: names, with None where no value is given.
    """

    kind: Literal["markdown", "code"]
    text: str
    line: int
    words: Words

    @property
    def fence(self) -> int:
        """The line of a code cell's fence."""
        return self.line - 1


@dataclass(frozen=True, kw_only=True)
class Document:
    """A source file, read.

    Attributes:
        file: Its name as a writer knows it, relative to the course's root.
        front: The text of the front matter; empty if there is none.
        cells: Its cells, in order.
        headings: The headings by their anchors, as GitHub makes these.
        pictures: Line and address of each picture.
    """

    file: str
    front: str
    cells: tuple[Cell, ...]
    headings: Mapping[str, str]
    pictures: tuple[tuple[int, str], ...]

    def problem(self, line: int, what: str, advice: str) -> Problem:
        """Return a fault of this file."""
        return Problem(self.file, line, what, advice)


def read(text: str, *, file: str) -> tuple[Document, list[Problem]]:
    """Split a source file into its cells.

    Args:
        text: The file's text.
        file: Its name for messages.

    Returns:
        The document and what is wrong with its Markdown.
    """
    text = "\n".join(text.splitlines()) + "\n"
    match = FRONT.match(text)
    front = match["yaml"] if match else ""
    body = "\n" * match[0].count("\n") + text[match.end() :] if match else text
    tokens = MarkdownIt().use(anchors_plugin, max_level=6).parse(body)
    lines = body.split("\n")
    fences = [token for token in tokens if token.type == "fence" and token.level == 0]
    python = [token for token in fences if _is_cell(token, lines)]
    notebook = jupytext.reads(_masked(lines, fences, python).lstrip("\n"), fmt=JUPYTEXT_FORMAT)
    cells = tuple(_cells(notebook.cells, python, lines))
    document = Document(
        file=file,
        front=front,
        cells=cells,
        headings=dict(_headings(tokens)),
        pictures=tuple(_pictures(tokens)),
    )
    return document, [
        *_disagreements(document, notebook.cells, python, lines),
        *_tildes(document, fences),
        *_open_details(document),
    ]


def _span(token: Token) -> tuple[int, int]:
    """Return a block's first line and the line behind it, from 0."""
    first, behind = token.map or (0, 0)
    return first, behind


def _is_cell(token: Token, lines: list[str]) -> bool:
    match = FENCE.match(lines[_span(token)[0]])
    return match is not None and match["info"].partition(" ")[0] == "python"


def _masked(lines: list[str], fences: list[Token], python: list[Token]) -> str:
    """Return the text in which only the Python fences look like cells to Jupytext."""
    masked = lines.copy()
    for token in fences:
        first = _span(token)[0]
        match = FENCE.match(masked[first])
        if match is None:
            continue
        info = "python" if token in python else f"{MASK}{match['info']}"
        masked[first] = f"{match['ticks']}{info}"
    return "\n".join(masked)


def _unmasked(text: str) -> str:
    return text.replace(f"`{MASK}", "`")


def _cells(found: list[NotebookNode], python: list[Token], lines: list[str]) -> Iterator[Cell]:
    """Yield Jupytext's cells with their lines, as far as both readers agree."""
    fences = iter(python)
    position = 0
    for cell in found:
        if cell.cell_type == "code":
            token = next(fences, None)
            if token is None:
                return
            first, position = _span(token)
            words = text_to_metadata(token.info)[1]
            yield Cell(kind="code", text=cell.source, line=first + 2, words=words)
        elif cell.source.strip():
            text = _unmasked(cell.source)
            position = _find(text, lines, position)
            yield Cell(kind="markdown", text=text, line=position + 1, words={})


def _find(text: str, lines: list[str], start: int) -> int:
    """Return the position, from 0, of the line with which a Markdown cell begins."""
    first = text.split("\n", 1)[0]
    return next((i for i in range(start, len(lines)) if lines[i] == first), start)


def _headings(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            yield str(token.attrGet("id")), text


def _pictures(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    for token in tokens:
        for child in token.children or ():
            if child.type == "image":
                yield _span(token)[0] + 1, str(child.attrGet("src"))


def _disagreements(
    document: Document, found: list[NotebookNode], python: list[Token], lines: list[str]
) -> Iterator[Problem]:
    """Yield the first place where Jupytext sees other cells than there are Python fences."""
    seen = [cell.source.rstrip("\n") for cell in found if cell.cell_type == "code"]
    meant = [token.content.rstrip("\n") for token in python]
    if seen == meant:
        return
    lost = [token for token, text in zip(python, meant, strict=True) if text not in seen]
    extra = [re.sub(r"\A%%.*\n", "", text) for text in seen if text not in meant]
    line = _span((lost or python)[0])[0] if lost or not extra else _find(extra[0], lines, 0)
    yield document.problem(
        line + 1,
        "Jupytext and Markdown disagree on which cell stands here",
        "Put a blank line above and below its fence, and see that every fence is closed.",
    )


def _tildes(document: Document, fences: list[Token]) -> Iterator[Problem]:
    for token in fences:
        if token.markup.startswith("~"):
            yield document.problem(
                _span(token)[0] + 1, "a fence is made of tildes", "Use backticks: ```."
            )


def _open_details(document: Document) -> Iterator[Problem]:
    """Yield the first <details> that another cell tears apart."""
    for cell in document.cells:
        text = re.sub(r"(?s)^```.*?^```", "", cell.text, flags=re.MULTILINE)
        if cell.kind == "markdown" and text.count("<details") != text.count("</details>"):
            lines = cell.text.split("\n")
            offset = next(i for i, line in enumerate(lines) if re.search("</?details", line))
            yield document.problem(
                cell.line + offset,
                "this <details> is not closed in the Markdown cell in which it opens",
                "Inside it write code as ```py, and leave no heading or two blank lines.",
            )
            return
