"""The processes behind a pool, which can start before anybody knows what they are to judge.

What takes their time at the start is imports: a second for a worker, two for the nursery from
which all workers have their fork servers. `autograder grade` lets them begin before it imports
nbgrader itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Self

from autograder.child.nursery import Nursery
from autograder.sandbox.report import held_here

_PREFIX = "autograder-"
_Hired = tuple[subprocess.Popen[bytes], Connection]


class Staff:
    """Workers that wait to be told what they are to judge, and a nursery.

    Args:
        jobs: How many workers to start at once.
    """

    def __init__(self, jobs: int) -> None:
        self._waiting: deque[_Hired] = deque()
        self._undo = contextlib.ExitStack()
        with contextlib.ExitStack() as undo:
            _sweep()
            self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
            undo.callback(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder.chmod(0o711)
            self._nursery = undo.enter_context(Nursery())
            undo.callback(self._dismiss)
            self._waiting += [self._start() for _ in range(jobs)]
            # What holds here will be asked for by everybody; it is found out meanwhile.
            threading.Thread(target=_probe, daemon=True).start()
            self._undo = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everybody who was not hired, and the nursery."""
        self._undo.close()

    def hire(self) -> _Hired:
        """Return a worker and the connection to it; the caller ends it."""
        return self._waiting.popleft() if self._waiting else self._start()

    def _start(self) -> _Hired:
        own, its = Pipe()
        hub = self._nursery.hub.fileno()
        with its:
            process = subprocess.Popen(
                [sys.executable, "-m", "autograder.judge.worker", str(its.fileno()), str(hub)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if os.environ.get("AUTOGRADER_DEBUG") else subprocess.DEVNULL,
                pass_fds=[its.fileno(), hub],
                env=self._environment(),
                start_new_session=True,
            )
        return process, own

    def _environment(self) -> dict[str, str]:
        """Return a worker's environment."""
        kept = {name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"}
        # Without certificates, as in `autograder.sandbox.surroundings`.
        return kept | {"TMPDIR": str(self._folder), "SSL_CERT_DIR": str(self._folder)}

    def _dismiss(self) -> None:
        for process, connection in self._waiting:
            connection.close()
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a worker; its fork server notices and takes the children with it."""
    process.kill()
    process.wait()


def _probe() -> None:
    with contextlib.suppress(Exception):  # whoever needs the answer asks again
        held_here()


def _sweep() -> None:
    """Remove the folders of coordinators that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        number = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdigit() and not Path(f"/proc/{number}").exists():
            shutil.rmtree(folder, ignore_errors=True)
