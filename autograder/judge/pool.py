"""The coordinator's side of the workers: hands out submissions, takes verdicts, replaces the dead.

A worker holds at most two tasks, the one that it judges and the next, so that it never waits for
the coordinator to write. One that dies, hangs or doubts its own verdict is replaced; its task is
tried once more.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from typing import Self

from autograder.judge.judged import Judged
from autograder.judge.messages import ANSWER, SET_UP, TASK, Answer, SetUp, Task
from autograder.judge.staff import Staff
from autograder.judge.zygote import Hired

PATIENCE = 60.0
"""Seconds beyond the submission's own limit after which a worker counts as hung."""
BOOT_SECONDS = 120.0
"""Seconds that a worker has until it is ready."""
AT_ONCE = 2
"""Tasks that a worker holds."""
TRIES = 2
STARTS = 3
"""Times in a row that a worker may fail to start before the run ends."""


_log = logging.getLogger(__name__)


class CannotGradeError(RuntimeError):
    """No submission of the lab can be graded here; the message says why and what to do."""


@dataclass(eq=False)
class _Worker:
    hired: Hired
    ready: bool = False
    tasks: deque[Task] = field(default_factory=deque)
    until: float = 0.0
    """When the oldest task, or the start, counts as hung."""
    since: float = 0.0
    """When the oldest task was begun."""

    def begin(self, limit: float) -> None:
        """Take note that the oldest task is begun."""
        self.since = time.monotonic()
        self.until = self.since + limit


class Pool:
    """Workers for one lab.

    Args:
        set_up: What every worker is told.
        jobs: How many workers.
        staff: Where they are hired from; the pool has its own if None.
    """

    def __init__(self, set_up: SetUp, *, jobs: int, staff: Staff | None = None) -> None:
        self._told = set_up
        self._set_up = b""
        # It may be judged twice, the second time when the others have come to an end.
        self._limit = 3 * set_up.seconds + PATIENCE
        self._jobs = jobs
        self._workers: list[_Worker] = []
        self._tries: dict[str, int] = {}
        self._spent: dict[str, float] = {}
        self._again: deque[Task] = deque()
        self._staff = staff
        self._undo = contextlib.ExitStack()
        self._deaths = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            quiet = undo.enter_context(tempfile.TemporaryDirectory(prefix="autograder-quiet-"))
            self._set_up = SET_UP.dump_json(replace(self._told, quiet=quiet))
            if self._staff is None:
                self._staff = undo.enter_context(Staff(self._jobs))
            undo.callback(self._end_workers)
            for _ in range(self._jobs):
                self._hire()
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every worker, and what it has started."""
        self._undo.close()

    def _end_workers(self) -> None:
        for worker in self._workers:
            worker.hired.end()
        self._workers.clear()

    @property
    def has_room(self) -> bool:
        """Whether a worker could take another task."""
        waiting = sum(len(worker.tasks) for worker in self._workers) + len(self._again)
        return waiting < AT_ONCE * self._jobs

    @property
    def is_busy(self) -> bool:
        """Whether answers are to come."""
        return bool(self._again) or any(worker.tasks for worker in self._workers)

    def give(self, task: Task) -> None:
        """Hand out a task; `has_room` was asked before."""
        worker = min(self._workers, key=lambda worker: len(worker.tasks))
        worker.tasks.append(task)
        if worker.ready:
            self._send(worker, task)

    def answers(self) -> Iterator[Answer]:
        """Wait until something has happened and yield what came of it, which may be nothing.

        Raises:
            CannotGradeError: No task can be done, because of the lab or the machine.
        """
        busy = [worker for worker in self._workers if worker.tasks or not worker.ready]
        soonest = min(worker.until for worker in busy)
        connections = [worker.hired.connection for worker in busy]
        heard = wait(connections, max(0.0, soonest - time.monotonic()))
        for worker in busy:
            if worker.hired.connection in heard:
                yield from self._hear(worker)
            elif worker.until <= time.monotonic():
                yield from self._replace(worker, "did not come to an end")
        while self._again:
            self.give(self._again.popleft())

    @property
    def pids(self) -> list[int]:
        """The workers' process ids."""
        return [worker.hired.pid for worker in self._workers]

    def _send(self, worker: _Worker, task: Task) -> None:
        if worker.tasks[0] is task:
            worker.begin(self._limit)
        with contextlib.suppress(OSError):  # a dead worker is noticed when it is listened to
            worker.hired.connection.send_bytes(TASK.dump_json(task))

    def _hear(self, worker: _Worker) -> Iterator[Answer]:
        try:
            answer: Answer = ANSWER.validate_json(worker.hired.connection.recv_bytes())
        except (EOFError, OSError):
            yield from self._replace(worker, "ended unexpectedly")
            return
        if answer.fatal:
            if answer.again and self._deaths < STARTS:
                yield from self._replace(worker, "could not go on")
                return
            raise CannotGradeError(answer.problem)
        if not worker.ready:
            worker.ready = True
            self._deaths = 0
            for task in worker.tasks:
                self._send(worker, task)
            return
        assert worker.tasks[0].name == answer.name, "workers answer in the order of their tasks"
        if answer.doubt:
            yield from self._replace(worker, answer.doubt, answer.judged)
            return
        done = worker.tasks.popleft()
        _log.debug("%s was judged in %.2f s.", done.name, answer.seconds)
        self._tries.pop(done.name, None)
        yield replace(answer, seconds=answer.seconds + self._spent.pop(done.name, 0.0))
        worker.begin(self._limit)
        if answer.spent:
            self._dismiss(worker)
            self._again.extend(worker.tasks)

    def _replace(
        self, worker: _Worker, what: str, judged: Judged | None = None
    ) -> Iterator[Answer]:
        """Put a new worker in the place of one that is lost; its task gets another try.

        Args:
            worker: The one that is lost.
            what: What it did, as the end of a sentence.
            judged: What it made of its task, in doubt.
        """
        names = ", ".join(task.name for task in worker.tasks) or "nothing"
        _log.warning("Worker %d %s; it held %s.", worker.hired.pid, what, names)
        if not worker.ready:
            self._deaths += 1
            if self._deaths > max(STARTS, self._jobs):
                worker.hired.end()
                self._workers.remove(worker)
                raise CannotGradeError(f"The grader's worker {what} while it started.")
        self._dismiss(worker)
        for number, task in enumerate(worker.tasks):
            if number == 0 and worker.ready:
                self._tries[task.name] = self._tries.get(task.name, 0) + 1
                spent = time.monotonic() - worker.since
                self._spent[task.name] = self._spent.get(task.name, 0.0) + spent
            if self._tries.get(task.name, 0) >= TRIES:
                del self._tries[task.name]
                yield Answer(
                    name=task.name,
                    judged=judged,
                    problem=f"The grader's worker {what} in {TRIES} attempts.",
                    seconds=self._spent.pop(task.name, 0.0),
                )
            else:
                self._again.append(task)

    def _dismiss(self, worker: _Worker) -> None:
        """End a worker and hire another."""
        worker.hired.end()
        self._workers.remove(worker)
        self._hire()

    def _hire(self) -> None:
        assert self._staff is not None, "the pool is open"
        worker = _Worker(self._staff.hire(), until=time.monotonic() + BOOT_SECONDS)
        self._workers.append(worker)
        with contextlib.suppress(OSError):
            worker.hired.connection.send_bytes(self._set_up)
