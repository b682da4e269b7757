"""An app to check, and a way to run a check cell against it."""

from __future__ import annotations

from textwrap import dedent

import pytest

from autograder.checks.cell import CheckCell
from autograder.checks.deadlines import Deadlines
from autograder.checks.job import Job
from autograder.checks.kernel import KernelSubject
from autograder.checks.runner import run_in_thread

PATIENT = Deadlines(wait=20.0, again=20.0, cell=60.0)
"""For apps that answer: a busy machine may stand still for a while."""


@pytest.fixture
def check():
    """Return a function that runs a check cell against an app and returns its result."""

    def run(app, body, *, points=3.0, **options):
        cell = CheckCell(lab="lab99", task="t1", points=points, body=dedent(body))
        options.setdefault("deadlines", PATIENT)
        job = Job(cell, KernelSubject({} if app is None else {"app": app}, "app"), **options)
        run_in_thread([cell], [job])
        return job.result

    return run
