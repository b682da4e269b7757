"""`quiz(...)`: questions to check oneself by. `predict(...)`: a guess before a cell is run."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

from classroom.pictures import Picture
from classroom.quiz import page
from classroom.quiz.question import Choice, Question
from classroom.shown import Shown


class Quiz(Shown):
    """Some questions, one below the other; see `quiz`."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = tuple(questions)

    def picture(self) -> Picture:
        """Return the questions with folded explanations; as text, the answers come last."""
        parts = [
            page.group(
                f"Question {number} of {len(self.questions)}",
                f'<div class="cq-question"><b class="cq-number">{number}.</b>'
                f"<div>{page.block(question.text)}</div></div>{page.choices_of(question)}",
            )
            for number, question in enumerate(self.questions, 1)
        ]
        asked = [_asked(question, number) for number, question in enumerate(self.questions, 1)]
        told = [_told(question, number) for number, question in enumerate(self.questions, 1)]
        return Picture(
            html=page.page("".join(parts)), text="\n\n".join([*asked, "Explanations", *told])
        )


def quiz(*questions: Question) -> Quiz:
    """Ask questions whose every choice explains itself as soon as it is opened.

    Nothing is stored, and nothing needs a running kernel once the cell has been run.

    Args:
        questions: What to ask.

    Raises:
        ValueError: There is no question.

    Example:
        >>> quiz(
        ...     Question(
        ...         "Who runs a `def` endpoint?",
        ...         right("A thread of the pool", "FastAPI hands it over, so the loop stays free."),
        ...         wrong("The event loop", "That is where `async def` runs."),
        ...     )
        ... )
    """
    if not questions:
        raise ValueError("A quiz needs a question.")
    return Quiz(questions)


class Prediction(Shown):
    """A guess to be made first; see `predict`."""

    def __init__(self, text: str, choices: Sequence[Choice], answer: str) -> None:
        self.text = text
        self.question = Question(text, *choices) if choices else None
        self.answer = answer

    def picture(self) -> Picture:
        """Return the question; the explanation shows itself only when a guess has been made."""
        if self.question is not None:
            field = page.radios_of(self.question)
            told = page.choices_of(self.question)
        else:
            field = (
                '<label class="cq-pick">Your guess: '
                '<input type="text" placeholder=" " autocomplete="off" size="24" '
                f"{page.OWN_KEYS}></label>"
            )
            told = page.block(self.answer)
        body = (
            f'<div class="cq-question">{page.block(self.text)}</div>{field}'
            '<div class="cq-after" role="status"><p>Run the next cell, then compare.</p>'
            f'<details class="cq-compare"><summary {page.OWN_KEYS}>Compare</summary>'
            f"{told}</details></div>"
        )
        return Picture(
            html=page.page(page.group("Guess first", f'<div class="cq-guess">{body}</div>')),
            text="\n\n".join(self._in_words()),
        )

    def _in_words(self) -> list[str]:
        if self.question is None:
            return [f"Guess first: {self.text}", "Run the next cell, then compare:", self.answer]
        asked = _asked(self.question, None)
        return [f"Guess first: {asked}", "Run the next cell, then compare.", _told(self.question)]


def predict(question: str, *choices: Choice, answer: str = "") -> Prediction:
    """Ask for a guess, typed or chosen, before the cell is run that shows the answer.

    The explanation stays hidden until there is a guess. Nothing is stored, and nothing is
    marked: to have guessed is what counts.

    Args:
        question: What will happen? In Markdown; it may hold code.
        choices: What to choose from; without them the reader types.
        answer: Without choices, the explanation, in Markdown.

    Raises:
        ValueError: Both or neither of choices and answer were given, or the choices are not fit.

    Example:
        >>> predict("How long is the longest gap, in ms?", answer="About 800: four times 0.2 s.")
    """
    if bool(choices) == bool(answer.strip()):
        raise ValueError("Give `predict` either choices to pick from or an `answer`, not both.")
    if not question.strip():
        raise ValueError("A question needs a text.")
    return Prediction(question, choices, answer)


def _asked(question: Question, number: int | None) -> str:
    head = question.text if number is None else f"{number}. {question.text}"
    lettered = zip(ascii_uppercase, question.choices, strict=False)
    return "\n".join([head, *(f"   {letter}. {choice.text}" for letter, choice in lettered)])


def _told(question: Question, number: int | None = None) -> str:
    head = [] if number is None else [f"{number}."]
    lettered = zip(ascii_uppercase, question.choices, strict=False)
    return "\n".join(
        [
            *head,
            *(
                f"   {letter}. {page.verdict(choice)} {choice.because}"
                for letter, choice in lettered
            ),
        ]
    )
