"""Runs check cells under pytest and writes down what happened.

pytest is started once for a set of cells: `run` collects their tests and then works through
jobs, each a cell and a submission. A notebook brings one job; a grader brings a class, and
so pays for pytest's start and the collection only once.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import os
import random
import secrets
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import pytest

# Not the hook: its reports would pile up in pytest's terminal reporter, a class long.
from _pytest.runner import runtestprotocol

from autograder.checks.cell import CheckCell
from autograder.checks.conversation import Client, Line
from autograder.checks.deadlines import IN_A_NOTEBOOK, Countdown, Deadlines
from autograder.checks.difference import Comparison
from autograder.checks.records import CheckResult, Outcome
from autograder.checks.subject import Endpoint, NotServed, Subject
from autograder.checks.verdict import Observed, Verdict, describe, not_run, of_cell, of_test

_OPTIONS = (
    *("--disable-plugin-autoload", "--noconftest", "--import-mode=importlib"),
    *("-c", os.devnull, "--strict-markers", "-q", "--capture=no"),
    *("-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:warnings", "-p", "no:logging"),
    *("-p", "no:unraisableexception", "-p", "no:threadexception", "-p", "no:doctest"),
)
_MARKS = {
    "probe": "the test that shows that the task has been begun",
    "hint(*texts)": "what to say after the first, the second, ... failed attempt",
    "weight(shares)": "how many shares of the cell's points the test is worth",
    "skill(name)": "what the test shows that the student can do",
}


class BrokenCheck(Exception):
    """A check cell itself is faulty: it cannot be collected. Never the submission's fault."""


@dataclass
class Job:
    """One cell to run against one submission.

    Attributes:
        cell: Which of the collected cells.
        subject: The submission.
        deadlines: How long to wait.
        blocked: Why no test may run (a task that has to be done first); empty if they may.
        seed: What the values that tests draw are drawn from; the same seed gives the same test.
        attempt: How many times the cell has failed before; opens the next hint.
        take_printed: Returns what the submission wrote to its streams since the last call.
        result: The verdict, once the job is done.
    """

    cell: CheckCell
    subject: Subject
    deadlines: Deadlines = IN_A_NOTEBOOK
    blocked: str = ""
    seed: int = field(default_factory=lambda: secrets.randbits(32))
    attempt: int = 0
    take_printed: Callable[[], str] = str
    result: CheckResult | None = None


def run(cells: Sequence[CheckCell], jobs: Iterable[Job]) -> None:
    """Collect the tests of `cells`, then do the jobs and set each job's `result`.

    Raises:
        BrokenCheck: A cell's tests cannot be collected.
    """
    with tempfile.TemporaryDirectory(prefix="checks-") as folder, _pytest_alone():
        files = []
        for cell in cells:
            file = Path(folder) / f"{cell.module_name}.py"
            file.write_text(cell.body, encoding="utf-8")
            files.append(str(file))
        plugin = _Checks(cells, jobs, stdout=sys.stdout)
        try:
            # What pytest itself reports goes nowhere: the records say it better.
            with redirect_stdout(io.StringIO()):
                pytest.main([*_OPTIONS, f"--rootdir={folder}", *files], plugins=[plugin])
        finally:
            for cell in cells:
                sys.modules.pop(cell.module_name, None)
        if plugin.broken:
            raise BrokenCheck("\n".join(plugin.broken))
        if plugin.failure is not None:
            raise plugin.failure


@contextmanager
def _pytest_alone() -> Iterator[None]:
    """Keep the user's own pytest settings away from the checks."""
    kept = {
        name: os.environ.pop(name)
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
        if name in os.environ
    }
    writes_bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes_bytecode
        os.environ.update(kept)


class _Work:
    """One job in progress: its open line, its event loop, what the current test shows."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.observed = Observed()
        self.printed: list[str] = []
        self.countdown = Countdown(job.deadlines.cell)
        self.draw = random.Random(f"{job.seed}/{job.cell.lab}/{job.cell.task}")  # noqa: S311 - replayable values, not secrets
        self._not_served: NotServed | None = None
        self._line: Line | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def line(self) -> Line:
        """The line to the submission, opened by the first test that asks for it."""
        if self._not_served:
            raise self._not_served.with_traceback(None)
        if self._line is None:
            try:
                self._line = Line(self.job.subject.open())
            except NotServed as error:
                self._not_served = error
                raise
        return self._line

    @property
    def problem(self) -> str:
        return str(self._not_served or "")

    def client(self) -> Client:
        client = self.line.client(wait=self.job.deadlines.wait)
        self.observed.clients.append(client)
        return client

    def complete(self, test: Callable[[], Any]) -> None:
        """Run a coroutine test on the job's own event loop."""
        if self._loop is None:
            # Not asyncio.run, which nest_asyncio replaces in a student's kernel.
            self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(test())

    def note_side_effects(self, *, hidden: bool) -> None:
        """Collect what the submission raised and printed during a test."""
        self.observed.raised = self.job.subject.take_errors()
        printed = self.job.take_printed()
        if not hidden:
            self.printed.append(printed)

    def close(self) -> None:
        if self._loop is not None:
            if self._line is not None:
                self._loop.run_until_complete(self._line.aclose())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
        self.job.subject.close()


