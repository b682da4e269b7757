"""Questions whose every choice explains itself, also the wrong ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One possible answer.

    Attributes:
        text: What it says, in Markdown.
        because: Why it is right or wrong, in Markdown; no choice goes without.
        is_right: Whether it is right.
    """

    text: str
    because: str
    is_right: bool

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("A choice needs a text.")
        if not self.because.strip():
            raise ValueError(f"The choice {self.text!r} needs its reason: say why it is so.")


def right(text: str, because: str) -> Choice:
    """Return a right choice.

    Args:
        text: What it says, in Markdown.
        because: Why it is right.
    """
    return Choice(text, because, is_right=True)


def wrong(text: str, because: str) -> Choice:
    """Return a wrong choice.

    Args:
        text: What it says, in Markdown.
        because: What it would be true of, or what speaks against it.
    """
    return Choice(text, because, is_right=False)


class Question:
    """A question with its choices.

    Args:
        text: The question, in Markdown; it may hold code.
        choices: At least two, one or more of them right, no two alike.

    Raises:
        ValueError: The choices are not such.
    """

    def __init__(self, text: str, *choices: Choice) -> None:
        if not text.strip():
            raise ValueError("A question needs a text.")
        if len(choices) < 2:  # noqa: PLR2004 - one choice is none
            raise ValueError(f"The question {text!r} needs at least two choices.")
        if not any(choice.is_right for choice in choices):
            raise ValueError(f"The question {text!r} has no right choice.")
        if len({choice.text for choice in choices}) < len(choices):
            raise ValueError(f"Two choices of the question {text!r} say the same.")
        self.text = text
        self.choices = choices
