"""Makes the autograded notebook, from which nbgrader makes feedback and formgrader its page.

It has the release's layout and sources, so no hidden test is in it, the student's answers, what
his cells put out, and under each check its table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import (  # type: ignore[import-untyped]  # it ships no types
    compute_checksum,
    determine_grade,
    is_grade,
    is_solution,
    is_task,
)

from autograder.checks.cell import CheckCell
from autograder.checks.output import shown
from autograder.checks.records import CheckResult
from autograder.child.results import CellRun
from autograder.child.rich import HTML, PLAIN
from autograder.judge.judged import Judged

MAX_LINES = 1_000
MAX_CHARACTERS = 20_000
"""Of one output; what is longer is cut."""
NOTE = "graders-note"
"""Id of the cell that says what was altered."""
NO_RESPONSE = "No response."
"""nbgrader's own comment on an answer that was left as it was."""


def notebook_of(
    rebuilt: NotebookNode,
    *,
    checks: Mapping[str, CheckCell],
    judged: Judged | None,
    altered: Sequence[str],
    reason: str,
) -> NotebookNode:
    """Return the autograded notebook.

    Args:
        rebuilt: The submission as `sanitise.rebuild` made it, or the release.
        checks: The lab's checks, by nbgrader's names for their cells.
        judged: What came of it; None if it could not be judged, which gives no points.
        altered: What the submission changed that it should not have.
        reason: Why a person should look at it; empty if nobody needs to.
    """
    # Cells are copied one level deep, for only their outputs and numbers change.
    notebook = NotebookNode({**rebuilt, "cells": [NotebookNode(cell) for cell in rebuilt.cells]})
    number = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        check = checks.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        outputs: list[NotebookNode] = []
        ran = True
        if check is not None:
            result = judged.checks.get(cell.id) if judged else None
            outputs = [_table(result or _not_judged(check, reason), number + 1)]
        elif judged and cell.id in judged.cells:
            outputs = list(_outputs(judged.cells[cell.id], number + 1))
        else:
            ran = False
        number += ran
        cell.outputs, cell.execution_count = outputs, number if ran else None
    if text := _note(altered, reason):
        note = nbformat.v4.new_markdown_cell(text)
        note.id = NOTE
        notebook.cells.insert(0, note)
    return notebook


def scores_of(notebook: NotebookNode) -> dict[str, float | None]:
    """Return the automatic score of each graded cell, by nbgrader's own rules."""
    return {
        cell.metadata.nbgrader["grade_id"]: determine_grade(cell)[0]
        for cell in notebook.cells
        if is_grade(cell)
    }


def comments_of(notebook: NotebookNode) -> dict[str, str | None]:
    """Return the automatic comment on each answer, by nbgrader's own rules."""
    return {
        cell.metadata.nbgrader["grade_id"]: NO_RESPONSE if _is_unchanged(cell) else None
        for cell in notebook.cells
        if is_solution(cell) or is_task(cell)
    }


def _is_unchanged(cell: NotebookNode) -> bool:
    same = cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)
    return bool(same and not is_task(cell))


def _not_judged(check: CheckCell, reason: str) -> CheckResult:
    return CheckResult(
        lab=check.lab, task=check.task, max_points=check.points, points=0, problem=reason
    )


def _table(result: CheckResult, number: int) -> NotebookNode:
    return NotebookNode(
        output_type="execute_result", data=shown(result), metadata={}, execution_count=number
    )


def _outputs(run: CellRun, number: int) -> Iterator[NotebookNode]:
    """Yield what a cell put out, as plain text."""
    for name, text in (("stdout", run.printed.stdout), ("stderr", run.printed.stderr)):
        if text:
            yield NotebookNode(output_type="stream", name=name, text=_cut(text))
    for one in filter(None, run.shown):
        yield NotebookNode(output_type="display_data", data=_harmless(one), metadata={})
    if run.result:
        yield NotebookNode(
            output_type="execute_result",
            data=_harmless(run.rich) | {"text/plain": _cut(run.result)},
            metadata={},
            execution_count=number,
        )
    if run.loss is not None:
        yield _error("CellLost", run.loss.message, run.loss.message)
    elif run.raised is not None:
        raised = run.raised
        yield _error(raised.type, _cut(raised.message), raised.text or str(raised))


def _harmless(forms: Mapping[str, str]) -> dict[str, str]:
    """Return pictures as they are, text cut, and HTML without what could run."""
    data = dict(forms)
    if HTML in data:
        from autograder.grading.harmless import clean_html  # noqa: PLC0415 - seldom needed, slow

        data[HTML] = clean_html(_cut(data[HTML]))
    if PLAIN in data:
        data[PLAIN] = _cut(data[PLAIN])
    return data


def _error(name: str, value: str, text: str) -> NotebookNode:
    return NotebookNode(
        output_type="error", ename=name, evalue=value, traceback=_cut(text).splitlines()
    )


def _cut(text: str) -> str:
    lines = text[:MAX_CHARACTERS].splitlines(keepends=True)[:MAX_LINES]
    kept = "".join(lines)
    return kept if len(kept) == len(text) else f"{kept.rstrip()}\n... Output truncated ..."


def _note(altered: Sequence[str], reason: str) -> str:
    """Return the grader's note as Markdown; empty if there is nothing to say."""
    lines = []
    if reason:
        lines.append(f"**To be looked at by a person:** {escape(reason, quote=False)}")
    if altered:
        lines.append(
            "**Altered:** this submission changed what is not part of an answer "
            f"({escape(', '.join(altered), quote=False)}). "
            "It was graded as if it had not, and nothing was lost or won by it."
        )
    return "\n\n".join(lines)
