"""Fork servers that tests share, and a check that nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psutil
import pytest

from autograder.child import ForkServer, Submission, Trouble
from autograder.sandbox import Layer, Policy

SOON = 0.5
"""Seconds after which an endless act counts as endless."""
PATIENT = 20.0
"""Seconds for what must succeed, on a loaded machine too."""

SPIN = """
import threading
def spin():
    while True: pass
threading.Thread(target=spin).start()
"""
"""A thread that never ends."""

WITHOUT_NAMESPACES = frozenset({Layer.PROCESSES, Layer.NETWORK, Layer.MOUNTS})


@pytest.fixture(scope="session")
def everything() -> Iterator[ForkServer]:
    """Give a server with every layer that holds here."""
    with ForkServer() as server:
        yield server


@pytest.fixture(scope="session")
def unprivileged() -> Iterator[ForkServer]:
    """Give a server without namespaces and without another user, as in a plain container."""
    with ForkServer(without=WITHOUT_NAMESPACES | {Layer.USER}) as server:
        yield server


@pytest.fixture(params=["everything", "unprivileged"])
def server(request: pytest.FixtureRequest) -> Iterator[ForkServer]:
    """Give a server, and see afterwards that it lives, works and has nothing left running."""
    fork_server: ForkServer = request.getfixturevalue(request.param)
    before = running(fork_server)
    yield fork_server
    assert fork_server.alive
    with fork_server.submission(Policy()) as next_one:
        assert next_one.run("next", "1 + 1", deadline=PATIENT).result == "2"
    assert running(fork_server) == before


@pytest.fixture
def child(server: ForkServer) -> Iterator[Submission]:
    """Give a submission with the least grants."""
    with server.submission(Policy()) as submission:
        yield submission


def ask(submission: Submission, path: str = "/", **options) -> httpx.Response:
    """Serve the app as it is now and ask it for a path."""
    served = submission.serve(deadline=PATIENT, **options)
    assert served.raised is None, served.raised
    return request(served.socket, path)


def request(socket, path: str = "/", seconds: float = PATIENT) -> httpx.Response:
    """Ask for a path over a Unix socket."""
    transport = httpx.HTTPTransport(uds=str(socket), verify=False)
    with httpx.Client(transport=transport, base_url="http://app", timeout=seconds) as client:
        return client.get(path)


def running(server: ForkServer) -> set[int]:
    """Return all processes below a server."""
    return {process.pid for process in psutil.Process(server.pid).children(recursive=True)}


def refused(child: Submission, act: str) -> str:
    """Run an act in a cell and return the name of the error that stopped it."""
    raised = child.run("attack", act, deadline=PATIENT).raised
    assert raised is not None, "nothing stopped it"
    return raised.type


def trouble(child: Submission, act: str, deadline: float = SOON) -> Trouble | None:
    """Run an act in a cell and return how the process was lost, if it was."""
    loss = child.run("attack", act, deadline=deadline).loss
    return loss and loss.trouble
