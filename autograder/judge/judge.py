"""Takes a submission through its notebook: cells in the child, checks here."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder.checks.cell import CheckCell
from autograder.checks.deadlines import WHILE_GRADING, Deadlines
from autograder.checks.job import Job, no_upstream
from autograder.checks.records import CheckResult, Outcome, task_title
from autograder.child import CellRun, ChildLostError, ForkServer, Submission
from autograder.judge.judged import SUBMISSION_SECONDS, Judged
from autograder.judge.steps import Step
from autograder.judge.subject import SandboxSubject
from autograder.sandbox import Policy
from classroom.upstream import Upstream

__all__ = ["CELL_SECONDS", "Judged", "begun", "blocked", "judge"]

CELL_SECONDS = 10.0
"""How long one cell of a submission may run."""
_OVERTIME = "The time for this notebook was used up before this cell."


@dataclass
class _Course:
    """One submission under way."""

    server: ForkServer
    make_policy: Callable[[], Policy]
    until: float
    upstream: Callable[[], Upstream]
    ran: list[Step] = field(default_factory=list)
    cells: dict[str, CellRun] = field(default_factory=dict)
    checks: dict[str, CheckResult] = field(default_factory=dict)
    probes: dict[str, bool] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    overtime: bool = False

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Make a process."""
        self.policy = self.make_policy()
        self.child: Submission = self.server.start(self.policy)

    @property
    def left(self) -> float:
        """Seconds that are left for the submission."""
        return self.until - time.monotonic()

    def is_over(self) -> bool:
        """Note whether the time is used up."""
        self.overtime = self.overtime or self.left <= 0
        return self.overtime

    def run(self, step: Step) -> None:
        """Run a cell; one that takes the process down is left out from then on."""
        self.revive()
        if self.is_over():
            self.cells[step.cell] = CellRun(step.cell, result=_OVERTIME)
            return
        run = self.child.run(step.cell, step.source, deadline=min(CELL_SECONDS, self.left))
        self.cells[step.cell] = run
        if run.loss is None:
            self.ran.append(step)

    def revive(self) -> None:
        """Replace a lost process by one in which every harmless cell has run again."""
        if self.child.loss is None or self.is_over():
            return
        self._replace(self.child.loss.message)
        survivors: list[Step] = []
        for step in self.ran:
            if self.child.loss is None and not self.is_over():
                deadline = min(CELL_SECONDS, self.left)
                again = self.child.run(step.cell, step.source, deadline=deadline)
                if again.loss is None:
                    survivors.append(step)
                    continue
                # A cell that was harmless at first: it and the rest are left out.
                self.cells[step.cell] = replace(self.cells[step.cell], loss=again.loss)
                self._replace(again.loss.message)
        self.ran = survivors

    def _replace(self, why: str) -> None:
        self.losses.append(why)
        self.child.close()
        self.start()


def judge(
    steps: Sequence[Step],
    *,
    server: ForkServer,
    policy: Policy | Callable[[], Policy],
    seed: int,
    known: Mapping[str, CheckResult] | None = None,
    upstream: Callable[[], Upstream] = no_upstream,
    deadlines: Deadlines = WHILE_GRADING,
    seconds: float = SUBMISSION_SECONDS,
) -> Generator[Job, None, Judged]:
    """Take a submission through its steps, yielding each check for the runner to do.

    Args:
        steps: The submission, in the order of its notebook.
        server: Makes the processes.
        policy: What the lab grants them, or what makes it for each process.
        seed: What the tests' values are drawn from.
        known: Verdicts from an earlier run, by the check cell's id, which are taken as they are.
        upstream: Returns the outside world of its processes.
        deadlines: How long checks wait.
        seconds: How long the whole submission may take.

    Raises:
        SandboxTooWeakError: The sandbox does not hold.
        ServerLostError: No process could be made.
    """
    made = policy if callable(policy) else lambda: policy
    until = time.monotonic() + seconds
    under_way = _Course(server, made, until, upstream)
    level = under_way.child.applied.level.name.lower()
    try:
        for step in steps:
            if step.check is None:
                under_way.run(step)
            elif known and _holds(step.check, known.get(step.cell), under_way.probes):
                _note(step, step.check, known[step.cell], under_way)
            else:
                yield from _check(step, step.check, under_way, seed, deadlines)
        if under_way.child.loss is not None:
            under_way.losses.append(under_way.child.loss.message)
    finally:
        under_way.child.close()
    return Judged(
        under_way.checks,
        under_way.cells,
        tuple(under_way.losses),
        level,
        seed,
        under_way.overtime,
    )


def _holds(cell: CheckCell, result: CheckResult | None, probes: Mapping[str, bool]) -> bool:
    """Tell whether an earlier verdict can be taken: it was blocked just if it would be now."""
    if result is None:
        return False
    reason = blocked(cell, probes)
    was_blocked = bool(cell.needs) and all(test.outcome is Outcome.BLOCKED for test in result.tests)
    return was_blocked == bool(reason)


def _check(
    step: Step, cell: CheckCell, under_way: _Course, seed: int, deadlines: Deadlines
) -> Generator[Job, None, None]:
    under_way.revive()
    over = under_way.is_over()
    child = under_way.child
    child.printed()
    job = Job(
        cell,
        SandboxSubject(child, cell.entry, under_way.policy.scratch),
        upstream=under_way.upstream,
        deadlines=Deadlines(
            wait=deadlines.wait, cell=max(0.0, min(deadlines.cell, under_way.left))
        ),
        blocked=_OVERTIME if over else blocked(cell, under_way.probes),
        seed=seed,
        take_printed=lambda: "".join(_printed(child)),
    )
    yield job
    assert job.result is not None, "the runner does every job that it is given"
    _note(step, cell, job.result, under_way)


def _note(step: Step, cell: CheckCell, result: CheckResult, under_way: _Course) -> None:
    under_way.checks[step.cell] = result
    under_way.probes[cell.task] = begun(result)


def begun(result: CheckResult) -> bool:
    """Tell whether a check's probe, which comes first, has passed."""
    return bool(result.tests) and result.tests[0].outcome is Outcome.PASSED


def blocked(cell: CheckCell, probes: Mapping[str, bool]) -> str:
    """Say which task has to be done first, if its probe is known to have failed."""
    if cell.needs and probes.get(cell.needs) is False:
        return f"First finish {task_title(cell.needs)}: this one builds on it."
    return ""


def _printed(child: Submission) -> tuple[str, str]:
    try:
        printed = child.printed()
    except (ChildLostError, OSError):
        return "", ""
    return printed.stdout, printed.stderr
