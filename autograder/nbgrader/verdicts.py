"""Judges a rebuilt submission, or takes over what either door has found out about it before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from autograder.grading import beside
from autograder.grading.cache import Cells, Record
from autograder.grading.handed_in import HandedIn
from autograder.grading.judging import Judging
from autograder.grading.lab import GradedLab
from autograder.judge.judged import OVERTIME, Judged
from autograder.judge.steps import steps_of
from autograder.nbgrader import workers
from autograder.nbgrader.workers import Bench, Ticket


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of a submission.

    Attributes:
        judged: The verdicts; None if there are none, which gives no points.
        reason: Why a person should look at it; empty if nobody needs to.
    """

    judged: Judged | None
    reason: str = ""


@dataclass(frozen=True)
class Begun:
    """A submission that is being judged.

    Attributes:
        student: Whose it is.
        stands: The verdict if it stands already, else where to wait for it.
        cells: Hashes of its cells.
    """

    student: str
    stands: Verdict | Ticket
    cells: Cells = field(default_factory=Cells)


class Verdicts:
    """The verdicts on one lab's submissions.

    Args:
        lab: The lab.
        judging: What its submissions are judged by.
    """

    def __init__(self, lab: GradedLab, judging: Judging) -> None:
        self._lab = lab
        self._judging = judging
        self._bench = Bench(set_up=self._judging.set_up, data=lab.data, digest=lab.data_digest())

    def prepare(self, *, jobs: int) -> None:
        """Start what judges, so that it is known whether it can.

        Raises:
            CannotGradeError: It cannot.
        """
        self._bench = replace(self._bench, jobs=jobs)
        workers.prepare(self._bench)

    @property
    def has_room(self) -> bool:
        """Whether another submission would be judged at once."""
        return workers.has_room(self._bench)

    def begin(self, student: str, handed_in: HandedIn) -> Begun:
        """Begin to judge a submission, as far as it is not known yet.

        Raises:
            CannotGradeError: Nothing can be judged, because of the lab or the machine.
        """
        if handed_in.reason:
            return Begun(student, Verdict(judged=None, reason=handed_in.reason))
        question = self._judging.question(
            student,
            steps_of(handed_in.notebook, self._lab.checks),
            beside.handed_on(handed_in.folder),
        )
        found = question.known
        if question.is_answered:
            return Begun(student, Verdict(judged=found, reason=found.reason if found else ""))
        ticket = workers.begin(self._bench, self._judging.task(question))
        return Begun(student, ticket, question.cells)

    def on(self, begun: Begun) -> Verdict:
        """Wait for a verdict.

        Raises:
            CannotGradeError: Nothing can be judged, because of the lab or the machine.
        """
        if isinstance(begun.stands, Verdict):
            return begun.stands
        answer = workers.judged(begun.stands)
        if answer.problem or answer.judged is None or answer.judged.overtime:
            return Verdict(judged=answer.judged, reason=answer.problem or OVERTIME)
        if answer.judged.doubt:
            return Verdict(judged=answer.judged, reason=answer.judged.reason)
        self._judging.records.write(
            begun.student,
            Record(cells=begun.cells, checks=self._judging.hashes, judged=answer.judged),
        )
        return Verdict(judged=answer.judged, reason=answer.judged.reason)
