"""The outside world of submissions in their sandbox, whose network is not this process's.

The fork server hands out a socket that listens where its children can connect to it, and an
`Upstream` that runs here takes what they say from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from autograder.checks.cell import CheckCell
from autograder.child import ForkServer
from classroom.upstream import Upstream

_ASKED_FOR = re.compile(r"\b(upstream|override|student_tests)\b")


def is_wanted(cells: Iterable[CheckCell]) -> bool:
    """Tell whether any check asks for the outside world."""
    return any(_ASKED_FOR.search(cell.body) for cell in cells)


def outside_of(server: ForkServer) -> Upstream:
    """Return an upstream that a fork server's submissions can reach; the caller starts it."""
    return Upstream(listening=server.listener())
