"""A trusted worker: collects a lab's checks once, then judges one submission after the other.

Forked from `autograder.judge.zygote_process`. It holds the hidden tests, so no child descends
from it: the fork server that makes the children comes from the nursery, a fresh interpreter.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from autograder.checks.deadlines import while_grading
from autograder.checks.job import Job, no_upstream
from autograder.checks.records import CheckResult
from autograder.checks.runner import BrokenCheck, run
from autograder.child import ForkServer, SandboxTooWeakError, ServerLostError
from autograder.judge.alone import alone, beside_others, confirmed
from autograder.judge.grants import TEMPORARY, WORK
from autograder.judge.health import Health
from autograder.judge.judge import judge
from autograder.judge.judged import Judged
from autograder.judge.messages import ANSWER, SET_UP, TASK, Answer, SetUp, Task
from autograder.judge.outside import is_wanted, outside_of
from autograder.sandbox import Policy

MAX_RECORD = 10 * 2**20
"""Bytes of all that came of one submission."""


def work(connection: Connection, hub: socket.socket) -> None:
    """Judge until the coordinator hangs up.

    Args:
        connection: To the coordinator.
        hub: To the nursery.
    """
    try:
        set_up: SetUp = SET_UP.validate_json(connection.recv_bytes())
    except EOFError:  # there was nothing to judge
        return
    try:
        with _fork_server(set_up, hub) as server:
            _work(connection, set_up, server)
    except (SandboxTooWeakError, PermissionError) as error:
        _send(connection, Answer(problem=str(error), fatal=True, again=True))


def _fork_server(set_up: SetUp, hub: socket.socket) -> ForkServer:
    """Start the fork server: in the nursery, or anew should the nursery be gone."""

    def started(hub: socket.socket | None) -> ForkServer:
        return ForkServer(
            unsafe=set_up.unsafe,
            secrets=[Path(path) for path in set_up.secrets],
            hidden=[Path(path) for path in (*set_up.hidden, *set_up.secrets)],
            policy=set_up.grants.policy(),
            found=set_up.layers,
            hub=hub,
        ).__enter__()

    try:
        return started(hub)
    except ServerLostError:
        return started(None)


def _work(connection: Connection, set_up: SetUp, server: ForkServer) -> None:
    try:
        run(list(set_up.checks.values()), _jobs(connection, set_up, server))
    except BrokenCheck as error:
        last = str(error).strip().splitlines()[-1]
        problem = f"The lab's checks cannot be collected: {last}"
        _send(connection, Answer(problem=problem, fatal=True))


def _jobs(connection: Connection, set_up: SetUp, server: ForkServer) -> Generator[Job, None, None]:
    with contextlib.ExitStack() as undo:
        outside = None
        if is_wanted(set_up.checks.values()):
            outside = undo.enter_context(outside_of(server))
        health = Health(outside)
        _send(connection, Answer())
        for task in _tasks(connection):
            answer = yield from _judged(set_up, server, task, health)
            _send(connection, answer)
            if answer.spent:
                return


def _tasks(connection: Connection) -> Iterator[Task]:
    """Yield what there is to judge, until the coordinator hangs up.

    A thread takes it in as it comes. Else a coordinator that hands over a long submission while
    this worker hands over a long answer would wait for it for ever, and it for the coordinator.
    """
    waiting: SimpleQueue[bytes | None] = SimpleQueue()

    def take_in() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                waiting.put(connection.recv_bytes())
        waiting.put(None)

    threading.Thread(target=take_in, daemon=True).start()
    while (message := waiting.get()) is not None:
        yield TASK.validate_json(message)


def _judged(
    set_up: SetUp, server: ForkServer, task: Task, health: Health
) -> Generator[Job, None, Answer]:
    begun = time.perf_counter()
    outside = health.outside
    steps = [
        replace(step, check=set_up.checks[step.cell]) if step.cell in set_up.checks else step
        for step in task.steps
    ]
    port = outside.port if outside is not None else None

    def once(known: Mapping[str, CheckResult]) -> Generator[Job, None, Judged]:
        with _folders(set_up, task, server.own_folders, port) as policy:
            return (
                yield from judge(
                    steps,
                    server=server,
                    policy=policy,
                    seed=task.seed,
                    known=known,
                    upstream=(lambda: outside) if outside is not None else no_upstream,
                    deadlines=while_grading(set_up.wait),
                    seconds=set_up.seconds,
                    enough=set_up.enough,
                )
            )

    with health.watched() as examined:
        with beside_others(set_up.quiet):
            judged = yield from once(task.known)
        if judged.late and server.alive:
            sure = {cell: found for cell, found in judged.checks.items() if cell not in judged.late}
            if outside is not None:
                outside.reset()
            with alone(set_up.quiet):
                judged = confirmed(judged, (yield from once(sure)))
    if not server.alive:  # what went down with it is no fault of the submission
        raise ServerLostError("The fork server ended while it held a submission.")
    return Answer(
        name=task.name,
        judged=judged,
        seconds=time.perf_counter() - begun,
        doubt=examined.doubt,
        spent=examined.spent,
    )


@contextlib.contextmanager
def _folders(
    set_up: SetUp, task: Task, parent: Path, port: int | None
) -> Iterator[Callable[[], Policy]]:
    """Give what makes the policy for each process of a submission; remove its folders."""
    made: list[Path] = []

    def policy() -> Policy:
        folder = Path(tempfile.mkdtemp(dir=parent))
        made.append(folder)
        (folder / TEMPORARY).mkdir()
        work = folder / WORK
        work.mkdir()
        for name, source in task.files.items():
            _copy(Path(source), work / name)
        if set_up.data:  # last: what the lab gives is as the lab gives it
            data = Path(set_up.data)
            for source_file in data.rglob("*"):
                if source_file.is_file():
                    _copy(source_file, work / source_file.relative_to(data))
        return set_up.grants.policy(folder=folder, upstream_port=port)

    try:
        yield policy
    finally:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a file's bytes, never through a link; what cannot be read is not there."""
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.unlink()
        shutil.copyfile(source, target, follow_symlinks=False)


def _send(connection: Connection, answer: Answer) -> None:
    content = ANSWER.dump_json(answer)
    if len(content) > MAX_RECORD:
        problem = f"What came of it is larger than {MAX_RECORD // 2**20} MB."
        content = ANSWER.dump_json(replace(answer, judged=None, problem=problem))
    try:
        connection.send_bytes(content)
    except OSError:  # the coordinator is gone, and nobody is left to tell
        os._exit(1)
