"""Asks questions when they are due: spaced repetition by Leitner's boxes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from classroom.drill.cards import Card, cards_of
from classroom.pictures import Picture
from classroom.shown import Shown

DAYS: Final = (0, 1, 3, 7, 21, 60)
"""After how many days a question in each box is asked again."""


class Asked(Shown):
    """A question whose answer is folded."""

    def __init__(self, card: Card | None, line: str) -> None:
        self.card = card
        self.line = line

    def picture(self) -> Picture:
        """Return the question, and below it its answer, to be opened."""
        if self.card is None:
            return Picture(html=f"<p>{self.line}</p>", text=self.line)
        answer = MarkdownIt().render(self.card.answer)
        title = f"{self.card.number} {self.card.question}"
        return Picture(
            html=f"<p><b>{MarkdownIt().renderInline(title)}</b></p>"
            f"<details><summary>The answer</summary>{answer}</details><p>{self.line}</p>",
            text=f"{title}\n\nAnswer: {self.card.answer}\n\n{self.line}",
        )


class Drill:
    """The questions of a notebook, and when each of them is due.

    What was known is kept beside the notebook in `.attempts/`, so it outlives the kernel.
    Where nothing can be written, it is kept in memory.

    Args:
        notebook: The notebook that holds the questions.
        today: Returns the present day.
    """

    def __init__(self, notebook: Path, *, today: Callable[[], date] = date.today) -> None:
        self._cards: dict[int, Card] = {}
        self._missing = ""
        try:
            self._cards = {card.number: card for card in cards_of(notebook)}
        except OSError:
            self._missing = f"No questions: {notebook} was not found. Run this in its folder."
        self._file = notebook.parent / ".attempts" / f"{notebook.stem}.drill.json"
        self._today = today
        self._boxes = self._read()
        self._asked: Card | None = None

    @property
    def due(self) -> Sequence[Card]:
        """The questions that are due: new ones, and those whose days are over."""
        today = self._today()
        return [card for number, card in self._cards.items() if self._due_on(number) <= today]

    def ask(self) -> Asked:
        """Show the question that has waited longest, with its answer folded."""
        if self._missing:
            return Asked(None, self._missing)
        due = sorted(self.due, key=lambda card: (self._due_on(card.number), card.number))
        self._asked = due[0] if due else None
        if self._asked is None:
            following = min((self._due_on(number) for number in self._cards), default=None)
            return Asked(None, f"Nothing is due today. The next question is due on {following}.")
        return Asked(
            self._asked,
            f"Due today: {len(due)} of {len(self._cards)}. Say the answer aloud, open it, and "
            "call knew() or missed().",
        )

    def knew(self) -> str:
        """Note that the question that was asked last was known: it comes back later."""
        return self._note(lambda box: min(box + 1, len(DAYS) - 1))

    def missed(self) -> str:
        """Note that it was not known: it comes back today."""
        return self._note(lambda _: 0)

    def _note(self, moved: Callable[[int], int]) -> str:
        if self._asked is None:
            return "No question is open: call ask() first."
        number, self._asked = self._asked.number, None
        box = moved(self._boxes.get(number, (0, self._today()))[0])
        self._boxes[number] = (box, self._today() + timedelta(days=DAYS[box]))
        self._write()
        return f"Question {number} comes back on {self._boxes[number][1]}."

    def _due_on(self, number: int) -> date:
        return self._boxes[number][1] if number in self._boxes else date.min

    def _read(self) -> dict[int, tuple[int, date]]:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
            return {
                int(number): (min(max(int(box), 0), len(DAYS) - 1), date.fromisoformat(day))
                for number, (box, day) in told.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self) -> None:
        told = {number: (box, day.isoformat()) for number, (box, day) in self._boxes.items()}
        with suppress(OSError):
            self._file.parent.mkdir(exist_ok=True)
            self._file.write_text(json.dumps(told), encoding="utf-8")
