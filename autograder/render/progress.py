"""A student's progress through a lab as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from autograder.checks.progress import Progress
from autograder.checks.records import task_title
from autograder.checks.scoring import as_number
from autograder.render.html import STYLE, prose


def progress_table(progress: Progress, stale: Mapping[str, str] | None = None) -> str:
    """Return a lab's tasks with their marks so far, and the skills that its tests showed.

    Args:
        progress: What the checks said last.
        stale: Why what a task's check said last is no longer true, by the task.
    """
    stale = stale or {}
    rows = "".join(
        _row(progress, task, points, stale.get(task, "")) for task, points in progress.tasks.items()
    )
    total = f"{as_number(progress.points(stale))} of {as_number(progress.max_points)} points"
    return (
        f'<div class="check"><style>{STYLE}</style>'
        f"<header><b>{escape(progress.lab or 'No lab yet')}: {total}</b></header>"
        f'<table class="tests" aria-label="Tasks of {escape(progress.lab)}"><tbody>{rows}</tbody>'
        f"</table>{_skills(progress, stale)}</div>"
    )


def _row(progress: Progress, task: str, points: float, stale: str) -> str:
    result = progress.results.get(task)
    if stale:
        kind, sign, earned = "failed", "✗ check again", "–"  # noqa: RUF001 - a dash for no mark
    elif result is None:
        kind, sign, earned = "blocked", "○ not checked", "–"  # noqa: RUF001 - a dash for no mark
    elif result.all_pass:
        kind, sign, earned = "passed", "✓ done", as_number(result.points)
    else:
        kind, sign, earned = "failed", "✗ begun", as_number(result.points)
    tests = "" if result is None else f"{result.passing} of {len(result.tests)} tests pass"
    tests = prose(stale) if stale else tests
    return (
        f'<tr class="{kind}"><td class="outcome">{sign}</td>'
        f'<th scope="row">{escape(task_title(task))} <small>{tests}</small></th>'
        f'<td class="points">{earned} / {as_number(points)}</td></tr>'
    )


def _skills(progress: Progress, stale: Mapping[str, str]) -> str:
    entries = "".join(
        f"<dt>{escape(skill)}</dt><dd>{passed} of {tried} tests pass</dd>"
        for skill, (passed, tried) in sorted(progress.skills(stale).items())
    )
    if not entries:
        return ""
    return f"<details><summary>Skills that these tests show</summary><dl>{entries}</dl></details>"
