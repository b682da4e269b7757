"""The labs of the course, the submissions of their corpora, and a class that has been graded."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.checks.records import CheckResult, Outcome, TestRecord
from autograder.corpus import Submission, read_corpus
from autograder.course import Course, Lab
from autograder.grading import command
from autograder.grading.grade import Options
from autograder.judge.staff import Staff
from autograder.trial import Ran, Trial

from .judged import SOLUTION, Ledger, to_judge

COURSE = Course.find(Path(__file__))
LABS = COURSE.labs
CORPORA = {lab: {one.name: one for one in read_corpus(COURSE, lab)} for lab in LABS}
CLASSES = {lab: to_judge(COURSE, lab, CORPORA[lab]) for lab in LABS}
"""What of each corpus is handed in: all of it, or a sample where nothing has changed."""
READABLE = [(lab, one) for lab in LABS for one in CLASSES[lab].values() if one.kind != "unreadable"]
BLANK = "blank"
WAIT = 5
"""Seconds that a test waits for an answer: wrong submissions are many, and it decides nothing."""


def jobs_for(lab: Lab) -> int:
    """Return how many workers a lab is graded by.

    What stands still before a gate needs no processor, so there are many where there are gates.
    """
    return 6 if "upstream" in lab.source.read_text(encoding="utf-8") else 3


def short(value: object) -> str:
    """Name a lab or a submission in a test's id."""
    return value.short if isinstance(value, Lab) else getattr(value, "name", "")


def function_of(test: str) -> str:
    """Return the name of a test without the parameters or the number of its case."""
    return test.partition("[")[0].partition("#")[0]


def ran_here(trial: Trial, students: Sequence[str], options: Options, staff: Staff) -> Ran:
    """Run what `autograder grade --json` runs, in this process."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = command.run(
            trial.path, [trial.lab], students=list(students), options=options,
            output=command.Output(as_json=True), staff=staff,
        )  # fmt: skip
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return Ran(code, {line["student"]: line for line in lines}, out.getvalue(), err.getvalue())


@dataclass(eq=False)
class GradedClass:
    """A class that has handed in the corpus of a lab, after one run of the grader."""

    lab: Lab
    trial: Trial
    ran: Ran

    @property
    def corpus(self) -> dict[str, Submission]:
        """Return what was handed in, by name."""
        return CLASSES[self.lab]

    @property
    def is_sample(self) -> bool:
        """Tell whether only a sample of the corpus was handed in."""
        return self.corpus.keys() != CORPORA[self.lab].keys()

    @cached_property
    def records(self) -> dict[str, list[CheckResult]]:
        """Return the records of every submission that can be read."""
        readable = [name for name, one in self.corpus.items() if one.kind != "unreadable"]
        return {name: self.trial.records(name) for name in readable}

    def checks(self, student: str) -> list[CheckResult]:
        """Return the records of a submission's checks."""
        return self.records[student]

    @cached_property
    def rows(self) -> dict[str, dict]:
        """Return what the gradebook says of every submission."""
        return self.trial.rows()

    def tests(self, student: str) -> list[TestRecord]:
        """Return the records of a submission's tests."""
        return [test for check in self.checks(student) for test in check.tests]

    def outcomes(self, student: str) -> dict[str, Outcome]:
        """Return the outcome of each of a submission's tests by its id."""
        return {test.id: test.outcome for test in self.tests(student)}

    def lost(self, name: str) -> set[str]:
        """Return the ids of the tests that a submission has lost; none if it cannot be read."""
        if name not in self.records:
            return set()
        return {id_ for id_, found in self.outcomes(name).items() if found is not Outcome.PASSED}

    def is_as_stated(self, name: str) -> bool:
        """Tell whether a submission lost what its corpus file names, and got that mark."""
        stated = self.corpus[name]
        if self.ran.lines[name]["score"] != stated.points:
            return False
        tests = self.outcomes(name) if name in self.records else {}
        return self.lost(name) == set(filter(stated.is_lost, tests))

    def failed(self) -> set[str]:
        """Return the tests that failed, themselves, on some submission that is not blank."""
        return {
            function_of(test.id)
            for name, one in self.corpus.items()
            if one.kind in {"wrong", "partial"} and name != BLANK
            for test in self.tests(name)
            if test.outcome is Outcome.FAILED
        }

    def write_down(self) -> None:
        """Write down that the whole corpus was judged, if all came out as it states."""
        if not self.is_sample and all(map(self.is_as_stated, self.corpus)):
            Ledger(COURSE, self.lab).write(self.failed())

    def tasks(self) -> list[str]:
        """Return the lab's tasks in their order."""
        return [check.task for check in self.checks(SOLUTION)]

    def some(self, tasks: Sequence[str]) -> dict[str, Submission]:
        """Return a small class: the solution, a partial one, a wrong one for each of some tasks.

        The wrong ones are those that took the least time: what waits for a gate in vain tells
        no more of how it is graded.
        """
        quickest = sorted(self.corpus.values(), key=lambda one: self.ran.lines[one.name]["seconds"])
        partial = next(one for one in quickest if one.kind == "partial" and one.name != BLANK)
        picked = {SOLUTION: self.corpus[SOLUTION], partial.name: partial}
        for task in tasks:
            ways = [one for one in quickest if one.kind == "wrong" and one.costs_only(task)]
            whole = [one for one in ways if task not in one.loses]
            for one in (whole or ways)[:1]:
                picked[one.name] = one
        return picked


@dataclass(frozen=True)
class Kept:
    """What runs of these tests have found out about a lab's corpus, from one run to the next.

    Attributes:
        folder: Where it is kept.
        trial: The course in which the corpus is graded.
    """

    folder: Path
    trial: Trial

    def take_over(self, name: str, *, otherwise: str = "") -> None:
        """Put what is known of a submission where the command looks for it.

        Args:
            name: The submission.
            otherwise: The submission that everybody seems to have handed in first, if any.
        """
        kept = self.folder / f"{name}.json"
        source = kept if kept.is_file() else self._record(otherwise)
        if source.is_file():
            self._record(name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, self._record(name))

    def keep(self, name: str, class_: GradedClass) -> None:
        """Keep what came of a submission, if it is what the corpus states."""
        kept = self.folder / f"{name}.json"
        self.folder.mkdir(parents=True, exist_ok=True)
        if class_.is_as_stated(name) and self._record(name).is_file():
            shutil.copyfile(self._record(name), kept)
        else:
            kept.unlink(missing_ok=True)

    def _record(self, name: str) -> Path:
        return self.trial.path / ".autograder" / self.trial.lab / f"{name}.json"
