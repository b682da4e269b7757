"""A stand-in for a language model: words that depend on the request and on nothing else."""

from __future__ import annotations

import hashlib
import json
import math
import re
from itertools import count as counting
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")

_OPENINGS = (
    "Let us look at that step by step.",
    "Good question.",
    "Here is what I found.",
    "In short, it depends on the request.",
    "I checked the desk's notes.",
)
_SUBJECTS = ("The server", "Your client", "A worker", "The queue", "An agent", "The event loop")
_VERBS = ("reads", "answers", "keeps", "forwards", "counts", "waits for")
_OBJECTS = ("one request", "the next token", "every message", "a short note", "the open file")
_ENDINGS = ("at once", "in order", "before the others", "without a lock", "when it is ready")
_SENTENCES = 3


class Dice:
    """Choices that follow from a seed: the same seed, the same choices, on every machine."""

    def __init__(self, seed: Any) -> None:
        canonical = json.dumps(seed, sort_keys=True, ensure_ascii=False, default=str)
        self.digest = hashlib.sha256(canonical.encode()).hexdigest()
        """Names the seed, in 64 hexadecimal digits."""
        self._numbers = self._roll()

    def _roll(self) -> Iterator[int]:
        for turn in counting():
            yield from hashlib.sha256(f"{self.digest}{turn}".encode()).digest()

    def below(self, limit: int) -> int:
        """Return a number from 0 up to, not including, `limit`."""
        return (next(self._numbers) * 256 + next(self._numbers)) % limit

    def choose(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]


def tokens_of(text: str) -> list[str]:
    """Cut a text into words and marks; joined, they are the text again."""
    return re.findall(r"\s*\w+|\s*[^\w\s]|\s+$", text)


def reply(question: str, dice: Dice) -> str:
    """Return a few sentences in answer to a question."""
    sentences = [
        " ".join(map(dice.choose, (_SUBJECTS, _VERBS, _OBJECTS, _ENDINGS))) + "."
        for _ in range(_SENTENCES)
    ]
    topic = " ".join(question.split())[:80]
    about = f'You asked: "{topic}".' if topic else "You asked nothing."
    return " ".join([dice.choose(_OPENINGS), about, *sentences])


def vector(text: str, dimensions: int) -> list[float]:
    """Return a direction for a text, of length 1: texts that share words point alike.

    Args:
        text: Any text that is not blank.
        dimensions: How many numbers the vector has.
    """
    numbers = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()) or [text]:
        padded = f"<{word}>"
        parts = [(word, 1.0)] + [(padded[i : i + 3], 0.3) for i in range(len(padded) - 2)]
        for part, weight in parts:
            raw = int.from_bytes(hashlib.blake2b(part.encode(), digest_size=8).digest(), "big")
            numbers[(raw >> 1) % dimensions] += weight if raw & 1 else -weight
    length = math.sqrt(sum(number * number for number in numbers))
    if not length:
        return [1.0] + [0.0] * (dimensions - 1)
    return [number / length for number in numbers]


class UnusableSchemaError(ValueError):
    """A schema of which no example is made; the message says why."""


MAX_PARTS = 5_000
"""Parts of a schema that are followed: a small one can stand for a text without an end."""
_MAX_TEXT = 2**17
"""Characters of an example's names and texts."""
_MAX_DEPTH = 60
_MAX_BOUND = 2**53
"""The largest number of a bound, as in JavaScript."""


def example_of(schema: dict[str, Any], dice: Dice, words: Sequence[str]) -> Any:
    """Return a JSON value that fits a JSON schema, made of the words of a conversation.

    Knows what tools and structured outputs use: types, `enum`, `const`, `anyOf`, `$ref` into
    `$defs`, bounds of numbers. Optional properties are filled as well.

    Raises:
        UnusableSchemaError: It is no schema, or its examples are too large.
    """
    try:
        return _Example(schema.get("$defs", {}), dice, words).of(schema, 0)
    except UnusableSchemaError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnusableSchemaError(f"it cannot be followed ({error!r:.200}).") from error


class _Example:
    """An example in the making, and what may still be added to it."""

    def __init__(self, shared: dict[str, Any], dice: Dice, words: Sequence[str]) -> None:
        self._shared = shared
        self._dice = dice
        self._words = words
        self._parts = MAX_PARTS
        self._text = _MAX_TEXT

    def of(self, schema: dict[str, Any], depth: int) -> Any:
        """Return an example of a part."""
        self._parts -= 1
        if self._parts < 0 or depth > _MAX_DEPTH:
            raise UnusableSchemaError(
                f"it stands for more than {MAX_PARTS:,} values, or is nested deeper than "
                f"{_MAX_DEPTH} levels."
            )
        if chosen := _chosen(schema, self._shared, self._dice):
            return self.of(chosen, depth + 1)
        if "const" in schema:
            self._written(json.dumps(schema["const"]))
            return schema["const"]
        kind = schema.get("type", "string")
        if isinstance(kind, list):
            kind = kind[0]
        if kind == "object":
            properties = schema.get("properties", {})
            return {
                self._written(name): self.of(properties[name], depth + 1) for name in properties
            }
        if kind == "array":
            few = max(int(schema.get("minItems", 2)), 1)
            return [self.of(schema.get("items", {}), depth + 1) for _ in range(few)]
        value = _plain(kind, schema, self._dice, self._words)
        return self._written(value) if isinstance(value, str) else value

    def _written(self, text: str) -> str:
        """Return a text that is added."""
        self._text -= len(text)
        if self._text < 0:
            raise UnusableSchemaError(f"its example has more than {_MAX_TEXT:,} characters.")
        return text


def _chosen(schema: dict[str, Any], shared: dict[str, Any], dice: Dice) -> dict[str, Any] | None:
    """Return the schema that a schema points to, if it does."""
    if reference := schema.get("$ref"):
        pointed: dict[str, Any] = shared[str(reference).rsplit("/", 1)[-1]]
        return pointed
    if options := schema.get("enum"):
        return {"const": dice.choose(options)}
    several = schema.get("anyOf") or schema.get("oneOf")
    return several[0] if several else None


def _plain(kind: str, schema: dict[str, Any], dice: Dice, words: Sequence[str]) -> Any:
    if kind in {"integer", "number"}:
        low = math.ceil(_bound(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)))
        high = math.floor(_bound(schema.get("maximum", low + 99)))
        number = low + dice.below(max(high - low, 1))
        return number if kind == "integer" else float(number)
    if kind == "boolean":
        return bool(dice.below(2))
    return None if kind == "null" else dice.choose(words or ["text"])


def _bound(number: float) -> float:
    """Return a bound of numbers, which JSON lets be of any length."""
    return max(min(number, _MAX_BOUND), -_MAX_BOUND)
