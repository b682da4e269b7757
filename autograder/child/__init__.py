"""Runs a submission's cells in a process of its own and serves the app that they make.

`ForkServer` and `Submission` are the trusted side; everything else here runs on the other side
of the connection. A submission's code shares its process with what answers there, so an
answer may be forged: it may be shown, but nothing that earns points may rest on it. Points
rest on bytes that the served app sent over its socket, and on values that `Submission.call`
brought back, each of which is the submission's own word by nature.
"""

from __future__ import annotations

from autograder.child.client import ForkServer, SandboxTooWeakError, ServerLostError
from autograder.child.messages import Raised
from autograder.child.results import Called, CellRun, ChildLostError, Loss, Printed, Served
from autograder.child.submission import Submission, replay
from autograder.child.wire import Trouble

__all__ = [
    "Called",
    "CellRun",
    "ChildLostError",
    "ForkServer",
    "Loss",
    "Printed",
    "Raised",
    "SandboxTooWeakError",
    "Served",
    "ServerLostError",
    "Submission",
    "Trouble",
    "replay",
]
