"""A student's own profile: the points of all labs by dimensions and skills.

It is read from what the checks have kept beside the notebooks (`last_said`), so it says what
they said last, and names what is unknown. It is no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.checks.last_said import read
from autograder.checks.records import task_title
from autograder.course import Course

DIMENSIONS = {
    "d1": "Async mastery and performance",
    "d2": "Dependency injection and architecture",
    "d3": "Pydantic and data modelling",
    "d4": "Communication and collaboration",
}
"""The dimensions' names; a class's own copy of the course has no list of skills."""
_TASKS = re.compile(r"%%check (lab\d\d)/(\w+)")
_LARGEST = 20_000_000
"""Bytes of a notebook that is read."""


@dataclass(frozen=True)
class Evidence:
    """What one task has shown of a skill.

    Attributes:
        lab: Short name of the lab, such as `lab07`.
        task: Name of the task, such as `t2`.
        points: The points of the skill's tests that passed.
        worth: The points of all its tests.
    """

    lab: str
    task: str
    points: float
    worth: float


@dataclass(frozen=True)
class Skill:
    """What is known of a skill.

    Attributes:
        name: As a check names it, such as `d2.routes`.
        sentence: What somebody who has it can do; empty where the list of skills is not here.
        evidence: What tasks have shown of it; nothing where none was checked.
    """

    name: str
    sentence: str
    evidence: tuple[Evidence, ...]

    @property
    def points(self) -> float:
        """The points of its tests that passed."""
        return sum(one.points for one in self.evidence)

    @property
    def worth(self) -> float:
        """The points of its tests that were tried."""
        return sum(one.worth for one in self.evidence)

    @property
    def lost(self) -> float:
        """The points that its tests have cost."""
        return round(self.worth - self.points, 6)

    @property
    def share(self) -> float:
        """The share of its points that was earned."""
        return self.points / self.worth if self.worth else 1.0

    @property
    def worst(self) -> Evidence:
        """The task that has lost most of its points."""
        return max(self.evidence, key=lambda one: one.worth - one.points)


@dataclass(frozen=True)
class Dimension:
    """One of the four dimensions.

    Attributes:
        key: `d1` to `d4`.
        name: What it is called.
        skills: Its skills that some checked test has tried.
        untried: The names of those that none has tried, as far as they are known.
    """

    key: str
    name: str
    skills: tuple[Skill, ...]
    untried: tuple[str, ...]

    @property
    def points(self) -> float:
        """The points earned."""
        return sum(skill.points for skill in self.skills)

    @property
    def worth(self) -> float:
        """The points tried."""
        return sum(skill.worth for skill in self.skills)

    @cached_property
    def weakest(self) -> Skill | None:
        """The skill with the least share of its points; None where nothing is lost."""
        lost = [skill for skill in self.skills if skill.lost > 0]
        return min(lost, key=lambda skill: (skill.share, -skill.lost, skill.name), default=None)


@dataclass(frozen=True)
class Profile:
    """What is known of a student.

    Attributes:
        dimensions: The four.
        checked: Short names of the labs of which a check was run.
        unchecked: Short names of the others.
        open_tasks: Tasks without a check so far, in labs of which another one was run.
        outdated: Tasks whose check was run by a version that has kept no skills.
        sections: Where to read again, by lab and task.
    """

    dimensions: tuple[Dimension, ...]
    checked: tuple[str, ...]
    unchecked: tuple[str, ...]
    open_tasks: tuple[tuple[str, str], ...]
    outdated: tuple[tuple[str, str], ...]
    sections: dict[tuple[str, str], tuple[str, ...]]

    def read_again(self, skill: Skill) -> tuple[str, ...]:
        """Return the lesson's sections that taught what a skill has lost most points in."""
        worst = skill.worst
        return self.sections.get((worst.lab, worst.task)) or (f"lesson {worst.lab[3:]}",)


def read_profile(start: Path) -> Profile:
    """Return a student's profile.

    Args:
        start: A folder in which the labs are, or a folder beside or below them.
    """
    folders = _labs(start.resolve())
    root = folders[0].parent.parent if folders else start
    found: dict[str, list[Evidence]] = {}
    checked: list[str] = []
    unchecked: list[str] = []
    open_tasks: list[tuple[str, str]] = []
    outdated: list[tuple[str, str]] = []
    for folder in folders:
        lab = folder.name.partition("-")[0]
        said = read(lab, folder)
        (checked if said else unchecked).append(lab)
        for task in _tasks(folder, lab) if said else ():
            if task not in said:
                open_tasks.append((lab, task))
            elif (skills := said[task].skills) is None:
                outdated.append((lab, task))
            else:
                for name, (points, worth) in skills.items():
                    found.setdefault(name, []).append(Evidence(lab, task, points, worth))
    sentences, sections = _from_sources(
        root, {one.lab for tried in found.values() for one in tried}
    )
    return Profile(
        dimensions=tuple(_dimensions(found, sentences)),
        checked=tuple(checked),
        unchecked=tuple(unchecked),
        open_tasks=tuple(open_tasks),
        outdated=tuple(outdated),
        sections=sections,
    )


def task_names(tasks: tuple[tuple[str, str], ...]) -> str:
    """Return tasks in words: `lab07 Task 2, Task 3; lab11 Task 1`."""
    by_lab: dict[str, list[str]] = {}
    for lab, task in tasks:
        by_lab.setdefault(lab, []).append(task_title(task))
    return "; ".join(f"{lab} {', '.join(titles)}" for lab, titles in by_lab.items())


def _labs(start: Path) -> list[Path]:
    """Return the labs' folders, in the course's order."""
    for folder in (start, *start.parents[:2]):
        for place in (folder / "labs", folder):
            folders = sorted(place.glob("lab[0-9][0-9]-*"))
            if found := [one for one in folders if (one / f"{one.name}.ipynb").is_file()]:
                return found
    return []


def _tasks(folder: Path, lab: str) -> list[str]:
    """Return the tasks that have a check in a lab's notebook."""
    file = folder / f"{folder.name}.ipynb"
    try:
        text = file.read_text(encoding="utf-8") if file.stat().st_size < _LARGEST else ""
    except (OSError, ValueError):
        return []
    return list(dict.fromkeys(task for name, task in _TASKS.findall(text) if name == lab))


def _dimensions(found: dict[str, list[Evidence]], sentences: dict[str, str]) -> Iterator[Dimension]:
    for key, name in DIMENSIONS.items():
        tried = [skill for skill in found if skill.startswith(f"{key}.")]
        yield Dimension(
            key=key,
            name=name,
            skills=tuple(
                Skill(skill, sentences.get(skill, ""), tuple(found[skill]))
                for skill in sorted(tried)
            ),
            untried=tuple(
                skill for skill in sentences if skill.startswith(f"{key}.") and skill not in found
            ),
        )


def _from_sources(
    root: Path, labs: set[str]
) -> tuple[dict[str, str], dict[tuple[str, str], tuple[str, ...]]]:
    """Return what skills mean and where tasks were taught; nothing in a class's copy."""
    course = Course(root)
    if not course.content.is_dir():
        return {}, {}
    # A class has neither the sources nor what reads them.
    from autograder.profile import course_sources  # noqa: PLC0415 - as above

    return course_sources.sentences(course), course_sources.sections(course, labs)
