"""A check's record as HTML: in JupyterLab, light and dark, and in nbgrader's feedback.

Everything that comes from a submission is escaped. No script is needed, the table reads in
order by a screen reader, and without its style it is still a plain table.
"""

from __future__ import annotations

import re
from html import escape
from itertools import pairwise

from autograder.checks.records import CheckResult, Exchange, Outcome, TestRecord, task_title

# JupyterLab's own colours where it defines them; elsewhere the reader's light or dark.
# Scroll anchoring would hold the next cell still, and push a new table up out of the window.
# `.check` stands twice where JupyterLab's rules for tables, lists and code in an output would win.
STYLE = """
.check{--c-text:var(--jp-content-font-color1,light-dark(#1f2328,#e6edf3));
--c-soft:light-dark(#57606a,#b3bbc4);
--c-line:var(--jp-border-color2,light-dark(#d8dee4,#3d444d));
--c-box:light-dark(#f3f5f7,#262b31);
--c-good:light-dark(#116329,#4cc760);--c-bad:light-dark(#b42318,#ff8f87);
color:var(--c-text);font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:14px;
line-height:1.5;max-width:62em;margin:.3em 0}
[data-jp-theme-light="false"] .check{color-scheme:dark}
[data-jp-theme-light="true"] .check{color-scheme:light}
.jp-WindowedPanel-outer:has(.check){overflow-anchor:none}
.check>header{display:flex;flex-wrap:wrap;gap:0 .8em;align-items:baseline;margin-bottom:.4em}
.check>header b{font-size:16px}.check>header span{color:var(--c-soft)}
.check .problem{border-left:3px solid var(--c-bad);padding:.2em .8em;margin:.4em 0}
.check.check table.tests{border-collapse:collapse;width:100%;margin:0;table-layout:auto;
font-size:inherit}
.check.check table.tests tr{background:none;padding:0}
.check.check table.tests :is(td,th){border:0;border-top:1px solid var(--c-line);
padding:.4em .6em;text-align:left;vertical-align:top;background:none;white-space:normal;
font-weight:normal;line-height:1.5;color:inherit}
.check.check table.tests thead th{border:0;padding:0;line-height:0}
.check thead span{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.check.check table.tests td.outcome{white-space:nowrap;width:6.5em;font-weight:600}
.check.check table.tests td.points{white-space:nowrap;width:5em;text-align:right;
color:var(--c-soft)}
.check.check .passed td.outcome{color:var(--c-good)}
.check.check .failed td.outcome{color:var(--c-bad)}
.check.check .blocked :is(td.outcome,th){color:var(--c-soft)}
.check .why{margin:.25em 0 .5em}
.check.check dl{display:grid;grid-template-columns:6em minmax(0,1fr);gap:.35em .6em;margin:.4em 0;
overflow:visible}
.check.check dt{float:none;width:auto;color:var(--c-soft);font-weight:normal;margin:0;
padding:.3em 0 0}
.check.check dd{float:none;width:auto;margin:0;min-width:0}
.check.check.check pre{background:var(--c-box);border:0;border-radius:4px;margin:0;
padding:.3em .7em;color:inherit;
font:13px/1.45 var(--jp-code-font-family,ui-monospace,monospace);
white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;max-height:18em;overflow:auto}
.check.check.check code{font:13px var(--jp-code-font-family,ui-monospace,monospace);
background:var(--c-box);padding:.1em .3em;border-radius:3px;color:inherit;white-space:pre-wrap}
.check.check.check .got pre{border-left:3px solid var(--c-bad)}
.check.check.check .expected pre{border-left:3px solid var(--c-good)}
.check.check dd.hint{padding-top:.3em}
.check>footer{color:var(--c-soft);padding:.4em .6em}
.check details>summary{cursor:pointer;color:var(--c-soft)}
"""
STYLE = re.sub(r"\n", "", STYLE)

NO_MATH = "mathjax_ignore tex2jax_ignore"
"""Classes by which MathJax, 3 and 2, leaves alone what students wrote in a table."""

# For screen readers; the eye needs no names for these columns.
_COLUMNS = (
    '<thead><tr><th scope="col"><span>Outcome</span></th><th scope="col"><span>Test</span></th>'
)
_POINTS = '<th scope="col"><span>Points</span></th>'

_EMPHASIS = re.compile(r"(?<![\w*])\*(\w[^*]*)(?<!\s)\*(?![\w*])")
_SIGN = {Outcome.PASSED: "✓ passed", Outcome.FAILED: "✗ failed", Outcome.BLOCKED: "○ blocked"}


