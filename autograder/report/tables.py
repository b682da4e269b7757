"""The report's tables: the same figures for a spreadsheet (CSV) and for a program (JSON)."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from autograder.render.csv import harmless
from autograder.report.evidence import ClassEvidence
from autograder.report.pages import Pages


def tables(evidence: ClassEvidence, pages: Pages) -> dict[str, str]:
    """Return each file's text by its name."""
    return {
        "marks.csv": _csv(["student", "name", *_names(evidence)], _marks(evidence)),
        "tasks.csv": _csv(["lab", "task", "worth", "mean", "all", "none"], _tasks(pages)),
        "tests.csv": _csv(
            ["lab", "test", "meaning", "skill", "hidden", "passed", "failed", "blocked",
             "difficulty", "discrimination"],
            _tests(pages),
        ),
        "skills.csv": _csv(
            ["student", *pages.skills.names],
            (
                [student, *("" if math.isnan(share) else round(share, 4) for share in shares)]
                for student, shares in zip(
                    pages.skills.students, pages.skills.shares.tolist(), strict=True
                )
            ),
        ),
        "class.json": json.dumps(_json(evidence, pages)),
    }  # fmt: skip


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows(
        [harmless(value) if isinstance(value, str) else value for value in row] for row in rows
    )
    return file.getvalue()


def _names(evidence: ClassEvidence) -> list[str]:
    return [lab.name for lab in evidence.labs]


def _marks(evidence: ClassEvidence) -> Iterable[list[Any]]:
    for student, name in evidence.students.items():
        marks = [lab.marks.get(student) for lab in evidence.labs]
        yield [student, name, *("" if mark is None else round(mark.score, 2) for mark in marks)]


def _tasks(pages: Pages) -> Iterable[list[Any]]:
    for lab, tasks in pages.tasks.items():
        for task in tasks:
            yield [lab, task.title, task.worth, round(task.mean, 4), task.full, task.none]


def _tests(pages: Pages) -> Iterable[list[Any]]:
    for lab, tests in pages.tests.items():
        for one in tests:
            test, said = one.test, one.discrimination
            yield [
                lab, test.id, test.meaning, test.skill, test.hidden, one.passed, one.failed,
                one.blocked, round(one.difficulty, 4), "" if said is None else round(said, 4),
            ]  # fmt: skip


def _json(evidence: ClassEvidence, pages: Pages) -> dict[str, Any]:
    return {
        "labs": {
            lab.name: {
                "max_score": lab.max_score,
                "marks": {
                    student: {
                        "score": round(mark.score, 4),
                        "penalty": mark.penalty,
                        "tasks": dict(mark.tasks),
                        "percentile": pages.percentiles[lab.name][student],
                        "waits_for_a_person": mark.unmarked,
                        "altered": list(mark.altered),
                    }
                    for student, mark in lab.marks.items()
                },
                "tests": {
                    one.test.id: {
                        "meaning": one.test.meaning,
                        "skill": one.test.skill,
                        "hidden": one.test.hidden,
                        "passed": one.passed,
                        "failed": one.failed,
                        "blocked": one.blocked,
                        "difficulty": round(one.difficulty, 4),
                        "discrimination": one.discrimination,
                        "doubtful": one.doubtful,
                    }
                    for one in pages.tests[lab.name]
                },
            }
            for lab in evidence.labs
        },
        "skills": {
            one.name: {
                "sentence": one.sentence,
                "dimension": one.dimension,
                "share": round(one.share, 4),
                "students_under_half": one.struggling,
                "students": one.of,
                "teach_again": one.weak,
            }
            for one in pages.figures
        },
        "look_at": {notice.student: list(notice.reasons) for notice in pages.notices},
    }
