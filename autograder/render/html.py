"""A check's record as HTML: in JupyterLab, light and dark, and in nbgrader's feedback.

Everything that comes from a submission is escaped. No script is needed, the table reads in
order by a screen reader, and without its style it is still a plain table.
"""

from __future__ import annotations

import re
from html import escape

from autograder.checks.records import CheckResult, Exchange, Outcome, TestRecord
from autograder.checks.scoring import as_number

# JupyterLab's own colours where it defines them; elsewhere the reader's light or dark.
_STYLE = """
.check{--c-text:var(--jp-content-font-color1,light-dark(#1f2328,#e6edf3));
--c-soft:var(--jp-content-font-color2,light-dark(#57606a,#9da7b3));
--c-line:var(--jp-border-color2,light-dark(#d8dee4,#3d444d));
--c-box:var(--jp-layout-color2,light-dark(#f6f8fa,#161b22));
--c-good:light-dark(#116329,#3fb950);--c-bad:light-dark(#b42318,#ff7b72);
color:var(--c-text);font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:14px;
line-height:1.5;max-width:62em;margin:.3em 0}
[data-jp-theme-light="false"] .check{color-scheme:dark}
[data-jp-theme-light="true"] .check{color-scheme:light}
.check>header{display:flex;gap:.8em;align-items:baseline;margin-bottom:.4em}
.check>header b{font-size:16px}.check>header span{color:var(--c-soft)}
.check .problem{border-left:3px solid var(--c-bad);padding:.2em .8em;margin:.4em 0}
.check table.tests{border-collapse:collapse;width:100%;margin:0;table-layout:auto}
.check table.tests td,.check table.tests th{border:0;border-top:1px solid var(--c-line);
padding:.45em .6em;text-align:left;vertical-align:top;background:none;white-space:normal;
font-weight:normal;color:inherit}
.check td.outcome{white-space:nowrap!important;width:6.5em;font-weight:600!important}
.check td.points{white-space:nowrap!important;width:5em;text-align:right!important;
color:var(--c-soft)!important}
.check .passed td.outcome{color:var(--c-good)!important}
.check .failed td.outcome{color:var(--c-bad)!important}
.check .blocked td.outcome,.check .blocked th{color:var(--c-soft)!important}
.check .why{margin:.25em 0 .5em}
.check dl{display:grid;grid-template-columns:7em 1fr;gap:.35em .6em;margin:.4em 0}
.check dt{color:var(--c-soft);font-weight:normal;margin:0;padding-top:.3em}
.check dd{margin:0;min-width:0}
.check pre{background:var(--c-box);border:0;border-radius:4px;margin:0;padding:.3em .6em;
color:inherit;font:13px/1.45 var(--jp-code-font-family,ui-monospace,monospace);
white-space:pre-wrap;overflow-wrap:anywhere;max-height:18em;overflow:auto}
.check code{font:13px var(--jp-code-font-family,ui-monospace,monospace);background:var(--c-box);
padding:0 .25em;border-radius:3px;color:inherit}
.check .got pre{border-left:3px solid var(--c-bad)}
.check .expected pre{border-left:3px solid var(--c-good)}
.check .hint dd{padding-top:.3em}
.check details>summary{cursor:pointer;color:var(--c-soft)}
"""
_STYLE = re.sub(r"\n", "", _STYLE)

_SIGN = {Outcome.PASSED: "✓ passed", Outcome.FAILED: "✗ failed", Outcome.BLOCKED: "○ blocked"}


def check_table(result: CheckResult) -> str:
    """Return a check cell's table, everything of the submission's escaped."""
    opened = next((t.id for t in result.tests if t.outcome is Outcome.FAILED), None)
    rows = "".join(_row(test, opened=test.id == opened, result=result) for test in result.tests)
    return (
        f'<div class="check"><style>{_STYLE}</style>{_header(result)}{_problem(result)}'
        f'<table class="tests" aria-label="Tests of task {escape(result.task)}">'
        f"<tbody>{rows}</tbody></table>{_printed(result)}</div>"
    )


def _header(result: CheckResult) -> str:
    passed = sum(test.outcome is Outcome.PASSED for test in result.tests)
    points = f"{as_number(result.points)} of {as_number(result.max_points)} points"
    return (
        f"<header><b>Task {escape(result.task)}: {points}</b>"
        f"<span>{passed} of {len(result.tests)} tests pass</span></header>"
    )


def _problem(result: CheckResult) -> str:
    return f'<div class="problem">{_prose(result.problem)}</div>' if result.problem else ""


def _row(test: TestRecord, *, opened: bool, result: CheckResult) -> str:
    points = f"{as_number(test.points)} / {as_number(test.max_points)}"
    kind = " <small>(hidden test)</small>" if test.hidden else ""
    return (
        f'<tr class="{test.outcome}"><td class="outcome">{_SIGN[test.outcome]}</td>'
        f'<th scope="row">{_prose(test.meaning)}{kind}{_why(test, opened, result)}</th>'
        f'<td class="points">{points}</td></tr>'
    )


def _why(test: TestRecord, opened: bool, result: CheckResult) -> str:  # noqa: FBT001 - local
    if test.outcome is Outcome.PASSED:
        return ""
    if test.outcome is Outcome.BLOCKED:
        return f'<div class="why">{_prose(test.message)}</div>' if test.message else ""
    details = _details(test)
    if result.problem and test.message == result.problem:
        return details if opened else ""
    message = _prose(test.message) or "This test failed."
    if opened:
        return f'<div class="why">{message}</div>{details}'
    if not details:
        return f'<div class="why">{message}</div>'
    return f"<details><summary>{message}</summary>{details}</details>"


def _details(test: TestRecord) -> str:
    entries = []
    if test.sent_and_got:
        last = test.sent_and_got[-1]
        entries.append(_entry("sent", "Sent", _pre(last.request)))
        entries.append(_entry("got", "Came back", _pre(last.response or "(no answer)")))
    if test.difference:
        entries.append(
            _entry("expected", "Expected", _pre(_expectation(test.difference.where, test)))
        )
    if test.raised:
        entries.append(_entry("raised", "Your app raised", _pre(test.raised)))
    if test.hint:
        entries.append(_entry("hint", "Hint", _prose(test.hint)))
    before = _before(test.sent_and_got[:-1])
    return (f"<dl>{''.join(entries)}</dl>" if entries else "") + before


def _expectation(where: str, test: TestRecord) -> str:
    assert test.difference is not None
    return f"{where}: {test.difference.expected}"


def _before(exchanges: tuple[Exchange, ...]) -> str:
    if not exchanges:
        return ""
    entries = "".join(
        _entry("sent", "Sent", _pre(exchange.request))
        + _entry("", "Came back", _pre(exchange.response or "(no answer)"))
        for exchange in exchanges
    )
    return f"<details><summary>What was said before that</summary><dl>{entries}</dl></details>"


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


def _prose(text: str) -> str:
    """Escape a sentence and set what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
