"""What travels between the coordinator and a worker, as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from autograder.checks.cell import CheckCell
from autograder.checks.deadlines import WHILE_GRADING
from autograder.checks.hunger import ENOUGH
from autograder.checks.records import CheckResult
from autograder.judge.grants import Grants
from autograder.judge.judged import SUBMISSION_SECONDS, Judged
from autograder.judge.steps import Step
from autograder.sandbox.layers import Layer


@dataclass(frozen=True, kw_only=True)
class SetUp:
    """What a worker is told once.

    Attributes:
        checks: The lab's check cells, by the cell's id.
        grants: What the lab grants to a submission.
        data: Folder with the lab's data files, if it has any; submissions may read it.
        secrets: What no submission may read.
        hidden: Of what no submission may even see names: the course's folder.
        unsafe: Run without a sandbox.
        layers: Which layers of the sandbox hold here, and what keeps the others from it; probed
            by the worker itself if None.
        seconds: How long a submission may take.
        wait: How many seconds a test waits for one answer or gate.
        enough: Share of a wait in vain from which on it may be the machine's fault; see `judge`.
        quiet: Folder of the locks by which a worker is alone for a while; empty for none.
    """

    checks: dict[str, CheckCell]
    grants: Grants = field(default_factory=Grants)
    data: str = ""
    secrets: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    unsafe: bool = False
    layers: dict[Layer, str | None] | None = None
    seconds: float = SUBMISSION_SECONDS
    wait: float = WHILE_GRADING.wait
    enough: float = ENOUGH
    quiet: str = ""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One submission to judge.

    Attributes:
        name: What the answer is to be called by.
        steps: The submission; a check is named by its cell and carries no source.
        seed: What the tests' values are drawn from.
        known: Verdicts that are taken as they are, by the check cell's id.
        files: Files of the submission's own that its cells may read, by name.
    """

    name: str
    steps: tuple[Step, ...]
    seed: int
    known: dict[str, CheckResult] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a task, or of the set-up.

    Attributes:
        name: The task's; empty for the set-up.
        judged: What came of it.
        problem: Why nothing came of it.
        fatal: Whether the problem is the lab's or the machine's, so that no task can be done.
        again: Whether another worker might have more luck.
        seconds: How long it took, in all attempts.
        doubt: Why the verdict may not be the submission's own fault; empty if it is sure. It is
            thrown away, and the submission judged anew by another worker.
        spent: Whether the worker must not judge another submission.
    """

    name: str = ""
    judged: Judged | None = None
    problem: str = ""
    fatal: bool = False
    again: bool = False
    seconds: float = 0.0
    doubt: str = ""
    spent: bool = False


SET_UP: TypeAdapter[Any] = TypeAdapter(SetUp)
TASK: TypeAdapter[Any] = TypeAdapter(Task)
ANSWER: TypeAdapter[Any] = TypeAdapter(Answer)
JUDGED: TypeAdapter[Any] = TypeAdapter(Judged)
