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
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO

import pytest

from autograder.checks.cell import CheckCell
from autograder.checks.difference import Comparison
from autograder.checks.fixtures.plugin import Fixtures
from autograder.checks.fresh_variables import FreshVariables
from autograder.checks.job import Job, Part
from autograder.checks.records import CheckResult, Outcome
from autograder.checks.verdict import (
    CheckTest,
    Findings,
    Verdict,
    describe,
    not_run,
    of_cell,
    of_test,
)
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
        self._tests: dict[pytest.Function, CheckTest] = {}

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
        variables: dict[str, FreshVariables] = {}
        for item in session.items:
            assert isinstance(item, pytest.Function)
            items[item.path.stem].append(item)
            if item.path.stem not in variables:
                variables[item.path.stem] = FreshVariables(item.module)
        try:
            with redirect_stdout(self._stdout):
                for job in self._jobs:
                    if job.cell.module_name in variables:
                        variables[job.cell.module_name].restore()
                    job.result = self._do(job, items[job.cell.module_name])
        except BaseException as error:  # noqa: BLE001 - pytest would swallow it; `run` raises it
            self.failure = error
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool:
        """Set a test up, run it and tear it down, and note its first failure.

        pytest's own loop would also write reports, which pile up a class long, and draw a
        traceback for each, which nobody reads and hostile values break.
        """
        assert isinstance(item, pytest.Function)
        state = item.session._setupstate  # noqa: SLF001 - pytest has no public way to it
        item._initrequest()  # noqa: SLF001 - as above
        self._try(lambda: state.setup(item))
        if self.work.observed.failure is None:
            self._try(item.runtest)
        self._try(lambda: state.teardown_exact(None))
        item.funcargs = {}
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

    # The work

    def _try(self, act: Callable[[], None]) -> None:
        """Do a part of a test; what it raises is the test's verdict."""
        observed, began = self.work.observed, time.perf_counter()
        try:
            act()
        except (KeyboardInterrupt, pytest.exit.Exception):
            raise
        except BaseException:  # noqa: BLE001 - whatever it is
            observed.failure = observed.failure or pytest.ExceptionInfo.from_current()
        finally:
            observed.seconds += time.perf_counter() - began

    def _described(self, item: pytest.Function, cell: CheckCell) -> CheckTest:
        if item not in self._tests:
            self._tests[item] = describe(item, cell)
        return self._tests[item]

    def _do(self, job: Job, items: Sequence[pytest.Function]) -> CheckResult:
        self._work = work = Work(job)
        try:
            described = [(item, self._described(item, job.cell)) for item in items]
            verdicts = job.before.verdicts + tuple(self._verdicts(work, described))
            if work.fault is not None:
                raise work.fault
            job.findings = Findings(
                verdicts,
                printed=job.before.printed + "".join(work.printed),
                # What a hidden test met is kept from the student, be it a fault of the start.
                problem=job.before.problem if job.part is Part.HIDDEN else work.problem,
                pending=len(verdicts) < len(items),
                stood_still=work.stood_still,
                kept_waiting=work.kept_waiting,
                out_of_time=job.before.out_of_time or work.out_of_time,
            )
            return of_cell(job.cell, job.findings, failed_before=job.failed_before, seed=job.seed)
        finally:
            work.close()
            self._work = None

    def _verdicts(
        self, work: Work, tests: Sequence[tuple[pytest.Function, CheckTest]]
    ) -> Iterator[Verdict]:
        """Yield a verdict on each test, the probe first, in the order of the cell otherwise.

        A part of the tests is left to another job, unless there is no more point in it.
        """
        job, blocked = work.job, work.job.blocked
        for item, test in sorted(tests, key=lambda one: (one[1].hidden, not one[1].probe)):
            if not _is_wanted(test, job.part):
                if blocked and job.part is Part.VISIBLE:
                    yield not_run(test, blocked)
                continue
            if blocked or work.countdown.over:
                work.out_of_time |= not blocked
                yield not_run(
                    test, blocked or "The time for this cell was used up before this test."
                )
                continue
            work.begin_test()
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            work.note_side_effects(hidden=test.hidden)
            verdict = of_test(test, work.observed, job.cell)
            if test.probe and verdict.outcome is not Outcome.PASSED:
                blocked = f"First make this work: {test.meaning}"
            yield verdict


def _is_wanted(test: CheckTest, part: Part) -> bool:
    return part is Part.WHOLE or test.hidden == (part is Part.HIDDEN)


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