def check_table(result: CheckResult) -> str:
    """Return a check cell's table, everything of the submission's escaped."""
    opened = next((t.id for t in result.tests if t.outcome is Outcome.FAILED), None)
    rows = "".join(
        _row(test, opened=test.id == opened, said=_said(before, test), result=result)
        for before, test in pairwise([None, *result.tests])
        if test is not None
    )
    return (
        f'<div class="check {NO_MATH}"><style>{STYLE}</style>{_header(result)}{_problem(result)}'
        f'<table class="tests" aria-label="Tests of {escape(task_title(result.task))}">'
        f"{_COLUMNS}{_POINTS if result.counts else ''}</tr></thead><tbody>{rows}</tbody></table>"
        f"{_footer(result)}{_printed(result)}</div>"
    )


def _header(result: CheckResult) -> str:
    passed = f"{result.passing} of {len(result.tests)} tests pass" if result.counts else ""
    title = f"{escape(task_title(result.task))}: {result.score}"
    return f'<header><b role="heading" aria-level="4">{title}</b><span>{passed}</span></header>'


def _footer(result: CheckResult) -> str:
    return f"<footer>{prose(result.footer)}</footer>" if result.footer else ""


def _problem(result: CheckResult) -> str:
    said = [text for text in (result.problem, result.cause, result.deadline) if text]
    return "".join(f'<div class="problem">{prose(text)}</div>' for text in said)


def _said(before: TestRecord | None, test: TestRecord) -> bool:
    """Tell whether the row above is blocked for the same reason and has said so."""
    return (
        before is not None
        and before.outcome is test.outcome is Outcome.BLOCKED
        and before.message == test.message
    )


def _row(test: TestRecord, *, opened: bool, said: bool, result: CheckResult) -> str:
    cell = f'<td class="points">{test.balance}</td>' if result.counts else ""
    kind = " <small>(hidden test)</small>" if test.hidden else ""
    why = "" if said else _why(test, opened, result)
    return (
        f'<tr class="{test.outcome}"><td class="outcome">{_SIGN[test.outcome]}</td>'
        f'<th scope="row">{_authored(test.meaning)}{kind}{why}</th>'
        f"{cell}</tr>"
    )


def _why(
    test: TestRecord,
    opened: bool,  # noqa: FBT001 - local
    result: CheckResult,
) -> str:
    if test.outcome is Outcome.PASSED:
        return ""
    if test.outcome is Outcome.BLOCKED:
        said = not test.message or test.message == result.problem
        return "" if said else f'<div class="why">{prose(test.message)}</div>'
    unserved = bool(result.problem) and test.message == result.problem
    details = _details(test, () if unserved else test.hints)
    if unserved:
        return details if opened else ""
    message = prose(test.message) or "This test failed."
    if opened:
        return f'<div class="why">{message}</div>{details}'
    if not details:
        return f'<div class="why">{message}</div>'
    return f"<details><summary>{message}</summary>{details}</details>"


def _details(test: TestRecord, hints: tuple[str, ...]) -> str:
    entries = []
    if test.sent_and_got:
        last = test.sent_and_got[-1]
        entries.append(_entry("sent", "Sent", _pre(last.request)))
        entries.append(_entry("got", "Came back", _pre(last.response or "(no answer)")))
    if test.difference:
        entries.append(_entry("expected", "Expected", _pre(test.difference.wanted)))
    if test.raised:
        entries.append(_entry("raised", "Your app raised", _pre(test.raised)))
    entries += [_entry("hint", "Hint", _authored(hint)) for hint in hints]
    before = _before(test.sent_and_got[:-1])
    return (f"<dl>{''.join(entries)}</dl>" if entries else "") + before


def _before(exchanges: tuple[Exchange, ...]) -> str:
    if not exchanges:
        return ""
    entries = "".join(
        _entry("sent", "Sent", _pre(exchange.request))
        + _entry("", "Came back", _pre(exchange.response or "(no answer)"))
        for exchange in exchanges
    )
    return f"<details><summary>What else was said</summary><dl>{entries}</dl></details>"


def _printed(result: CheckResult) -> str:
    if not result.printed.strip():
        return ""
    return (
        "<details><summary>What your app printed meanwhile</summary>"
        f"{_pre(result.printed)}</details>"
    )


def _entry(kind: str, label: str, content: str) -> str:
    name = f' class="{kind}"' if kind else ""
    return f"<dt>{label}</dt><dd{name}>{content}</dd>"


def _pre(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def prose(text: str) -> str:
    """Escape a sentence and set what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _authored(text: str) -> str:
    """Set a sentence of the lab's own as Markdown would: `code`, and *emphasis* outside of it.

    A message is left alone: it may quote a submission, whose asterisks must stay.
    """
    parts = re.split(r"(`[^`]+`)", text)
    parts[::2] = [re.sub(_EMPHASIS, r"<em>\1</em>", escape(part)) for part in parts[::2]]
    parts[1::2] = map(prose, parts[1::2])
    return "".join(parts)
