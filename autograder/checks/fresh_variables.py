"""Gives a check's variables back what they were when its tests were collected.

One pytest session serves many submissions, so what a test notes in a global dict would reach
the next student's verdict.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any


class FreshVariables:
    """A module's variables, as they are now.

    Contents are kept of dicts, lists and sets, one level deep, and put back in place: functions
    may hold on to the objects themselves.

    Args:
        module: The module of a check's tests.
    """

    def __init__(self, module: ModuleType) -> None:
        self._variables = vars(module)
        self._values = dict(self._variables)
        self._contents: list[tuple[Any, Any]] = [
            (value, type(value)(value))
            for name, value in self._values.items()
            if type(value) in {dict, list, set} and not name.startswith("__")
        ]

    def restore(self) -> None:
        """Make the variables as they were."""
        for name in self._variables.keys() - self._values.keys():
            del self._variables[name]
        self._variables.update(self._values)
        for value, content in self._contents:
            value.clear()
            (value.extend if isinstance(value, list) else value.update)(content)
