"""The processes behind a pool, which can start before anybody knows what they are to judge.

What takes their time at the start is imports: a second for the zygote from which workers are
forked, two for the nursery from which they have their fork servers. `autograder grade` lets both
begin before it imports nbgrader itself.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from typing import Self

from autograder.child.nursery import Nursery
from autograder.judge.zygote import Hired, Zygote
from autograder.own_folder import OwnFolder
from autograder.sandbox.report import held_here

_PREFIX = "autograder-run-"


class Staff:
    """Workers that wait to be told what they are to judge, and a nursery.

    Args:
        jobs: How many workers to start at once.
    """

    def __init__(self, jobs: int) -> None:
        self._waiting: deque[Hired] = deque()
        self._undo = contextlib.ExitStack()
        with contextlib.ExitStack() as undo:
            self._folder = undo.enter_context(OwnFolder(_PREFIX))
            self._folder.chmod(0o711)
            self._nursery = undo.enter_context(Nursery())
            self._zygote = self._new_zygote()
            undo.callback(self._dismiss)
            self._waiting += [self._zygote.start() for _ in range(jobs)]
            # What holds here will be asked for by everybody; it is found out meanwhile.
            threading.Thread(target=_probe, daemon=True).start()
            self._undo = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everybody who was not hired, and what all come from."""
        self._undo.close()

    @property
    def is_whole(self) -> bool:
        """Whether all that workers come from is still running."""
        return self._nursery.is_running and self._zygote.is_running

    def hire(self) -> Hired:
        """Return a worker; the caller ends it."""
        if self._waiting:
            return self._waiting.popleft()
        try:
            return self._zygote.start()
        except OSError:  # killed, and all its workers with it
            self._zygote.close()
            self._zygote = self._new_zygote()
            return self._zygote.start()

    def _new_zygote(self) -> Zygote:
        return Zygote(self._environment(), self._nursery.hub.fileno())

    def _environment(self) -> dict[str, str]:
        """Return the environment of all workers."""
        kept = {name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"}
        # Without certificates, as in `autograder.sandbox.surroundings`.
        return kept | {"TMPDIR": str(self._folder), "SSL_CERT_DIR": str(self._folder)}

    def _dismiss(self) -> None:
        for worker in self._waiting:
            worker.connection.close()
        self._zygote.close()


def _probe() -> None:
    with contextlib.suppress(Exception):  # whoever needs the answer asks again
        held_here()
