"""Questions and answers, read from the headings of a notebook."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

_HEADING = re.compile(r"^### (?P<number>\d+) (?P<question>[^\n]+)\n+(?P<answer>.+)", re.DOTALL)


@dataclass(frozen=True)
class Card:
    """One question.

    Attributes:
        number: Its number in the lesson.
        question: What is asked.
        answer: A good answer, in Markdown.
    """

    number: int
    question: str
    answer: str


def cards_of(notebook: Path) -> list[Card]:
    """Return the questions of a notebook: each Markdown cell that begins `### 7 What is ...?`.

    Raises:
        OSError: The notebook cannot be read.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = (match for text in texts if (match := _HEADING.match(text)))
    return [
        Card(int(match["number"]), match["question"].strip(), match["answer"].strip())
        for match in found
    ]
