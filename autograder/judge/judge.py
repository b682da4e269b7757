"""Takes a submission through its notebook: cells in the child, checks here."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder.checks.cell import CheckCell
from autograder.checks.deadlines import (
    CELL_PROCESSOR_SECONDS,
    CELL_SECONDS,
    WHILE_GRADING,
    Deadlines,
)
from autograder.checks.hunger import ENOUGH, Hunger
from autograder.checks.job import Job, Part, no_upstream
from autograder.checks.records import CheckResult, Outcome, task_title
from autograder.checks.transcript import cut
from autograder.checks.verdict import Findings
from autograder.child import (
    CellRun,
    ChildLostError,
    ForkServer,
    Printed,
    Raised,
    Submission,
)
from autograder.judge.judged import SUBMISSION_SECONDS, Judged
from autograder.judge.steps import Step
from autograder.judge.subject import SandboxSubject
from autograder.sandbox import Policy
from classroom.upstream import Upstream

__all__ = ["Judged", "begun", "blocked", "judge"]

MAX_SHOWN = 2**19
"""Characters that all cells of a submission may put out together."""
_SET_UP = "setup"
"""The id of a lab's set-up cell, which the builder gives it."""
_CUT = 200
_TOO_LOUD = f"... Left out: this notebook put out more than {MAX_SHOWN:,} characters ..."
_OVERTIME = "The time for this notebook was used up before this cell."


@dataclass
class _Run:
    """One pass through a submission's cells, in processes of its own.

    Attributes:
        server: Makes the processes.
        make_policy: Makes the policy for each.
        until: When the time for the submission is used up.
        ran: The cells that have run and left the process alive.
        cells: How each cell went, by its id.
        losses: A line for each time that the process was lost.
        overtime: Whether the time was used up.
        by_clock: Whether the clock ended a cell.
        room: Characters of output that are still kept.
    """

    server: ForkServer
    make_policy: Callable[[], Policy]
    until: float
    ran: list[Step] = field(default_factory=list)
    cells: dict[str, CellRun] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    overtime: bool = False
    by_clock: bool = False
    room: int = MAX_SHOWN

    def __post_init__(self) -> None:
        self.start()

    def within_bounds(self, run: CellRun) -> CellRun:
        """Return how a cell went, without what it put out where that is more than there is room."""
        raised = run.raised or Raised(type="", message="")
        texts = (run.printed.stdout, run.printed.stderr, run.result, raised.text)
        size = sum(map(len, (*texts, raised.type, raised.message, raised.source)))
        if size <= self.room:
            self.room -= size
            return run
        self.room -= min(self.room, _CUT)
        less = raised.model_copy(
            update={"text": "", "source": "", "message": cut(raised.message, _CUT)}
        )
        return replace(
            run,
            printed=Printed(_TOO_LOUD if self.room else ""),
            result="",
            raised=less if run.raised else None,
        )

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
        run = self._run(step)
        self.cells[step.cell] = self.within_bounds(run)
        if run.loss is None:
            self.ran.append(step)

    def revive(self) -> None:
        """Replace a lost process by one in which every harmless cell has run again.

        A cell that was harmless at first and takes the process down now is left out as well,
        and the rest begins anew.
        """
        while self.child.loss is not None and not self.is_over():
            self.losses.append(self.child.loss.message)
            self.child.close()
            self.start()
            for step in list(self.ran):
                if self.is_over():
                    break
                again = self._run(step)
                if again.loss is not None:
                    self.cells[step.cell] = replace(self.cells[step.cell], loss=again.loss)
                    self.ran.remove(step)
                    break

    def _run(self, step: Step) -> CellRun:
        deadline, waiting = min(CELL_PROCESSOR_SECONDS, self.left), min(CELL_SECONDS, self.left)
        run = self.child.run(step.cell, step.source, deadline=deadline, waiting=waiting)
        self.by_clock |= run.loss is not None and run.loss.by_clock
        return run

    def close(self) -> None:
        """Leave no process behind."""
        if self.child.loss is not None:
            self.losses.append(self.child.loss.message)
        self.child.close()


@dataclass(frozen=True)
class _Rules:
    """What holds for every check of a submission."""

    upstream: Callable[[], Upstream]
    deadlines: Deadlines
    seed: int
    enough: float

    def job(
        self,
        cell: CheckCell,
        run: _Run,
        *,
        part: Part,
        before: Findings | None = None,
        blocked: str = "",
    ) -> Job:
        """Return a check on what the cells of a run have made so far."""
        run.revive()
        over = run.is_over()
        child = run.child
        _printed(child)
        wait = min(self.deadlines.cell, max(0.0, run.left))
        hunger = Hunger(number for number in (os.getpid(), child.process) if number is not None)
        return Job(
            cell,
            SandboxSubject(child, cell.entry),
            upstream=self.upstream,
            deadlines=replace(self.deadlines, cell=wait),
            blocked=_OVERTIME if over else blocked,
            seed=self.seed,
            starved=hunger.lately,
            enough=self.enough,
            take_printed=lambda: "".join(_printed(child)),
            part=part,
            before=before or Findings(),
        )


