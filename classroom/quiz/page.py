"""How questions look: HTML that needs no script, is worked by keyboard, and folds without CSS.

Each choice is a `<details>` of its own, which browsers, screen readers, GitHub and nbconvert all
know; those of one question share a name, so that opening one closes the others.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import ascii_uppercase

from markdown_it import MarkdownIt

from classroom.quiz.question import Choice, Question

OWN_KEYS = 'data-lm-suppress-shortcuts="true"'
"""Keeps JupyterLab's keys, such as the arrows, away from an element that has the focus."""

_markdown = MarkdownIt("commonmark", {"html": False})


@cache
def style() -> str:
    """Return the style sheet of all questions."""
    return files("classroom.quiz").joinpath("quiz.css").read_text(encoding="utf-8")


def page(body: str) -> str:
    """Wrap questions and bring their styles."""
    return f'<style>{style()}</style><div class="cq">{body}</div>'


def block(text: str) -> str:
    """Return Markdown as HTML, any HTML in it as text."""
    return str(_markdown.render(text))


def inline(text: str) -> str:
    """Return one line of Markdown as HTML."""
    return str(_markdown.renderInline(text))


def choices_of(question: Question) -> str:
    """Return the choices, each folded over its explanation."""
    group = f"cq-{sha256(question.text.encode()).hexdigest()[:12]}"
    return "".join(
        f'<details class="cq-choice {"cq-right" if choice.is_right else "cq-wrong"}" '
        f'name="{group}"><summary {OWN_KEYS}><b>{letter}.</b> {inline(choice.text)}</summary>'
        f'<div class="cq-why"><b>{verdict(choice)}</b>{block(choice.because)}</div></details>'
        for letter, choice in zip(ascii_uppercase, question.choices, strict=False)
    )


def radios_of(question: Question) -> str:
    """Return the choices as buttons to pick one of, without a word of explanation."""
    group = f"cq-{sha256(question.text.encode()).hexdigest()[:12]}"
    return "".join(
        f'<label class="cq-pick"><input type="radio" name="{group}" {OWN_KEYS}> '
        f"<span><b>{letter}.</b> {inline(choice.text)}</span></label>"
        for letter, choice in zip(ascii_uppercase, question.choices, strict=False)
    )


def verdict(choice: Choice) -> str:
    """Say whether a choice is right, in words."""
    return "Right." if choice.is_right else "Not this one."


def group(name: str, body: str) -> str:
    """Return a group that a screen reader announces by its name."""
    return f'<section role="group" aria-label="{escape(name, quote=True)}">{body}</section>'
