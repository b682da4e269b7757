"""What the verdicts of a class come to: difficulty, discrimination, skills, growth, whom to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from autograder.authoring.skills import Dimension
from autograder.checks.records import task_title
from autograder.report.evidence import (
    BLOCKED,
    FAILED,
    PASSED,
    UNKNOWN,
    ClassEvidence,
    Floats,
    LabEvidence,
    Test,
)

LOW_SHARE = 0.4
"""A mark below this share of the lab is one to look at."""
FALL = 0.25
"""So is one that lies this far below what the student has had so far."""
HARD, LOOSE = 0.3, 0.1
"""A test that fewer pass, and that hardly goes with the rest of the lab, may be unfair."""
WEAK = 0.6
"""A skill of which the class earns less than this share is one to teach again."""
ENOUGH = 8
"""From how many students on a correlation says anything."""


@dataclass(frozen=True)
class TestFigures:
    """How a class did on one test.

    Attributes:
        test: The test.
        passed: How many passed it.
        failed: How many failed it.
        blocked: For how many it did not run, because another test had failed before.
        difficulty: The share of those with a verdict who passed, 0 to 1; high is easy.
        discrimination: The correlation of passing it with the points of the rest of the lab,
            -1 to 1; None where everybody did the same, or the class is too small.
        common: The sentence with which it failed most often, and how often.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name

    test: Test
    passed: int
    failed: int
    blocked: int
    difficulty: float
    discrimination: float | None
    common: tuple[str, int] | None

    @property
    def doubtful(self) -> bool:
        """Whether the test itself deserves a look: hard, and not for the weak alone."""
        return (
            self.difficulty < HARD
            and self.discrimination is not None
            and self.discrimination < LOOSE
        )


@dataclass(frozen=True)
class TaskFigures:
    """How a class did on one graded cell.

    Attributes:
        title: What it is called, `Task 2`.
        worth: Its points.
        mean: The mean of the points that the class has.
        full: How many have all of them.
        none: How many have none.
    """

    title: str
    worth: float
    mean: float
    full: int
    none: int


@dataclass(frozen=True)
class SkillFigures:
    """What is known of a skill.

    Attributes:
        name: As checks name it, `d2.routes`.
        dimension: Name of its dimension.
        sentence: What a student who has it can do.
        share: Points earned on its tests, as a share of what they are worth, over the class.
        struggling: How many students earn less than half of them.
        of: How many students have a verdict on any of its tests.
    """

    name: str
    dimension: str
    sentence: str
    share: float
    struggling: int
    of: int

    @property
    def weak(self) -> bool:
        """Whether it is one to teach again."""
        return self.share < WEAK or self.struggling * 3 >= self.of


@dataclass(frozen=True)
class Notice:
    """Somebody to look at, and why."""

    student: str
    reasons: tuple[str, ...]


def of_tests(lab: LabEvidence) -> list[TestFigures]:
    """Return how the class did on each test of a lab."""
    rest = _points(lab)
    total = rest.sum(axis=1)
    found = []
    for number, test in enumerate(lab.tests):
        column = lab.outcomes[:, number]
        passed = column == PASSED
        count = {code: int((column == code).sum()) for code in (PASSED, FAILED, BLOCKED)}
        judged = sum(count.values())
        said = lab.messages.get(test.id, Counter()).most_common(1)
        found.append(
            TestFigures(
                test,
                count[PASSED],
                count[FAILED],
                count[BLOCKED],
                count[PASSED] / judged if judged else 0.0,
                _correlation(passed.astype(float), total - rest[:, number]),
                said[0] if said else None,
            )
        )
    return found


def _points(lab: LabEvidence) -> Floats:
    """Return the points of each student on each test."""
    worth = np.array([test.points for test in lab.tests])
    return np.where(lab.outcomes == PASSED, worth, 0.0)


def _correlation(one: Floats, other: Floats) -> float | None:
    """Return Pearson's correlation, or None where it says nothing."""
    if len(one) < ENOUGH or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def of_tasks(lab: LabEvidence) -> list[TaskFigures]:
    """Return how the class did on each graded cell of a lab."""
    found = []
    for cell, worth in lab.tasks.items():
        points = np.array([mark.tasks.get(cell, 0.0) for mark in lab.marks.values()])
        found.append(
            TaskFigures(
                task_title(cell.removeprefix("check-")),
                worth,
                float(points.mean()),
                int((points >= worth).sum()),
                int((points <= 0).sum()),
            )
        )
    return found


