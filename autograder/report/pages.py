"""The report's pages: one for the class, one for each student; HTML that needs nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from autograder.authoring.skills import Dimension
from autograder.checks.records import task_title
from autograder.checks.scoring import as_number
from autograder.report import charts, statistics
from autograder.report.evidence import FAILED, PASSED, UNKNOWN, ClassEvidence, LabEvidence
from autograder.report.statistics import WEAK, Skills

_TEMPLATES = Path(__file__).parent
_LONGEST_NAME = 200
_FAILURES = 8
"""How many tests the class page names as failing most often."""
_NEXT = 3
"""How many skills a student is told to practise."""
STRONG = 0.8
"""What a student should have of a skill before it is no longer one to practise."""


def file_name(student: str) -> str:
    """Return the name of a student's page: his id, or its hash where that is too long."""
    name = quote(student, safe=" ")
    if len(name) > _LONGEST_NAME or not name.strip("."):
        name = hashlib.sha256(student.encode(errors="surrogatepass")).hexdigest()
    return f"{name}.html"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {
        "percent": lambda share: f"{share:.0%}",
        "points": lambda points: as_number(round(points, 2)),
        "page": lambda student: f"students/{quote(file_name(student))}",
        "shorten": lambda text: text if len(text) <= 240 else f"{text[:240]} …",  # noqa: PLR2004
    }
    made.globals["style"] = Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - ours
    made.globals["bar"] = made.get_template("bar.html").module.bar  # type: ignore[attr-defined]
    return made


