"""The workers that judge for nbgrader, kept from one submission to the next.

nbgrader makes its preprocessors anew for every notebook, and formgrader its converter for every
press of a button. So the workers live here, those for the lab that was graded last; where they
are hired from stays when another lab comes. All end with the process, and when nothing was asked
of them for a while.
"""

from __future__ import annotations

import atexit
import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.grading.judging import folder_of_data
from autograder.judge.messages import Answer, SetUp, Task
from autograder.judge.pool import Pool
from autograder.judge.staff import Staff

IDLE_SECONDS = 600.0
"""How long workers wait for the next submission before their memory is given back."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What workers are set up with.

    Attributes:
        set_up: What they are told; where the data files lie is filled in here.
        data: The lab's data files, by their path in the lab's folder.
        digest: Hash of the data files.
        jobs: How many workers are wanted.
    """

    set_up: SetUp
    data: Mapping[str, Path]
    digest: str
    jobs: int = 1


class _Open:
    """Running workers, with the folder of the lab's data files."""

    def __init__(self, bench: Bench, staff: Staff) -> None:
        self.bench = bench
        self._folder = folder_of_data(bench.data)
        data = str(self._folder.path) if self._folder else ""
        set_up = replace(bench.set_up, data=data)
        self.pool = Pool(set_up, jobs=bench.jobs, staff=staff).__enter__()
        self._answers: dict[str, Answer] = {}

    def serves(self, bench: Bench) -> bool:
        """Tell whether these workers do for another run."""
        same = (self.bench.set_up, self.bench.digest) == (bench.set_up, bench.digest)
        return same and self.bench.jobs >= bench.jobs

    def answer(self, name: str) -> Answer:
        """Wait until a task is done."""
        while name not in self._answers:
            self._listen()
        return self._answers.pop(name)

    def give(self, task: Task) -> None:
        """Hand out a task."""
        while not self.pool.has_room:
            # A worker that waits to be listened to would not listen.
            self._listen()
        self.pool.give(task)

    def _listen(self) -> None:
        for answer in self.pool.answers():
            self._answers[answer.name] = answer

    def close(self) -> None:
        """End the workers."""
        self.pool.close()
        if self._folder:
            self._folder.remove()


@dataclass(frozen=True)
class Ticket:
    """A task that was handed out."""

    bench: Bench
    task: Task
    held_by: _Open


_lock = threading.RLock()
_staff: Staff | None = None
_open: _Open | None = None
_clock: threading.Timer | None = None
_numbers = itertools.count(1)


def prepare(bench: Bench) -> None:
    """Start workers, and wait until one of them can judge.

    Raises:
        CannotGradeError: None can, because of the lab or the machine.
    """
    answer = judged(begin(bench, Task(name="", steps=(), seed=0)))
    assert not answer.problem, answer.problem


def has_room(bench: Bench) -> bool:
    """Tell whether a worker could take another task now."""
    with _lock:
        return _open is not None and _open.serves(bench) and _open.pool.has_room


def begin(bench: Bench, task: Task) -> Ticket:
    """Hand out a task, whatever it is called."""
    # Not by the student's name: a run that was broken off may have left one of that name.
    task = replace(task, name=str(next(_numbers)))
    with _lock:
        return _given(bench, task)


def judged(ticket: Ticket) -> Answer:
    """Wait for what came of a task; another thread that asks meanwhile waits.

    Raises:
        CannotGradeError: Nothing can be judged, because of the lab or the machine.
    """
    with _lock:
        if ticket.held_by is not _open:  # the workers have been ended meanwhile
            ticket = _given(ticket.bench, ticket.task)
        try:
            answer = ticket.held_by.answer(ticket.task.name)
        except BaseException:
            # Broken off in the middle of a message, or of no use.
            close()
            raise
        _wind_clock()
        return answer


def pids() -> list[int]:
    """Return the process ids of what is running."""
    with _lock:
        return _open.pool.pids if _open else []


def close() -> None:
    """End the workers, and what they are hired from, if there are any."""
    global _staff, _clock  # noqa: PLW0603 - the workers of this process
    with _lock:
        if _clock is not None:
            _clock.cancel()
            _clock = None
        _end_workers()
        if _staff is not None:
            _staff.close()
            _staff = None


def _given(bench: Bench, task: Task) -> Ticket:
    global _staff, _open  # noqa: PLW0603 - as above
    if _open is not None and not _open.serves(bench):
        _end_workers()
    if _open is None:
        if _staff is not None and not _staff.is_whole:
            close()
        _staff = _staff or Staff(bench.jobs)
        _open = _Open(bench, _staff)
    _open.give(task)
    return Ticket(bench, task, _open)


def _end_workers() -> None:
    global _open  # noqa: PLW0603 - as above
    if _open is not None:
        _open.close()
        _open = None


def _wind_clock() -> None:
    global _clock  # noqa: PLW0603 - as above
    if _clock is not None:
        _clock.cancel()
    _clock = threading.Timer(IDLE_SECONDS, close)
    _clock.daemon = True
    _clock.start()


atexit.register(close)