@dataclass
class _Verdicts:
    """What is known of a submission's checks, by the check cell's id."""

    results: dict[str, CheckResult] = field(default_factory=dict)
    findings: dict[str, Findings] = field(default_factory=dict)
    probes: dict[str, bool] = field(default_factory=dict)
    hungry: set[str] = field(default_factory=set)
    """Checks during which the machine kept the app or the judge waiting for a processor."""

    def note(self, step: Step, job: Job) -> None:
        """Write down what came of a check, or of a part of it."""
        assert job.result is not None, "the runner does every job that it is given"
        if job.kept_waiting:
            self.hungry.add(step.cell)
        self.findings[step.cell] = job.findings
        self.take_over(step, job.result)

    def take_over(self, step: Step, result: CheckResult) -> None:
        """Write down a verdict, new or old."""
        assert step.check is not None, "only checks have verdicts"
        self.results[step.cell] = result
        self.probes[step.check.task] = begun(result)


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
    enough: float = ENOUGH,
) -> Generator[Job, None, Judged]:
    """Take a submission through its steps, yielding each check for the runner to do.

    The cells run twice, in two processes: once with the visible tests, then, when the first
    process is gone, with the hidden ones. Whatever the second prints, raises or ends with is
    thrown away, so that nothing that a hidden test sends comes to where a student can see it.

    Args:
        steps: The submission, in the order of its notebook.
        server: Makes the processes.
        policy: What the lab grants them, or what makes it for each process.
        seed: What the tests' values are drawn from.
        known: Verdicts from an earlier run, by the check cell's id, which are taken as they are.
        upstream: Returns the outside world of its processes.
        deadlines: How long checks wait.
        seconds: How long the whole submission may take.
        enough: Share of a wait in vain that somebody has to have waited for a processor, before
            the wait may be the machine's fault.

    Raises:
        SandboxTooWeakError: The sandbox does not hold.
        ServerLostError: No process could be made.
    """
    made = policy if callable(policy) else lambda: policy
    until = time.monotonic() + seconds
    rules = _Rules(upstream, deadlines, seed, enough)
    verdicts = _Verdicts()
    shown = _Run(server, made, until)
    level = shown.child.applied.level.name.lower()
    with contextlib.closing(shown):
        yield from _visible(steps, shown, rules, verdicts, known or {})
        pending = {cell for cell, found in verdicts.findings.items() if found.pending}
        if shown.overtime:
            yield from _hidden(_only_checks(steps), pending, shown, rules, verdicts)
    overtime, by_clock = shown.overtime, shown.by_clock
    if pending:
        again = [step for step in steps if step.check is not None or step in shown.ran]
        with contextlib.closing(_Run(server, made, until)) as behind:
            yield from _hidden(again, pending, behind, rules, verdicts)
        overtime, by_clock = behind.overtime, by_clock or behind.by_clock
    late, timed = _late(verdicts, overtime=overtime, by_clock=by_clock)
    sure = sorted(verdicts.results[cell].task for cell in timed - late)
    return Judged(
        {cell: _explained(result, shown.cells) for cell, result in verdicts.results.items()},
        shown.cells,
        tuple(shown.losses),
        level,
        seed,
        overtime=overtime,
        late=late,
        by_clock=timed,
        doubt=f"Marks were lost to time ({', '.join(sure)})." if sure and not overtime else "",
    )


def _explained(result: CheckResult, cells: Mapping[str, CellRun]) -> CheckResult:
    """Add how the task's own cell, or else the set-up, has failed, where marks were lost."""
    named = {result.task: f"The cell of {task_title(result.task)}", _SET_UP: "The set-up cell"}
    failed = [name for name in named if name in cells and not cells[name].ok]
    if result.all_pass or not failed:
        return result
    run = cells[failed[0]]
    how = run.loss.message if run.loss else f"It stopped half-way: {run.raised}"
    return result.model_copy(update={"cause": f"{named[failed[0]]} failed. {how}"})


def _late(
    verdicts: _Verdicts, *, overtime: bool, by_clock: bool
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the checks whose lost marks may be the machine's fault, and those the clock ended.

    A check that stood still while the machine had time for it will stand still again.
    """
    lost = {
        cell: verdicts.findings[cell]
        for cell, result in verdicts.results.items()
        if cell in verdicts.findings and not result.all_pass
    }
    anyway = overtime or by_clock
    timed = frozenset(cell for cell, found in lost.items() if anyway or found.out_of_time)
    stood_still = {cell for cell, found in lost.items() if found.stood_still}
    late = (timed | stood_still) & verdicts.hungry
    return (late | timed if by_clock else late), timed


def _visible(
    steps: Sequence[Step],
    run: _Run,
    rules: _Rules,
    verdicts: _Verdicts,
    known: Mapping[str, CheckResult],
) -> Generator[Job, None, None]:
    """Run every cell, and the visible tests of each check at its place."""
    for step in steps:
        if step.check is None:
            run.run(step)
        elif _holds(step.check, known.get(step.cell), verdicts.probes):
            verdicts.take_over(step, known[step.cell])
        else:
            reason = blocked(step.check, verdicts.probes)
            job = rules.job(step.check, run, part=Part.VISIBLE, blocked=reason)
            yield job
            verdicts.note(step, job)


def _hidden(
    steps: Sequence[Step], pending: set[str], run: _Run, rules: _Rules, verdicts: _Verdicts
) -> Generator[Job, None, None]:
    """Run the cells again, and the hidden tests of each check at its place."""
    for step in steps:
        if step.check is None:
            run.run(step)
        elif step.cell in pending:
            before = verdicts.findings[step.cell]
            job = rules.job(step.check, run, part=Part.HIDDEN, before=before)
            yield job
            verdicts.note(step, job)
            pending.remove(step.cell)
        if not pending:
            return


def _holds(cell: CheckCell, result: CheckResult | None, probes: Mapping[str, bool]) -> bool:
    """Tell whether an earlier verdict can be taken: it was blocked just if it would be now."""
    if result is None:
        return False
    reason = blocked(cell, probes)
    was_blocked = bool(cell.needs) and all(test.outcome is Outcome.BLOCKED for test in result.tests)
    return was_blocked == bool(reason)


def _only_checks(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.check is not None]


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
