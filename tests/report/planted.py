"""A class that was never taught: marks and verdicts written where grading leaves them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from nbgrader.api import (  # type: ignore[import-untyped]  # it ships no types
    Grade,
    Gradebook,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)

from autograder.grading.database import Database
from autograder.grading.folder import CourseFolder

CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'planted'\n"
SKILLS = ("d1.blocking", "d1.streaming", "d2.lifecycles", "d2.errors", "d3.models", "d4.security")
TASKS, TESTS = 5, 9
POINTS = 4.0


@dataclass(frozen=True)
class Planted:
    """What is to be planted.

    Attributes:
        students: How many.
        labs: How many.
        weak: The skill that every second student lacks; none if empty.
        seed: What everything else is drawn from.
        names: Students' ids; `s0001` and so on if empty.
    """

    students: int
    labs: int = 1
    weak: str = ""
    seed: int = 1
    names: Sequence[str] = field(default_factory=tuple)

    def student(self, number: int) -> str:
        return self.names[number] if self.names else f"s{number:04}"

    def lab(self, number: int) -> str:
        return f"lab{number + 1:02}-planted"


class Place(NamedTuple):
    """Which test of which student."""

    student: int
    task: int
    test: int


def plant(folder: Path, planted: Planted) -> CourseFolder:
    """Make a course whose class has been graded, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    for number in range(planted.labs):
        source = folder / "source" / planted.lab(number)
        source.mkdir(parents=True)
        (source / f"{planted.lab(number)}.ipynb").write_text("{}")
    course = CourseFolder.find(folder)
    draw = random.Random(planted.seed)  # noqa: S311 - no secret
    Database(course.gradebook_url, "planted").close()  # makes the tables
    with Gradebook(course.gradebook_url, "planted") as gradebook:
        for number in range(planted.students):
            gradebook.add_student(planted.student(number))
        for number in range(planted.labs):
            _plant_lab(gradebook, course, planted, planted.lab(number), draw)
    return course


def _plant_lab(
    gradebook: Gradebook, course: CourseFolder, planted: Planted, lab: str, draw: random.Random
) -> None:
    assignment = gradebook.add_assignment(lab)
    notebook = gradebook.add_notebook(lab, lab)
    cells = {
        task: gradebook.add_grade_cell(
            f"check-t{task}", lab, lab, max_score=POINTS, cell_type="code"
        ).id
        for task in range(1, TASKS + 1)
    }
    rows: dict[Any, list[dict[str, Any]]] = {
        SubmittedAssignment: [],
        SubmittedNotebook: [],
        Grade: [],
    }
    records = course.state / lab
    records.mkdir(parents=True)
    for number in range(planted.students):
        student = planted.student(number)
        ability = draw.uniform(0.5, 1.0)
        submitted, own = new_uuid(), new_uuid()
        rows[SubmittedAssignment].append(
            {"id": submitted, "assignment_id": assignment.id, "student_id": student}
        )
        rows[SubmittedNotebook].append(
            {"id": own, "assignment_id": submitted, "notebook_id": notebook.id, "flagged": False}
        )
        checks = {}
        for task, cell in cells.items():
            tests = [
                _verdict(planted, Place(number, task, test), ability, draw)
                for test in range(1, TESTS + 1)
            ]
            points = sum(test["points"] for test in tests)
            checks[f"check-t{task}"] = {
                "lab": lab, "task": f"t{task}", "max_points": POINTS, "points": points,
                "tests": tests,
            }  # fmt: skip
            rows[Grade].append(
                {
                    "id": new_uuid(), "cell_id": cell, "notebook_id": own, "auto_score": points,
                    "needs_manual_grade": False,
                }
            )  # fmt: skip
        judged = {
            "checks": checks, "cells": {}, "losses": [], "sandbox": "strong", "seed": 1,
        }  # fmt: skip
        (records / f"{student}.json").write_text(json.dumps({"judged": judged}))
    for table, values in rows.items():
        gradebook.db.execute(table.__table__.insert(), values)
    gradebook.db.commit()


def _verdict(planted: Planted, place: Place, ability: float, draw: random.Random) -> dict[str, Any]:
    skill = SKILLS[(place.task + place.test) % len(SKILLS)]
    lacks = skill == planted.weak and place.student % 2 == 1
    passed = not lacks and draw.random() < ability
    hidden, worth = place.test > TESTS - 2, POINTS / TESTS
    exchange = {"request": "GET /a HTTP/1.1\nhost: x\n" * 4, "response": "HTTP/1.1 500\n"}
    return {
        "id": f"t{place.task}.test_{place.test}",
        "meaning": f"Sentence {place.test} of task {place.task} holds.",
        "outcome": "passed" if passed else "failed",
        "points": worth if passed else 0.0,
        "max_points": worth,
        "skill": skill,
        "hidden": hidden,
        "message": "" if passed or hidden else f"The status is 500. Expected: {200 + place.test}.",
        "sent_and_got": [exchange],
        "seconds": 0.01,
    }
