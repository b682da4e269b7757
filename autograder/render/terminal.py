"""A check's record for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.checks.records import CheckResult, Outcome, TestRecord, task_title

_SIGN = {
    Outcome.PASSED: Text("✓ passed", style="green"),
    Outcome.FAILED: Text("✗ failed", style="red"),
    Outcome.BLOCKED: Text("○ blocked", style="dim"),
}


def print_check(result: CheckResult, console: Console) -> None:
    """Print a check cell's result; what comes from a submission is plain text, never markup."""
    console.print(Text(f"{task_title(result.task)}: {result.score}", style="bold"))
    for said in (result.problem, result.cause, result.deadline):
        if said:
            console.print(Text(said, style="red"))
    for test in result.tests:
        console.print(_line(test, counts=result.counts))
    opened = next((test for test in result.tests if test.outcome is Outcome.FAILED), None)
    if opened is not None:
        console.print(Padding(_details(opened), (0, 0, 1, 2)))


def _line(test: TestRecord, *, counts: bool) -> Table:
    line = Table.grid(padding=(0, 2))
    line.add_column(width=9)
    line.add_column(ratio=1)
    line.add_column(justify="right")
    points = Text(test.balance if counts else "", style="dim")
    hidden = " (hidden test)" if test.hidden else ""
    line.add_row(_SIGN[test.outcome], Text(f"{test.meaning}{hidden}"), points)
    return line


def _details(test: TestRecord) -> Table:
    """Return what was sent, what came back and what was expected, with the hint."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for label, text in _entries(test):
        if text:
            grid.add_row(label, Text(text))
    return grid


def _entries(test: TestRecord) -> list[tuple[str, str]]:
    last = test.sent_and_got[-1] if test.sent_and_got else None
    difference = test.difference
    return [
        ("What", test.message),
        ("Sent", last.request if last else ""),
        ("Came back", (last.response or "(no answer)") if last else ""),
        ("Expected", difference.wanted if difference else ""),
        ("Raised", test.raised),
        *(("Hint", hint) for hint in test.hints),
    ]
