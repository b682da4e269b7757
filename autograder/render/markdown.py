"""A check's record as Markdown, for places that show no HTML."""

from __future__ import annotations

from autograder.checks.records import CheckResult, Outcome, TestRecord, task_title


def check_markdown(result: CheckResult) -> str:
    """Return a check cell's result; text of a submission stands in code blocks only."""
    lines = [f"**{task_title(result.task)}: {result.score}**", ""]
    for said in (result.problem, result.cause, result.deadline):
        lines += [_block(said), ""] if said else []
    points = " points |" if result.counts else ""
    lines += [f"| outcome | test |{points}", "|---|---|---|" if points else "|---|---|"]
    lines += [_row(test, counts=result.counts) for test in result.tests]
    opened = next((test for test in result.tests if test.outcome is Outcome.FAILED), None)
    lines += ["", result.footer] if result.footer else []
    return "\n".join([*lines, "", *(_details(opened) if opened else [])])


def _row(test: TestRecord, *, counts: bool) -> str:
    points = f" {test.balance} |" if counts else ""
    hidden = " (hidden test)" if test.hidden else ""
    meaning = test.meaning.replace("|", "\\|").replace("<", "&lt;")
    return f"| {test.outcome} | {meaning}{hidden} |{points}"


def _details(test: TestRecord) -> list[str]:
    last = test.sent_and_got[-1] if test.sent_and_got else None
    difference = test.difference
    entries = [
        ("", test.message),
        ("Sent", last.request if last else ""),
        ("Came back", (last.response or "(no answer)") if last else ""),
        ("Expected", difference.wanted if difference else ""),
        ("Your app raised", test.raised),
        *(("Hint", hint) for hint in test.hints),
    ]
    return [f"{label}\n\n{_block(text)}\n" for label, text in entries if text]


def _block(text: str) -> str:
    """Return a code block that no backticks inside can end."""
    return "\n".join(f"    {line}" for line in text.splitlines() or [""])
