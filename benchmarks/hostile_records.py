"""Fifty failing tests with hostile output, shown by all three renderers.

An app answers with HTML, control characters, bodies of megabytes, invalid UTF-8 and NaN, and
raises errors that say the same. A check of fifty tests fails on all of it; its record is then
rendered as HTML, as Markdown and for a terminal. Prints the seconds that rendering takes in all
(the bar is one second), the seconds that the check itself took, the sizes, and what of the
output is not well-formed or not harmless, which should be nothing. The exit code is 1 if it is
not.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

from fastapi import FastAPI, Response
from markdown_it import MarkdownIt
from rich.console import Console

from autograder.checks.cell import CheckCell
from autograder.checks.deadlines import Deadlines
from autograder.checks.job import Job
from autograder.checks.kernel import KernelSubject
from autograder.checks.records import CheckResult, Outcome
from autograder.checks.runner import run_in_thread
from autograder.render.html import check_table
from autograder.render.markdown import check_markdown
from autograder.render.terminal import print_check

BAR = 1.0
PATIENT = Deadlines(wait=60.0, again=60.0, cell=600.0)
MARKUP = "</pre></td></table><script>alert(1)</script><img src=x onerror=alert(1)>\"'&`|<b"
CONTROL = "\x1b[2J\x1b]0;owned\x07\x00\r\x08\x9b31m\u202etxt.exe\u2028\ufeff"
BODIES: dict[str, Callable[[int], bytes]] = {
    "markup": lambda _: MARKUP.encode(),
    "control": lambda _: CONTROL.encode(),
    "large": lambda size: (MARKUP.encode() + b"\x1b[31m") * (size // len(MARKUP)),
    "broken": lambda _: b'{"answer": "\xff\xfe\xc3\x28 \xed\xa0\x80"}',
    "numbers": lambda _: b'{"answer": [NaN, Infinity, 1e999, "\\ud800", "<script>"]}',
}
"""What the app answers, given the size of a large answer in bytes."""
CLAIMS = {
    "markup": 'reply.text == "fine"',
    "control": 'reply.text == "fine"',
    "large": 'reply.text == "fine"',
    "broken": 'reply.json() == {"answer": "fine"}',
    "numbers": 'reply.json() == {"answer": "fine"}',
}
TEST = '''
async def test_{number}(client):
    """The answer to {kind} is fine."""
    await client.get("/raising")
    reply = await client.get("/{kind}")
    assert {claim}
'''
NEVER_CLOSED = frozenset({"br", "hr", "img", "input", "link", "meta"})
OURS = frozenset(
    {
        *("b", "code", "dd", "details", "div", "dl", "dt", "header", "p", "pre", "small", "span"),
        *("strong", "style", "summary", "table", "tbody", "td", "th", "thead", "tr"),
    }
)
"""Tags that the renderers write themselves."""
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def hostile_app(size: int) -> FastAPI:
    """Return an app that answers as no app should."""
    app = FastAPI()
    for kind, body in BODIES.items():
        app.get(f"/{kind}")(_answering(body(size)))

    @app.get("/raising")
    def raising() -> None:
        raise RuntimeError(MARKUP + CONTROL)

    return app


def _answering(content: bytes) -> Callable[[], Response]:
    return lambda: Response(content, headers={"x-evil": "<b onclick=alert(1)>"})


def failed(tests: int, size: int) -> CheckResult:
    """Run the check against the app."""
    kinds = [kind for _, kind in zip(range(tests), _endless(list(BODIES)), strict=False)]
    body = "\n".join(
        TEST.format(number=number, kind=kind, claim=CLAIMS[kind])
        for number, kind in enumerate(kinds)
    )
    cell = CheckCell(lab="lab99", task="t1", points=tests, body=body)
    job = Job(
        cell,
        KernelSubject({"app": hostile_app(size)}, "app"),
        deadlines=PATIENT,
        take_printed=lambda: MARKUP + CONTROL,
    )
    run_in_thread([cell], [job])
    assert job.result is not None
    return job.result


def _endless(kinds: list[str]) -> Iterator[str]:
    while True:
        yield from kinds


class Page(HTMLParser):
    """Reads HTML and notes what is not well-formed or could do something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that is not ours, and an attribute that runs or fetches."""
        if tag not in OURS:
            self.faults.append(f"<{tag}>")
        self.faults += [
            f"{tag} has {name}"
            for name, _ in attrs
            if name.startswith("on") or name in {"href", "src", "srcdoc"}
        ]
        if tag not in NEVER_CLOSED:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note an end that does not belong to the last beginning."""
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> ends something else")


def control_characters(text: str) -> list[str]:
    """Return what could garble a page or a terminal."""
    found = {char for char in text if not char.isprintable() and char not in "\n\t"}
    return [f"control character {ord(char):#x}" for char in sorted(found)]


def faults(result: CheckResult, html: str, markdown: str, terminal: str) -> dict[str, list[str]]:
    """Return what is wrong with each form of a record."""
    page = MarkdownIt("commonmark").enable("table").render(markdown)
    written = result.model_dump_json()
    told = {
        "record": control_characters(written),
        "html": Page(html).faults + control_characters(html),
        "markdown": Page(page).faults + control_characters(markdown),
        "terminal": control_characters(COLOUR.sub("", terminal)),
    }
    for name, text in [("html", html), ("markdown", markdown), ("terminal", terminal)]:
        text.encode()  # no half characters
        if "alert(1)" not in text:
            told[name].append("nothing hostile is in it, so nothing was tried")
    json.loads(written, parse_constant=lambda name: told["record"].append(f"{name} in JSON"))
    return told


def rendered(result: CheckResult) -> tuple[dict[str, str], dict[str, float]]:
    """Return what each renderer makes of a record, and the seconds it takes."""

    def in_terminal() -> str:
        terminal = io.StringIO()
        print_check(result, Console(file=terminal, force_terminal=True, width=100))
        return terminal.getvalue()

    ways: dict[str, Callable[[], Any]] = {
        "html": lambda: check_table(result),
        "markdown": lambda: check_markdown(result),
        "terminal": in_terminal,
    }
    texts, seconds = {}, {}
    for name, way in ways.items():
        begun = time.perf_counter()
        texts[name] = way()
        seconds[name] = time.perf_counter() - begun
    return texts, seconds


def main() -> int:
    """Run, render, look, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=50)
    parser.add_argument("--megabytes", type=int, default=10, help="size of a large answer")
    options = parser.parse_args()
    console = Console()
    begun = time.perf_counter()
    result = failed(options.tests, options.megabytes * 2**20)
    checked = time.perf_counter() - begun
    texts, seconds = rendered(result)
    lost = sum(test.outcome is Outcome.FAILED for test in result.tests)
    console.print(f"{lost} of {len(result.tests)} tests failed, as they should, in {checked:.1f} s")
    for name, text in texts.items():
        console.print(f"{name}: {1e3 * seconds[name]:.0f} ms, {len(text):,} characters")
    console.print(f"rendering in all: {sum(seconds.values()):.2f} s (bar: {BAR:g} s)")
    told = faults(result, **texts)
    for name, found in told.items():
        console.print(f"{name}: {len(found)} faults {found[:5]}", markup=False)
    right = lost == options.tests and sum(seconds.values()) < BAR and not any(told.values())
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