class _Checks:
    """The pytest plug-in: fixtures, and a test loop that works through jobs."""

    def __init__(self, cells: Sequence[CheckCell], jobs: Iterable[Job], *, stdout: TextIO) -> None:
        self._stdout = stdout
        self.broken: list[str] = []
        self.failure: BaseException | None = None
        self._cells = {cell.module_name: cell for cell in cells}
        self._jobs = jobs
        self._work: _Work | None = None

    @property
    def work(self) -> _Work:
        assert self._work is not None, "a fixture was asked for outside a job"
        return self._work

    # Fixtures

    @pytest.fixture
    def client(self) -> Client:
        """An `httpx2.AsyncClient` that speaks to the submission's app."""
        return self.work.client()

    @pytest.fixture
    def server(self) -> Endpoint:
        """Where the submission's app listens."""
        return self.work.line.endpoint

    @pytest.fixture
    def draw(self) -> random.Random:
        """Random values that nobody can write down beforehand, replayed by the job's seed."""
        return self.work.draw

    @pytest.fixture
    def fresh(self, draw: random.Random) -> Callable[[str], str]:
        """Gives a name that no other test has used: `fresh("Scout")` is `Scout 3f2a91c4`."""
        return lambda prefix: f"{prefix} {draw.getrandbits(32):08x}"

    # Hooks, in the order in which pytest calls them

    def pytest_configure(self, config: pytest.Config) -> None:
        for name, meaning in _MARKS.items():
            config.addinivalue_line("markers", f"{name}: {meaning}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(str(report.longrepr))

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do every job; replaces pytest's own loop over all tests."""
        if self.broken:
            return True
        items: dict[str, list[pytest.Function]] = {name: [] for name in self._cells}
        for item in session.items:
            assert isinstance(item, pytest.Function)
            items[item.path.stem].append(item)
        try:
            with redirect_stdout(self._stdout):
                for job in self._jobs:
                    job.result = self._do(job, items[job.cell.module_name])
        except BaseException as error:  # noqa: BLE001 - pytest would swallow it; `run` raises it
            self.failure = error
        return True

    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Run tests that are coroutines."""
        if not inspect.iscoroutinefunction(pyfuncitem.obj):
            return None
        wanted = inspect.signature(pyfuncitem.obj).parameters
        arguments = {name: pyfuncitem.funcargs[name] for name in wanted}
        self.work.complete(lambda: pyfuncitem.obj(**arguments))
        return True

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Note which comparison did not hold."""
        self.work.observed.comparison = Comparison(op, left, right)

    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """Note the first failure of a test, in whatever phase."""
        observed = self.work.observed
        observed.seconds += call.duration
        if call.excinfo is not None and observed.failure is None:
            observed.failure = call.excinfo

    # The work

    def _do(self, job: Job, items: Sequence[pytest.Function]) -> CheckResult:
        self._work = work = _Work(job)
        try:
            verdicts = list(self._verdicts(work, items))
            return of_cell(
                job.cell,
                verdicts,
                attempt=job.attempt,
                problem=work.problem,
                printed="".join(work.printed),
                seed=job.seed,
            )
        finally:
            work.close()
            self._work = None

    def _verdicts(self, work: _Work, items: Sequence[pytest.Function]) -> Iterator[Verdict]:
        """Yield a verdict on each test, the probe first, in the order of the cell otherwise."""
        job, blocked = work.job, work.job.blocked
        for item in sorted(items, key=lambda item: item.get_closest_marker("probe") is None):
            test = describe(item, job.cell)
            if blocked or work.countdown.over:
                yield not_run(
                    test, blocked or "The time for this cell was used up before this test."
                )
                continue
            work.observed = Observed()
            runtestprotocol(item, log=False)
            work.note_side_effects(hidden=test.hidden)
            verdict = of_test(test, work.observed, job.cell)
            if test.probe and verdict.outcome is not Outcome.PASSED:
                blocked = f"First make this work: {test.meaning}"
            yield verdict


def run_in_thread(cells: Sequence[CheckCell], jobs: Iterable[Job]) -> None:
    """Do `run` in a thread of its own and wait for it.

    Where an event loop runs already, as in a notebook, tests that are coroutines need a
    thread without one.
    """
    failure: list[BaseException] = []

    def work() -> None:
        try:
            run(cells, jobs)
        except BaseException as error:  # noqa: BLE001 - handed to the caller below
            failure.append(error)

    thread = threading.Thread(target=work, name="checks", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.05)  # short, so that an interrupt of the kernel is heard
    if failure:
        raise failure[0]
