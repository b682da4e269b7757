"""Starts the process that has imported everything and becomes any number of fork servers.

It needs to know nothing of a lab, so it can start before anything is known, and the workers of
a pool share one: an import costs its second once.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Final, Self

from autograder.sandbox.policy import Policy
from autograder.sandbox.surroundings import environment

_PATIENCE: Final = 30


class Nursery:
    """The running process.

    Args:
        inside: A command that runs another command, to run it in.
    """

    def __init__(self, inside: Sequence[str] = ()) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self.hub, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        """Where fork servers are asked for; whoever holds it may ask (`ForkServer`)."""
        with its:
            self._process = subprocess.Popen(
                [*inside, sys.executable, "-I", "-m", "autograder.child.server", str(its.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                pass_fds=[its.fileno()],
                env=environment(Policy()),
                cwd="/",
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def complaints(self) -> str:
        """Return the end of what it and its servers have written to standard error."""
        if self._complaints.closed:
            return ""
        self._complaints.seek(0)
        return self._complaints.read().decode(errors="replace").strip()[-1000:]

    def close(self) -> None:
        """End it; its servers end when their own connections do, or with it after a while."""
        self.hub.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            self._complaints.close()