class Pages:
    """Renders one class.

    Args:
        evidence: The class.
        dimensions: The skills with their sentences, by dimension.
        title: What the class page is called.
    """

    def __init__(
        self, evidence: ClassEvidence, dimensions: Mapping[str, Dimension], title: str
    ) -> None:
        self._evidence = evidence
        self._dimensions = dimensions
        self._title = title
        self._jinja = _environment()
        self.skills = Skills(evidence, dimensions)
        self.figures = self.skills.figures()
        self.tests = {lab.name: statistics.of_tests(lab) for lab in evidence.labs}
        self.tasks = {lab.name: statistics.of_tasks(lab) for lab in evidence.labs}
        self.percentiles = {lab.name: statistics.percentiles(lab) for lab in evidence.labs}
        self.notices = statistics.notices(evidence)
        self._shares = self.skills.shares
        self._row = {student: row for row, student in enumerate(self.skills.students)}
        self._tests_of = _tests_of(evidence)
        self._rows_in = [
            {student: row for row, student in enumerate(lab.marks)} for lab in evidence.labs
        ]

    def of_class(self) -> str:
        """Return the page for the instructor."""
        labs = self._evidence.labs
        return self._jinja.get_template("class.html").render(
            title=self._title,
            evidence=self._evidence,
            weak=[one for one in self.figures if one.weak],
            weak_below=WEAK,
            skills=self.figures,
            dimensions=self.skills.by_dimension(),
            skills_chart=_svg(charts.skills(self.figures)) if self.figures else "",
            growth_chart=_svg(charts.growth(labs)) if len(labs) > 1 else "",
            notices=self.notices,
            labs=[self._lab(lab) for lab in labs],
            rows=list(self._rows()),
        )

    def of_student(self, student: str) -> str:
        """Return a student's page; it says nothing of anybody else."""
        dimensions = list(self._profile(student))
        weakest = sorted(
            (skill for one in dimensions for skill in one["skills"] if skill["share"] < STRONG),
            key=lambda skill: skill["share"],
        )
        return self._jinja.get_template("student.html").render(
            student=student,
            name=self._evidence.students[student],
            next=[skill | {"first": _first(skill)} for skill in weakest[:_NEXT]],
            strong=STRONG,
            half=0.5,
            dimensions=dimensions,
            labs=list(self._marks(student)),
        )

    def _lab(self, lab: LabEvidence) -> dict[str, Any]:
        scores = [mark.score for mark in lab.marks.values()]
        low, middle, high = np.percentile(scores, [25, 50, 75]).tolist()
        tests = self.tests[lab.name]
        failing = sorted((one for one in tests if one.failed), key=lambda one: -one.failed)
        return {
            "name": lab.name,
            "short": lab.name.split("-")[0],
            "max_score": lab.max_score,
            "handed_in": len(scores),
            "low": low,
            "median": middle,
            "high": high,
            "mean": float(np.mean(scores)),
            "chart": _svg(charts.distribution(lab)),
            "tasks": self.tasks[lab.name],
            "tests": tests,
            "failures": failing[:_FAILURES],
            "doubtful": [one for one in tests if one.doubtful],
        }

    def _rows(self) -> Iterator[dict[str, Any]]:
        for student, name in self._evidence.students.items():
            marks = [
                (lab.marks[student].score, self.percentiles[lab.name][student])
                if student in lab.marks
                else None
                for lab in self._evidence.labs
            ]
            total = sum(held[0] for held in marks if held is not None)
            yield {"student": student, "name": name, "marks": marks, "total": total}

    def _marks(self, student: str) -> Iterator[dict[str, Any]]:
        for lab in self._evidence.labs:
            mark = lab.marks.get(student)
            tasks = [
                (task_title(cell.removeprefix("check-")), mark.tasks.get(cell, 0.0), worth)
                for cell, worth in lab.tasks.items()
                if mark is not None
            ]
            share = mark.score / (lab.max_score or 1) if mark else 0.0
            yield {
                "name": lab.name,
                "max_score": lab.max_score,
                "mark": mark,
                "share": share,
                "tasks": tasks,
            }

    def _profile(self, student: str) -> Iterator[dict[str, Any]]:
        """Yield each dimension with evidence, and its skills with theirs."""
        row = self._row[student]
        verdicts = self._verdicts(student)
        for key, one in self._dimensions.items():
            skills, earned, worth = [], 0.0, 0.0
            for number, name in enumerate(self.skills.names):
                if not name.startswith(f"{key}.") or not self.skills.worth[row, number]:
                    continue
                earned += self.skills.earned[row, number]
                worth += self.skills.worth[row, number]
                found = list(self._evidence_of(name, verdicts))
                skills.append(
                    {
                        "name": name,
                        "sentence": one.skills[name.split(".")[1]],
                        "share": float(self._shares[row, number]),
                        "tests": len(found),
                        "passed": sum(code == PASSED for _, code in found),
                        "lost": [(line, code == FAILED) for line, code in found if code != PASSED],
                    }
                )
            if worth:
                yield {"name": one.name, "share": earned / worth, "skills": skills}

    def _verdicts(self, student: str) -> list[list[int] | None]:
        """Return the verdicts on a student's work, lab by lab; None where nothing is handed in."""
        return [
            lab.outcomes[rows[student]].tolist() if student in rows else None
            for lab, rows in zip(self._evidence.labs, self._rows_in, strict=True)
        ]

    def _evidence_of(
        self, skill: str, verdicts: list[list[int] | None]
    ) -> Iterator[tuple[str, int]]:
        """Yield each test of a skill that there is a verdict on, in words, and the verdict."""
        for lab, column, line in self._tests_of[skill]:
            codes = verdicts[lab]
            if codes is not None and codes[column] != UNKNOWN:
                yield line, codes[column]


def _tests_of(evidence: ClassEvidence) -> dict[str, list[tuple[int, int, str]]]:
    """Return, by skill, where each of its tests stands: number of the lab, column, its words."""
    found: dict[str, list[tuple[int, int, str]]] = {}
    for number, lab in enumerate(evidence.labs):
        for column, test in enumerate(lab.tests):
            words = escape(f"{lab.name.split('-')[0]}, {test.title}: {test.meaning}")
            found.setdefault(test.skill, []).append((number, column, words))
    return found


def _first(skill: Mapping[str, Any]) -> str:
    """Name the place to begin at: the first failed test of a skill, not one that was blocked."""
    failed = [line for line, failed in skill["lost"] if failed]
    first: str = (failed or [line for line, _ in skill["lost"]])[0]
    return first


def _svg(text: str) -> Markup:
    """Let a drawing of ours stand in the page; Matplotlib has escaped the names in it."""
    return Markup(text)  # noqa: S704 - no text of a submission is in it
