"""The skills that checks may name: content/skills.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from autograder.course import CourseError


class SkillsError(CourseError):
    """content/skills.toml cannot be used."""


class Dimension(BaseModel):
    """One of the four dimensions and its skills.

    Attributes:
        name: What it is called in a report.
        skills: Each skill's short name and what a student who has it can do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    skills: dict[str, str]


DIMENSIONS = TypeAdapter(dict[str, Dimension])


def dimensions(file: Path) -> dict[str, Dimension]:
    """Read the dimensions `d1` to `d4` with their skills.

    Raises:
        SkillsError: The file is missing or is not what it should be.
    """
    try:
        return DIMENSIONS.validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise SkillsError(
            f"{file.name} cannot be read: {error}. It holds, for each dimension, "
            '[d1] with a name and [d1.skills] with lines such as blocking = "What one can do.".'
        ) from error


def skill_names(file: Path) -> frozenset[str]:
    """Return every skill as a check names it, such as `d2.routes`.

    Raises:
        SkillsError: The file is missing or is not what it should be.
    """
    return frozenset(
        f"{dimension}.{skill}"
        for dimension, one in dimensions(file).items()
        for skill in one.skills
    )
