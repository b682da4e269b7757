"""A throw-away course in which the real command grades a lab: for gates, tests and benchmarks."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook  # type: ignore[import-untyped]  # it ships no types

from autograder.checks.output import RECORD_TYPE
from autograder.checks.records import CheckResult
from autograder.corpus import Submission
from autograder.course import CONFIG, Course, Lab

AUTOGRADER = Path(sys.executable).with_name("autograder")


@dataclass(frozen=True)
class Ran:
    """What a run of the command came to.

    Attributes:
        code: Its exit code.
        lines: What it said of each submission, by student.
        printed: All that it printed.
        complaints: What it said on stderr.
    """

    code: int
    lines: dict[str, dict[str, Any]] = field(default_factory=dict)
    printed: str = ""
    complaints: str = ""

    def statuses(self) -> set[str]:
        """Return which statuses there are."""
        return {line["status"] for line in self.lines.values()}


@dataclass(frozen=True)
class Trial:
    """A course with one lab.

    Attributes:
        path: Its folder.
        lab: The lab's full name.
    """

    path: Path
    lab: str

    @classmethod
    def of(
        cls, path: Path, course: Course, lab: Lab, submissions: Mapping[str, Submission]
    ) -> Self:
        """Make a course of a lab as it is, into which a class has handed in.

        Args:
            path: Where to make it.
            course: The course that has the lab.
            lab: The lab.
            submissions: What each student hands in.
        """
        path.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(course.root / CONFIG, path / CONFIG)
        for folder in ("solutions", "labs"):
            shutil.copytree(course.root / folder / lab.name, path / folder / lab.name)
        trial = cls(path, lab.name)
        for student, submission in submissions.items():
            submission.write(trial.submitted(student).parent, course, lab)
        return trial

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `autograder grade` in this folder."""
        return subprocess.Popen(
            [str(AUTOGRADER), "grade", self.lab, "--json", *arguments],
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def grade(self, *arguments: str) -> Ran:
        """Run `autograder grade` to its end."""
        process = self.start(*arguments)
        printed, complaints = process.communicate()
        lines = [json.loads(line) for line in printed.splitlines()]
        by_student = {line["student"]: line for line in lines}
        assert len(by_student) == len(lines), "a submission was given out twice"
        return Ran(process.returncode, by_student, printed, complaints)

    def submitted(self, student: str) -> Path:
        """Return where a student's notebook is to be put; its folder is made."""
        file = self.path / "submitted" / student / self.lab / f"{self.lab}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def source(self) -> Path:
        """Return the lab's own notebook, with answers and all tests."""
        return self.path / "solutions" / self.lab / f"{self.lab}.ipynb"

    def autograded_file(self, student: str) -> Path:
        """Return where a student's marked notebook is."""
        return self.path / "autograded" / student / self.lab / f"{self.lab}.ipynb"

    def autograded(self, student: str) -> NotebookNode:
        """Return a student's marked notebook."""
        notebook: NotebookNode = nbformat.read(self.autograded_file(student), as_version=4)
        return notebook

    def records(self, student: str) -> list[CheckResult]:
        """Return the records of the checks in a student's marked notebook."""
        return [
            CheckResult.model_validate(output["data"][RECORD_TYPE])
            for cell in self.autograded(student).cells
            for output in cell.get("outputs", [])
            if RECORD_TYPE in output.get("data", {})
        ]

    def rows(self, *, url: str = "") -> dict[str, dict[str, Any]]:
        """Return what the gradebook says of every submission, without its random ids.

        Args:
            url: Where the gradebook is, if not in this folder.
        """
        with Gradebook(url or f"sqlite:///{self.path / 'gradebook.db'}") as gradebook:
            return {
                row.student.id: {
                    "timestamp": row.timestamp,
                    "score": row.score,
                    "max_score": row.max_score,
                    "late": row.late_submission_penalty,
                    "manual": row.needs_manual_grade,
                    "flagged": row.notebooks[0].flagged,
                    "grades": {
                        grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                        for grade in row.notebooks[0].grades
                    },
                    "comments": {
                        comment.name: comment.auto_comment for comment in row.notebooks[0].comments
                    },
                }
                for row in gradebook.assignment_submissions(self.lab)
            }


def killed_after(
    lines: int, process: subprocess.Popen[str], *, seconds: float = 0.0
) -> list[dict[str, Any]]:
    """Kill a grader with SIGKILL; return what it had said of submissions.

    Args:
        lines: Of so many submissions it may tell before.
        process: The grader.
        seconds: How much longer it lives.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    said = []
    for _ in range(lines):
        line = process.stdout.readline()
        if not line:
            break
        said.append(line)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    process.stderr.close()
    return [json.loads(line) for line in said if line.endswith("\n")]


def run_again(runs: Iterable[Iterable[Mapping[str, Any]]]) -> list[str]:
    """Return the students whose submission was run by more than one of several graders.

    Args:
        runs: What each grader said of submissions.
    """
    times = Counter(line["student"] for run in runs for line in run if line["status"] == "graded")
    return sorted(student for student, count in times.items() if count > 1)