class Skills:
    """Who has earned how much of which skill.

    Args:
        evidence: The class.
        dimensions: The skills with their sentences, by dimension.
    """

    def __init__(self, evidence: ClassEvidence, dimensions: Mapping[str, Dimension]) -> None:
        self._dimensions = dimensions
        names = {test.skill for lab in evidence.labs for test in lab.tests if test.skill}
        self.names = [
            name
            for key, one in dimensions.items()
            for name in (f"{key}.{skill}" for skill in one.skills)
            if name in names
        ]
        self.students = list(evidence.students)
        place = {student: row for row, student in enumerate(self.students)}
        column = {name: number for number, name in enumerate(self.names)}
        self.earned = np.zeros((len(place), len(column)))
        self.worth = np.zeros((len(place), len(column)))
        for lab in evidence.labs:
            rows = [place[student] for student in lab.marks]
            earned = _points(lab)
            for number, test in enumerate(lab.tests):
                if test.skill in column:
                    known = lab.outcomes[:, number] != UNKNOWN
                    self.earned[rows, column[test.skill]] += earned[:, number]
                    self.worth[rows, column[test.skill]] += known * test.points

    @property
    def shares(self) -> Floats:
        """What each student has earned of each skill, 0 to 1; NaN without evidence."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.worth > 0, self.earned / self.worth, np.nan)

    def figures(self) -> list[SkillFigures]:
        """Return what is known of each skill over the class, weakest first."""
        found, shares = [], self.shares
        for number, name in enumerate(self.names):
            dimension, skill = name.split(".")
            one, worth = self._dimensions[dimension], self.worth[:, number].sum()
            found.append(
                SkillFigures(
                    name,
                    one.name,
                    one.skills[skill],
                    float(self.earned[:, number].sum() / worth) if worth else 0.0,
                    int((shares[:, number] < 0.5).sum()),  # noqa: PLR2004 - half
                    int((self.worth[:, number] > 0).sum()),
                )
            )
        return sorted(found, key=lambda figures: figures.share)

    def by_dimension(self) -> dict[str, float]:
        """Return the share that the class has earned in each of the dimensions with evidence."""
        found = {}
        for key, one in self._dimensions.items():
            columns = [n for n, name in enumerate(self.names) if name.startswith(f"{key}.")]
            worth = self.worth[:, columns].sum()
            if worth:
                found[one.name] = float(self.earned[:, columns].sum() / worth)
        return found


def percentiles(lab: LabEvidence) -> dict[str, int]:
    """Return how many of a hundred classmates have a lower mark, half of the equal ones counted."""
    marks = np.array([mark.score for mark in lab.marks.values()])
    ordered = np.sort(marks)
    below = np.searchsorted(ordered, marks, "left")
    upto = np.searchsorted(ordered, marks, "right")
    ranks = 50 * (below + upto) / len(marks)
    return dict(zip(lab.marks, ranks.round().astype(int).tolist(), strict=True))


def notices(evidence: ClassEvidence) -> list[Notice]:
    """Return who should be looked at, and why; those with the most reasons first."""
    reasons: dict[str, list[str]] = {}
    before: dict[str, list[float]] = {}
    for lab in evidence.labs:
        short = lab.name.split("-")[0]
        for student in evidence.students:
            for why in _why(lab, student, before.get(student, [])):
                reasons.setdefault(student, []).append(f"{short}: {why}")
        for student, share in zip(lab.marks, lab.shares.tolist(), strict=True):
            before.setdefault(student, []).append(share)
    found = [Notice(student, tuple(why)) for student, why in reasons.items()]
    return sorted(found, key=lambda notice: (-len(notice.reasons), notice.student))


def _why(lab: LabEvidence, student: str, before: list[float]) -> Iterator[str]:
    mark = lab.marks.get(student)
    if mark is None:
        yield "nothing handed in"
        return
    if mark.unmarked:
        yield mark.reason or "waits for a person's points, or for a look"
    if mark.altered:
        yield f"altered: {', '.join(mark.altered)}"
    share = mark.score / (lab.max_score or 1)
    if share < LOW_SHARE:
        yield f"{share:.0%} of the points"
    elif before and share < np.mean(before) - FALL:
        yield f"{share:.0%} of the points, after {np.mean(before):.0%} so far"
