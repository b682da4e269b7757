"""Runs check cells under pytest and writes down what happened.

pytest is started once for a set of cells: `run` collects their tests and then works through
jobs, each a cell and a submission. A notebook brings one job; a grader brings a class, and
so pays for pytest's start and the collection only once.
"""

from __future__ import annotations

import inspect
import io
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO

import pytest
from _pytest.runner import runtestprotocol

from autograder.checks.cell import CheckCell
from autograder.checks.difference import Comparison
from autograder.checks.fixtures.plugin import Fixtures
from autograder.checks.job import Job
from autograder.checks.records import CheckResult, Outcome
from autograder.checks.verdict import Observed, Verdict, describe, not_run, of_cell, of_test
from autograder.checks.work import Work

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
                pytest.main(
                    [*_OPTIONS, f"--rootdir={folder}", *files],
                    plugins=[plugin, Fixtures(lambda: plugin.work)],
                )
        finally:
            for cell in cells:
                sys.modules.pop(cell.module_name, None)
        if plugin.broken:
            raise BrokenCheck("\n".join(plugin.broken))
        if plugin.failure is not None:
            raise plugin.failure


def _nothing() -> None:
    """Do nothing."""


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


class _Checks:
    """The pytest plug-in whose test loop works through jobs, and which notes what happens."""

    def __init__(self, cells: Sequence[CheckCell], jobs: Iterable[Job], *, stdout: TextIO) -> None:
        self._stdout = stdout
        self.broken: list[str] = []
        self.failure: BaseException | None = None
        self._cells = {cell.module_name: cell for cell in cells}
        self._jobs = jobs
        self._work: Work | None = None

    @property
    def work(self) -> Work:
        assert self._work is not None, "a fixture was asked for outside a job"
        return self._work

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

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool:
        """Run a test without logging it: reports would pile up in pytest, a class long."""
        runtestprotocol(item, log=False)
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

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> pytest.TestReport:
        """Note the first failure of a test, in whatever phase.

        pytest's own report would draw the traceback, which nobody reads and hostile values break.
        """
        assert call.when != "collect"
        observed = self.work.observed
        observed.seconds += call.duration
        if call.excinfo is not None and observed.failure is None:
            observed.failure = call.excinfo
        return pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="passed" if call.excinfo is None else "failed",
            longrepr=None,
            when=call.when,
            duration=call.duration,
        )

    # The work

    def _do(self, job: Job, items: Sequence[pytest.Function]) -> CheckResult:
        self._work = work = Work(job)
        try:
            verdicts = list(self._verdicts(work, items))
            if work.fault is not None:
                raise work.fault
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

    def _verdicts(self, work: Work, items: Sequence[pytest.Function]) -> Iterator[Verdict]:
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
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            work.note_side_effects(hidden=test.hidden)
            verdict = of_test(test, work.observed, job.cell)
            if test.probe and verdict.outcome is not Outcome.PASSED:
                blocked = f"First make this work: {test.meaning}"
            yield verdict


def run_in_thread(
    cells: Sequence[CheckCell], jobs: Iterable[Job], *, meanwhile: Callable[[], None] = _nothing
) -> None:
    """Do `run` in a thread of its own and wait for it.

    Where an event loop runs already, as in a notebook, tests that are coroutines need a
    thread without one.

    Args:
        cells: The cells to collect.
        jobs: What to do.
        meanwhile: Called in this thread again and again until the jobs are done.
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
        meanwhile()
    if failure:
        raise failure[0]
