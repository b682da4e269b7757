"""Before a class is graded: does the lab's own solution get full marks?

A lab whose own answers fail a test cannot be told from a class that has not learnt. The solution
is judged as a submission is, before the first one, and again when anything has changed on which
its verdict depends.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import nbformat

from autograder.checks.records import CheckResult, Outcome
from autograder.grading import cache
from autograder.grading.lab import GradedLab
from autograder.grading.sanitise import Unreadable, rebuild
from autograder.judge.messages import Answer, Task
from autograder.judge.pool import CannotGradeError, Pool
from autograder.judge.steps import Step, steps_of, without_checks

_NAME = "the lab's own solution"
_MOST_NAMED = 5


class Proof:
    """The proof that a lab's own solution gets full marks.

    Args:
        lab: The lab.
        file: Where it is remembered what was proven.
        world: Hash of all that cells and checks run in, as `cache.world` returns it.
        checks: Hash of each check, by its cell's id.
    """

    def __init__(self, lab: GradedLab, file: Path, *, world: str, checks: dict[str, str]) -> None:
        self._lab = lab
        self._file = file
        self._steps = self._steps_of_solution()
        cells = cache.hashes_of_cells(self._steps, world, "")
        self._proven = cache.digest(cells.all, checks)

    def give(self, pool: Pool, *, seed: int) -> None:
        """Have the solution judged by workers that hold no other task, unless that was done.

        Raises:
            CannotGradeError: It loses a test, or cannot be judged.
        """
        with suppress(OSError):
            if self._file.read_text(encoding="utf-8") == self._proven:
                return
        pool.give(Task(name=_NAME, steps=without_checks(self._steps), seed=seed))
        answers: list[Answer] = []
        while not answers:
            answers += pool.answers()
        if reason := _what_is_wrong(answers[0]):
            file = f"solutions/{self._lab.name}/{self._lab.name}.ipynb"
            raise CannotGradeError(
                f"Nothing was graded: the lab's own solution, {file}, {reason} Students would lose "
                f"these points, too. `autograder check {file}` shows what each test sent and got. "
                "Mend the solution or the test, and grade again."
            )
        cache.write_whole(self._file, self._proven.encode())

    def _steps_of_solution(self) -> tuple[Step, ...]:
        """Return what a student would run who hands in the solution."""
        try:
            data = nbformat.writes(self._lab.solution).encode()
            return steps_of(rebuild(data, self._lab.release).notebook, self._lab.checks)
        except Unreadable as error:
            raise CannotGradeError(f"The solution of {self._lab.name}: {error}") from error


def _what_is_wrong(answer: Answer) -> str:
    """Return what keeps a solution from full marks, as the rest of a sentence; empty if nothing."""
    if answer.judged is None or answer.judged.overtime:
        return f"could not be judged to its end. {answer.problem}".rstrip()
    lost = [named for check in answer.judged.checks.values() for named in _lost(check)]
    if not lost:
        return ""
    more = f", and {len(lost) - _MOST_NAMED} more" if len(lost) > _MOST_NAMED else ""
    return f"does not pass its own tests: {', '.join(lost[:_MOST_NAMED])}{more}."


def _lost(check: CheckResult) -> list[str]:
    """Name the tests that a check has lost."""
    lost = [test for test in check.tests if test.outcome is Outcome.FAILED]
    if not lost and not check.all_pass:
        why = check.problem or check.cause
        return [f"{check.task} ({why})" if why else check.task]
    return [f"{test.id} ({test.meaning})" if test.meaning else test.id for test in lost]
