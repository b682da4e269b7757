"""The outside world of an app: a model API, mail, a queue, a legacy system, under control.

Lessons use it as their language model (`local_llm`), checks decide by it (`Upstream`, gates).
"""

from classroom.upstream.behaviour import Cut, Fail, Give, HangUp, Malformed, Normal, Say, Slow
from classroom.upstream.call import Call, CallState
from classroom.upstream.deadline import (
    IN_A_NOTEBOOK,
    WHILE_GRADING,
    Deadline,
    GateClosed,
    current_deadline,
    within,
)
from classroom.upstream.endpoint import Pace
from classroom.upstream.gate import Gate
from classroom.upstream.local_llm import local_llm
from classroom.upstream.token_gate import TokenGate
from classroom.upstream.upstream import UPSTREAM_URL, Upstream

__all__ = [
    "IN_A_NOTEBOOK",
    "UPSTREAM_URL",
    "WHILE_GRADING",
    "Call",
    "CallState",
    "Cut",
    "Deadline",
    "Fail",
    "Gate",
    "GateClosed",
    "Give",
    "HangUp",
    "Malformed",
    "Normal",
    "Pace",
    "Say",
    "Slow",
    "TokenGate",
    "Upstream",
    "current_deadline",
    "local_llm",
    "within",
]
