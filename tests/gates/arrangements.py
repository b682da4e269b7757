"""A lab's checks in other arrangements: each test alone, all tests shuffled and twice over."""

from __future__ import annotations

import ast
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.checks.cell import BEGIN_HIDDEN, END_HIDDEN, CheckCell
from autograder.checks.records import Outcome
from autograder.corpus import Submission
from autograder.course import Lab
from autograder.grading.folder import CourseFolder
from autograder.grading.lab import GradedLab, read_lab
from autograder.judge.messages import SetUp, Task
from autograder.judge.pool import Pool
from autograder.judge.steps import Step, steps_of
from autograder.sandbox.report import held_here

from .labs import COURSE, function_of

JOBS = 3
"""Workers: most of what is judged here is right and waits for nothing but the processor."""
Outcomes = dict[str, list[Outcome]]
"""The outcomes of a test's cases, by the test's name without parameters."""


def parts_of(cell: CheckCell) -> tuple[str, dict[str, str]]:
    """Return what stands around a check's tests, and the text of each test by its name.

    The markers of hidden tests are left out, so that the tests may stand in any order.
    """
    lines = cell.body.splitlines()
    tests, taken = {}, set()
    for node in ast.parse(cell.body).body:
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if function and node.name.startswith("test"):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1
            tests[node.name] = "\n".join(lines[first : node.end_lineno])
            taken |= set(range(first, node.end_lineno))
    around = [
        line
        for number, line in enumerate(lines)
        if number not in taken and line.strip() not in {BEGIN_HIDDEN, END_HIDDEN}
    ]
    return "\n".join(around), tests


def only(cell: CheckCell, names: Sequence[str]) -> CheckCell:
    """Return a check with some of its tests, in this order."""
    around, tests = parts_of(cell)
    return replace(cell, body="\n\n\n".join([around, *(tests[name] for name in names)]) + "\n")


@dataclass
class Plan:
    """Checks in other arrangements, and what is to be judged by them in one go.

    Attributes:
        lab: The lab.
    """

    lab: Lab
    graded: GradedLab = field(init=False)
    checks: dict[str, CheckCell] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.graded = read_lab(CourseFolder(COURSE.root), self.lab.name)

    def each_alone(self, submission: Submission, tests: Sequence[str]) -> None:
        """Judge each of these tests in a process of its own, in which no other test has run."""
        own: list[Step] = []
        for step, check in self._steps(submission):
            if check is None:
                own.append(step)
                continue
            for name in parts_of(check)[1]:
                if (test := f"{check.task}.{name}") not in tests:
                    continue
                self._add(test, [*own, self._arranged(test, check, [name])])

    def twice_over(self, submission: Submission, seed: int) -> None:
        """Judge each check twice at its place, first shuffled, then in the lab's order."""
        steps = []
        for step, check in self._steps(submission):
            if check is None:
                steps.append(step)
                continue
            names = [*parts_of(check)[1]]
            steps.append(self._arranged(f"{step.cell}-again", check, names))
            random.Random(seed).shuffle(names)  # noqa: S311 - an order, not a secret
            # Under another lab's name it draws other values, as a second run in a notebook does.
            other = replace(check, lab=f"{check.lab}-shuffled")
            steps.insert(-1, self._arranged(f"{step.cell}-shuffled", other, names))
        self._add(submission.name, steps)

    def judged(self) -> dict[str, Outcomes]:
        """Judge all that was asked for, and return the outcomes by what it is called."""
        found = {}
        with _data(self.graded) as data:
            set_up = SetUp(
                checks=self.checks,
                grants=self.graded.grants,
                data=data,
                layers=held_here(),
            )
            with Pool(set_up, jobs=JOBS) as pool:
                waiting = list(self.tasks)
                while waiting or pool.is_busy:
                    while waiting and pool.has_room:
                        pool.give(waiting.pop())
                    for answer in pool.answers():
                        if answer.name or answer.problem:
                            assert answer.judged is not None, answer.problem
                            found[answer.name] = _outcomes(answer.judged.checks.values())
        return found

    def _steps(self, submission: Submission) -> Iterator[tuple[Step, CheckCell | None]]:
        """Yield a submission's steps, each with its check if it is one."""
        for step in steps_of(submission.notebook(COURSE, self.lab), self.graded.checks):
            yield replace(step, check=None), step.check

    def _arranged(self, name: str, check: CheckCell, tests: Sequence[str]) -> Step:
        self.checks[name] = only(check, tests)
        return Step(name, "")

    def _add(self, name: str, steps: Sequence[Step]) -> None:
        self.tasks.append(Task(name=name, steps=tuple(steps), seed=len(self.tasks)))


@contextmanager
def _data(lab: GradedLab) -> Iterator[str]:
    """Give a folder with the lab's data files that submissions may read; empty without any."""
    if not lab.data:
        yield ""
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for name, path in lab.data.items():
            target = Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o444)
        yield folder


def _outcomes(checks) -> Outcomes:
    found: Outcomes = {}
    for test in (test for check in checks for test in check.tests):
        found.setdefault(function_of(test.id), []).append(test.outcome)
    return found
