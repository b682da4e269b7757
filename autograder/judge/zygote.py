"""Starts the process that has imported what a worker needs, and has it fork workers.

The process itself is `autograder.judge.zygote_process`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection, Pipe
from typing import Final

START: Final = b"start"
"""The order to fork a worker; the connection for it comes along. Answered with its process id."""
END: Final = b"end"
"""The order to kill the worker whose process id follows. Answered when it is gone."""
LONGEST: Final = 64
"""Bytes of an order or an answer."""
_PATIENCE: Final = 30


@dataclass(eq=False)
class Hired:
    """A worker.

    Attributes:
        connection: To it.
    """

    connection: Connection
    _zygote: Zygote

    @cached_property
    def pid(self) -> int:
        """Its process id, for which a zygote is waited for; 0 if that died before it could tell."""
        return self._zygote.pid_of(self)

    def end(self) -> None:
        """Kill it, and wait until it is gone; its fork server takes the children with it."""
        self.connection.close()
        self._zygote.end(self)


class Zygote:
    """The running process from which workers are forked.

    It answers in the order in which it was asked, and later than that: while it imports, workers
    can be asked for and be told what they are to do.
    """

    def __init__(self, environment: Mapping[str, str], hub: int) -> None:
        self._orders, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._unborn: deque[Hired] = deque()
        self._pids: dict[Hired, int] = {}
        with its:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",  # nothing from the folder in which it was started
                    "-m",
                    "autograder.judge.zygote_process",
                    str(its.fileno()),
                    str(hub),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if os.environ.get("AUTOGRADER_DEBUG") else subprocess.DEVNULL,
                pass_fds=[its.fileno(), hub],
                env=environment,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def start(self) -> Hired:
        """Return a worker that is about to start.

        Raises:
            OSError: The zygote has died.
        """
        own, its = Pipe()
        with its:
            socket.send_fds(self._orders, [START], [its.fileno()])
        worker = Hired(own, self)
        self._unborn.append(worker)
        return worker

    def pid_of(self, worker: Hired) -> int:
        """Wait until a worker is there; return 0 if it will never be."""
        while worker in self._unborn and self._hear():
            pass
        return self._pids.get(worker, 0)

    def end(self, worker: Hired) -> None:
        """Wait until a worker is gone."""
        pid = self.pid_of(worker)
        with contextlib.suppress(OSError):  # a zygote that has died took it along
            self._orders.send(END + b"%d" % pid)
            while self._hear() not in {END, b""}:
                pass
        self._pids.pop(worker, None)

    def close(self) -> None:
        """End the process and all its workers."""
        self._orders.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _hear(self) -> bytes:
        """Return the next answer; nothing if there is none to come."""
        try:
            answer = self._orders.recv(LONGEST)
        except OSError:
            answer = b""
        if answer.isdigit():
            self._pids[self._unborn.popleft()] = int(answer)
        return answer
