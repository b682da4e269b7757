"""Judges a rebuilt submission, or takes over what either door has found out about it before."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from functools import cache

from autograder.grading import beside
from autograder.grading import cache as known
from autograder.grading.cache import Cells, Record, Records
from autograder.grading.folder import CourseFolder
from autograder.grading.handed_in import HandedIn
from autograder.grading.lab import GradedLab
from autograder.judge.judged import OVERTIME, Judged
from autograder.judge.messages import SetUp, Task
from autograder.judge.steps import steps_of
from autograder.nbgrader import workers
from autograder.nbgrader.workers import Bench, Ticket
from autograder.sandbox import layers
from autograder.sandbox.layers import Level
from autograder.sandbox.report import held_here


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
        course: The course.
        lab: The lab.
        seed: What the tests' values are drawn from; drawn for each submission if None.
        unsafe: Run without a sandbox.
        wait: How many seconds a test waits for one answer or gate.
    """

    def __init__(
        self,
        course: CourseFolder,
        lab: GradedLab,
        *,
        seed: int | None,
        unsafe: bool,
        wait: float,
    ) -> None:
        self._lab = lab
        self._wanted = seed
        self._unsafe = unsafe
        self._records = Records(course.state / lab.name)
        ids = {
            cell.id: cell.metadata.nbgrader.grade_id
            for cell in lab.release.cells
            if cell.metadata.get("nbgrader", {}).get("grade_id") in lab.checks
        }
        checks = {cell: lab.checks[name] for cell, name in ids.items()}
        self._hashes = {cell: known.hash_of_check(check) for cell, check in checks.items()}
        self._digest = lab.data_digest()
        self._bench = Bench(
            set_up=SetUp(
                checks=checks,
                grants=lab.grants,
                secrets=tuple(map(str, course.secrets)),
                hidden=(str(course.root),),
                unsafe=unsafe,
                wait=wait,
            ),
            data=lab.data,
            digest=self._digest,
        )

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
        steps = steps_of(handed_in.notebook, self._lab.checks)
        files = beside.handed_on(handed_in.folder)
        cells = known.hashes_of_cells(steps, self._world(), known.hash_of_files(files))
        record = self._records.read(student)
        found = record.known(cells, self._hashes, self._wanted)
        if record.tells_all(found, cells):
            return Begun(student, Verdict(judged=found, reason=found.reason if found else ""))
        task = Task(
            name=student,
            steps=tuple(replace(step, check=None) for step in steps),
            seed=record.seed(
                found, cells, secrets.randbits(32) if self._wanted is None else self._wanted
            ),
            known=found.checks if found else {},
            files={name: str(path) for name, path in files.items()},
        )
        return Begun(student, workers.begin(self._bench, task), cells)

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
        self._records.write(
            begun.student, Record(cells=begun.cells, checks=self._hashes, judged=answer.judged)
        )
        return Verdict(judged=answer.judged, reason=answer.judged.reason)

    def _world(self) -> str:
        level = Level.NONE if self._unsafe else _level_here()
        return known.world(data=self._digest, sandbox=level.name.lower())


@cache
def _level_here() -> Level:
    """Return the level of the sandbox, which is a machine's and does not change."""
    found = held_here()
    return layers.level([layer for layer, problem in found.items() if problem is None])
