"""How long programs waited for a processor: whether a deadline can be the machine's fault.

An app that stands still before a gate takes no processor time and asks for none. One that a busy
machine keeps waiting asks, and is not served. The kernel counts the difference.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from pathlib import Path

ENOUGH = 0.5
"""Share of a wait that somebody has to have waited for a processor, before the wait that was in
vain may be the machine's fault."""
_NANO = 1e-9


class Hunger:
    """Counts from now on how long some processes wait for a processor.

    Args:
        processes: Their numbers.
    """

    def __init__(self, processes: Iterable[int]) -> None:
        self._processes = tuple(processes)
        self._before = self._waited()
        self._looked, self._found = time.monotonic(), 0.0

    def lately(self, age: float) -> float:
        """Return `seconds` as they were at most so many seconds ago, which costs less."""
        if time.monotonic() - self._looked > age:
            self._found = self.seconds
            self._looked = time.monotonic()
        return self._found

    @property
    def is_counted(self) -> bool:
        """Whether this system counts at all."""
        return self._before is not None

    @property
    def seconds(self) -> float:
        """Seconds that all their threads have waited since; infinite where nobody counts them."""
        now = self._waited()
        if now is None or self._before is None:
            return math.inf
        return sum(waited - self._before.get(thread, 0) for thread, waited in now.items()) * _NANO

    def _waited(self) -> dict[str, int] | None:
        """Return how long each thread has waited, in nanoseconds, or None if nobody counts it."""
        found: dict[str, int] = {}
        for process in self._processes:
            for thread in _threads(process):
                try:
                    # Time on a processor, time in the queue for one, turns; see schedstats.
                    found[str(thread)] = int((thread / "schedstat").read_text().split()[1])
                except FileNotFoundError:
                    if thread.exists():
                        return None
                except (OSError, ValueError, IndexError):
                    continue
        return found


def _threads(process: int) -> Iterable[Path]:
    """Yield the threads of a process and of those that it has started."""
    try:
        threads = [*Path(f"/proc/{process}/task").iterdir()]
    except OSError:  # it has ended
        return
    for thread in threads:
        yield thread
        try:
            children = (thread / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _threads(int(child))
