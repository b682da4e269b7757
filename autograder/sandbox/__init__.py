"""Keeps a student's code away from everything but its own app.

`apply` puts the layers of the operating system around the running process, as far as a lab's
`Policy` grants; `examine` tells which layers hold on this machine, by trying each.
"""

from __future__ import annotations

from autograder.sandbox.layers import Applied, Layer, Level
from autograder.sandbox.policy import Policy
from autograder.sandbox.report import MINIMUM, Report, examine

__all__ = ["MINIMUM", "Applied", "Layer", "Level", "Policy", "Report", "examine"]
