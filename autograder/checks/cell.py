"""A check cell as text: its first line, its tests, and which of them are hidden."""

from __future__ import annotations

import ast
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Self

BEGIN_HIDDEN = "### BEGIN HIDDEN TESTS"
END_HIDDEN = "### END HIDDEN TESTS"

USAGE = "%%check LAB/TASK [points=NUMBER] [needs=TASK] [skill=NAME] [entry=app|create_app]"


class BadCheckLine(ValueError):
    """The first line of a check cell cannot be read."""


@dataclass(frozen=True, kw_only=True)
class CheckCell:
    """One check cell.

    Attributes:
        lab: Short name of the lab, such as `lab01`, or of the lesson, such as `lesson04`.
        task: Name of the task that is checked, such as `t1`.
        points: What the cell is worth when every test passes; 0 for an exercise in a lesson,
            which counts nowhere.
        body: The tests, without the magic's line.
        needs: Task whose probe must have passed before; empty if none.
        skill: What the tests show unless they say otherwise.
        entry: Name of the submission's app or factory.
    """

    lab: str
    task: str
    points: float
    body: str
    needs: str = ""
    skill: str = ""
    entry: str = "app"

    @classmethod
    def parse(cls, line: str, body: str) -> Self:
        """Read a check cell from what stands behind `%%check` and the lines below.

        Raises:
            BadCheckLine: The line does not follow `USAGE`.
        """
        name, *options = line.split() or [""]
        lab, _, task = name.partition("/")
        given = dict(option.partition("=")[::2] for option in options)
        unknown = given.keys() - {"points", "needs", "skill", "entry"}
        if not (lab and task) or unknown or not _is_number(given.get("points", "0")):
            raise BadCheckLine(f"This line cannot be read: %%check {line}. It reads {USAGE}.")
        return cls(
            lab=lab,
            task=task,
            points=float(given.get("points", 0)),
            body=body,
            needs=given.get("needs", ""),
            skill=given.get("skill", ""),
            entry=given.get("entry", "app"),
        )

    @cached_property
    def module_name(self) -> str:
        """A module name that is this text's own."""
        digest = hashlib.sha256(self.body.encode()).hexdigest()[:12]
        return f"check_{re.sub(r'[^0-9A-Za-z_]', '_', self.task)}_{digest}"

    @cached_property
    def hidden_lines(self) -> frozenset[int]:
        """Numbers of the lines between the markers for hidden tests, the first line being 1."""
        inside = False
        numbers = set()
        for number, text in enumerate(self.body.splitlines(), start=1):
            inside = (inside or text.strip() == BEGIN_HIDDEN) and text.strip() != END_HIDDEN
            if inside:
                numbers.add(number)
        return frozenset(numbers)

    @cached_property
    def asserts(self) -> dict[int, ast.Assert]:
        """Every assert statement of the tests by each of its line numbers."""
        try:
            tree = ast.parse(self.body)
        except SyntaxError:
            return {}
        found = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
        return {
            line: node
            for node in found
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None
