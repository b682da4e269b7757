"""Takes a submission through its notebook: cells in the child, checks here."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

from autograder.checks.cell import CheckCell
from autograder.checks.deadlines import WHILE_GRADING, Deadlines
from autograder.checks.records import CheckResult, Outcome
from autograder.checks.runner import Job
from autograder.child import CellRun, ChildLostError, ForkServer, Submission
from autograder.judge.steps import Step
from autograder.judge.subject import SandboxSubject
from autograder.sandbox import Policy

CELL_SECONDS = 10.0
"""How long one cell of a submission may run."""


@dataclass(frozen=True)
class Judged:
    """What came of one submission.

    Attributes:
        checks: The verdict of each check, by its cell's id, in the order of the notebook.
        cells: How each of the submission's own cells went, by the cell's id.
        losses: A line for each time that the process was lost.
        sandbox: Name of the sandbox's level.
        seed: What the tests' values were drawn from; given again, it replays the verdicts.
    """

    checks: dict[str, CheckResult]
    cells: dict[str, CellRun]
    losses: tuple[str, ...]
    sandbox: str
    seed: int

    @property
    def score(self) -> float:
        """Points over all checks."""
        return sum(check.points for check in self.checks.values())


@dataclass
class _Course:
    """One submission under way."""

    server: ForkServer
    policy: Policy
    child: Submission
    ran: list[Step] = field(default_factory=list)
    cells: dict[str, CellRun] = field(default_factory=dict)
    checks: dict[str, CheckResult] = field(default_factory=dict)
    probes: dict[str, bool] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)

    def run(self, step: Step, deadline: float) -> None:
        """Run a cell; one that takes the process down is left out from then on."""
        self.revive()
        run = self.child.run(step.cell, step.source, deadline=deadline)
        self.cells[step.cell] = run
        if run.loss is None:
            self.ran.append(step)

    def revive(self) -> None:
        """Replace a lost process by one in which every harmless cell has run again."""
        if self.child.loss is None:
            return
        self.losses.append(self.child.loss.message)
        self.child.close()
        self.child = self.server.start(self.policy)
        survivors = []
        for step in self.ran:
            if self.child.loss is None:
                again = self.child.run(step.cell, step.source, deadline=CELL_SECONDS)
                if again.loss is None:
                    survivors.append(step)
                    continue
                # A cell that was harmless at first: it and the rest are left out.
                self.cells[step.cell] = replace(self.cells[step.cell], loss=again.loss)
                self.losses.append(again.loss.message)
                self.child.close()
                self.child = self.server.start(self.policy)
        self.ran = survivors


def judge(
    steps: Sequence[Step],
    *,
    server: ForkServer,
    policy: Policy,
    seed: int,
    deadlines: Deadlines = WHILE_GRADING,
) -> Generator[Job, None, Judged]:
    """Take a submission through its steps, yielding each check for the runner to do.

    Args:
        steps: The submission, in the order of its notebook.
        server: Makes the processes.
        policy: What the lab grants them.
        seed: What the tests' values are drawn from.
        deadlines: How long checks wait.

    Raises:
        SandboxTooWeakError: The sandbox does not hold.
        ServerLostError: No process could be made.
    """
    under_way = _Course(server, policy, server.start(policy))
    level = under_way.child.applied.level.name.lower()
    try:
        for step in steps:
            if step.check is None:
                under_way.run(step, CELL_SECONDS)
            else:
                yield from _check(step, step.check, under_way, seed, deadlines)
        if under_way.child.loss is not None:
            under_way.losses.append(under_way.child.loss.message)
    finally:
        under_way.child.close()
    return Judged(under_way.checks, under_way.cells, tuple(under_way.losses), level, seed)


def _check(
    step: Step, cell: CheckCell, under_way: _Course, seed: int, deadlines: Deadlines
) -> Generator[Job, None, None]:
    under_way.revive()
    child = under_way.child
    child.printed()
    job = Job(
        cell,
        SandboxSubject(child, cell.entry),
        deadlines=deadlines,
        blocked=_blocked(cell, under_way.probes),
        seed=seed,
        take_printed=lambda: "".join(_printed(child)),
    )
    yield job
    assert job.result is not None, "the runner does every job that it is given"
    under_way.checks[step.cell] = job.result
    first = job.result.tests[0].outcome if job.result.tests else Outcome.FAILED
    under_way.probes[cell.task] = first is Outcome.PASSED


def _blocked(cell: CheckCell, probes: dict[str, bool]) -> str:
    if cell.needs and probes.get(cell.needs) is False:
        return f"Finish task {cell.needs} first: this task builds on it."
    return ""


def _printed(child: Submission) -> tuple[str, str]:
    try:
        printed = child.printed()
    except (ChildLostError, OSError):
        return "", ""
    return printed.stdout, printed.stderr
