"""The front matter of lessons and labs."""

from __future__ import annotations

import re
from typing import Literal, Self, TypeVar

import yaml  # type: ignore[import-untyped]  # it ships no types
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autograder.authoring.markdown import Document
from autograder.authoring.problems import Problem
from autograder.judge.grants import Grants


class FrontMatter(BaseModel):
    """What every source says about itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: str = Field(min_length=1)
    """How links name it; the heading may say more."""
    minutes: int = Field(gt=0)


class LessonFront(FrontMatter):
    """Front matter of a lesson."""

    level: Literal["beginner", "intermediate", "advanced"]
    sittings: list[int] = Field(default=[], min_length=2)
    """Minutes of each sitting, where one would be too much; `minutes` is their sum."""
    lab: str | None
    """Full name of the lab that follows, such as `lab03-pydantic`, or nothing."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.sittings and sum(self.sittings) != self.minutes:
            raise ValueError(f"the sittings add up to {sum(self.sittings)}, not {self.minutes}")
        return self

    @property
    def time(self) -> str:
        """How long it takes, in words: `50 minutes` or `two sittings: 50 + 55 minutes`."""
        if not self.sittings:
            return f"{self.minutes} minutes"
        number = {2: "two", 3: "three", 4: "four"}.get(len(self.sittings), str(len(self.sittings)))
        return f"{number} sittings: {' + '.join(map(str, self.sittings))} minutes"


class LabFront(FrontMatter):
    """Front matter of a lab."""

    lesson: int = Field(ge=0)
    """Number of the lesson that it follows."""
    entry: Literal["app", "create_app"]
    """What a submission defines: the app itself or a function that makes it."""
    grants: Grants | None = None
    """What its submissions may use while they are graded, beyond the minimum."""


Front = TypeVar("Front", bound=FrontMatter)


def front_matter(document: Document, model: type[Front]) -> Front | list[Problem]:
    """Read a source's front matter, or say what is wrong with it."""
    fields = ", ".join(
        name if field.is_required() else f"perhaps {name}"
        for name, field in model.model_fields.items()
    )
    advice = f"Begin the file with front matter between two lines of ---: {fields}."
    if not document.front.strip():
        return [document.problem(1, "the front matter is missing", advice)]
    try:
        return model.model_validate(yaml.safe_load(document.front))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        return [document.problem(line, "the front matter is not YAML", advice)]
    except ValidationError as errors:
        return [
            document.problem(
                line_of(document, str(error["loc"][0]) if error["loc"] else ""),
                f'front matter "{".".join(map(str, error["loc"]))}": {error["msg"]}',
                f"It holds exactly: {fields}.",
            )
            for error in errors.errors()
        ]


def line_of(document: Document, field: str) -> int:
    """Return the file's line on which a field stands, or the first."""
    front = document.front
    match = re.search(rf"^{re.escape(field)}\s*:", front, re.MULTILINE) if field else None
    return front[: match.start()].count("\n") + 2 if match else 1
