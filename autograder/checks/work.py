"""A job in progress: its open line, its event loop, what the current test shows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

from autograder.checks.conversation import Client, Line
from autograder.checks.deadlines import Countdown
from autograder.checks.job import Job
from autograder.checks.subject import NoAnswer, NotServed
from autograder.checks.verdict import Observed
from classroom.upstream import Deadline, Upstream, within

MAX_PRINTED = 20_000
"""Characters that are kept of what a submission writes during one check."""
_NEWS = 1.0
"""Seconds that a figure may be old which costs time to look up."""
_MOMENT = 0.1
"""Seconds that may be lost while an app holds an answer back for a moment (0.2 s)."""
_NESTED = 8
"""Turns of the loop in which generators inside generators come to their end."""


class Work:
    """One job in progress.

    Attributes:
        job: The job.
        observed: What the test that runs now has shown so far.
        printed: What the submission wrote while visible tests ran.
        countdown: The time that is left for the cell.
        draw: Where tests draw their values from.
        stood_still: Whether a wait was in vain, so that later ones are given up sooner.
        kept_waiting: Whether such a wait may have been in vain because the machine was busy.
        out_of_time: Whether the time for the cell was over before its end.
        problem: Why the submission cannot be talked to, if so.
        fault: What went wrong on the grader's own side; never the submission's fault.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.observed = Observed()
        self.printed: list[str] = []
        self.countdown = Countdown(job.deadlines.cell)
        # Replayable values, not secrets; another cell or part of the same run draws others.
        source = f"{job.seed}/{job.cell.lab}/{job.cell.task}/{job.part}"
        self.draw = random.Random(source)  # noqa: S311
        self.stood_still = job.before.stood_still
        self.kept_waiting = job.before.kept_waiting
        self.out_of_time = False
        self.problem = ""
        self.fault: Exception | None = None
        self._starved = 0.0
        self._line: Line | None = None
        self._upstream: Upstream | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def line(self) -> Line:
        """The line to the submission, opened by the first test that asks for it.

        Raises:
            NotServed: The app is not there or did not start.
        """
        if self.problem:
            raise NotServed(self.problem)
        if self._line is None:
            try:
                self._line = Line(self.job.subject.open())
            except NotServed as error:
                self.problem = str(error)
                raise
            except Exception as error:
                self.fault = error
                raise
        return self._line

    @property
    def wait(self) -> float:
        """Seconds that an answer or a gate may take."""
        deadlines = self.job.deadlines
        return deadlines.again if self.stood_still else deadlines.wait

    async def reopen(self, environment: Mapping[str, str] | None) -> None:
        """Serve the app anew with these settings; with none, as the next test that asks wants it.

        Raises:
            NotServed: The app did not start.
        """
        if self._line is not None:
            line, self._line = self._line, None
            await line.aclose()
        self.observed.raised += await asyncio.to_thread(self._errors)
        if environment is None:
            await asyncio.to_thread(self.job.subject.close)
        else:
            self._line = Line(await asyncio.to_thread(self.job.subject.open, environment))

    def client(self) -> Client:
        """Return a fresh client whose conversation belongs to the current test."""
        client = self.line.client(wait=self.wait)
        self.observed.clients.append(client)
        return client

    def upstream(self) -> Upstream:
        """Return the outside world; the first test that asks in a cell finds it as new."""
        if self._upstream is None:
            self._upstream = self.job.upstream()
            self._upstream.reset()
        return self._upstream

    def complete(self, test: Callable[[], Any]) -> None:
        """Run a coroutine test on the job's own event loop.

        Raises:
            NoAnswer: It did not come to its end: it reads what never comes, without a deadline.
        """
        deadline = Deadline(seconds=self.wait, notice=self.job.notice)
        with within(deadline):
            self.loop.run_until_complete(_ended(test, max(self.countdown.left, self.wait)))

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of this job's tests."""
        if self._loop is None:
            # Not asyncio.run, which nest_asyncio replaces in a student's kernel.
            self._loop = asyncio.new_event_loop()
        return self._loop

    def note_side_effects(self, *, hidden: bool) -> None:
        """Collect what the submission printed during a test, and raised if the test failed."""
        failure = self.observed.failure
        if failure is not None:
            self._note_wait(in_vain=getattr(failure.value, "stood_still", False))
            self._note_haste()
            self.observed.raised += self._errors()
            self.observed.routes = self.job.subject.routes()
        printed = self.job.take_printed()
        room = MAX_PRINTED - sum(map(len, self.printed))
        if not hidden and room > 0:
            self.printed.append(printed if len(printed) <= room else f"{printed[:room]} …")

    def begin_test(self) -> None:
        """Begin to observe the next test."""
        self.observed = Observed()
        self._starved = self.job.starved(_NEWS)

    def _note_wait(self, *, in_vain: bool) -> None:
        """Note a wait in vain, and whether somebody waited for a processor in that time."""
        if in_vain:
            starved = self.job.starved(0) - self._starved
            self.kept_waiting |= starved > self.wait * self.job.enough
            self.stood_still = True

    def _note_haste(self) -> None:
        """Note whether a test of the student's own may have been too late for the good app.

        That app may hold answers back for a moment, so that what was sent together overlaps.
        """
        if self.observed.refused_good:
            self.kept_waiting |= self.job.starved(0) - self._starved > _MOMENT

    def _errors(self) -> list[str]:
        """Return what the app, as it is served now, raised during the current test."""
        return self.job.subject.take_errors(since=self.observed.began)

    def close(self) -> None:
        """Leave nothing open."""
        if self._upstream is not None:
            self._upstream.open_all()
        if self._line is not None:
            self.loop.run_until_complete(self._line.aclose())
        if self._loop is not None:
            self._loop.run_until_complete(_all_generators_closed())
            self._loop.close()
        self.job.subject.close()


async def _ended(test: Callable[[], Any], seconds: float) -> None:
    """Run a test that may take so long."""
    try:
        async with asyncio.timeout(seconds) as limit:
            await test()
    except TimeoutError:
        if not limit.expired():
            raise
        raise NoAnswer(
            f"This test had not come to its end after {seconds:.1f} seconds: "
            "your app was still answering.",
            stood_still=True,
        ) from None


async def _all_generators_closed() -> None:
    """Close generators that a test left half-way, and those that only they held on to."""
    for _ in range(_NESTED):
        await asyncio.sleep(0)
    await asyncio.get_running_loop().shutdown_asyncgens()
    for _ in range(_NESTED):
        await asyncio.sleep(0)
