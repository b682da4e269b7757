"""HTML of submissions, as feedback pages and formgrader show it."""

import re
from html.parser import HTMLParser

import pytest

from autograder.checks.records import CheckResult, Difference, Exchange, Outcome, TestRecord
from autograder.grading.harmless import clean_html
from autograder.render.html import check_table


class Events(HTMLParser):
    """Reads HTML as a browser does, without the order of attributes."""

    def __init__(self, html):
        super().__init__()
        self.events = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.events.append((tag, sorted((name, value or "") for name, value in attrs)))

    def handle_endtag(self, tag):
        self.events.append(f"/{tag}")

    def handle_data(self, data):
        self.events.append(data)


def test_the_table_of_a_check_stays_as_it_is():
    """Every part of a check's table comes through, with its style and its escaped texts."""
    exchange = Exchange(request="POST /agents\n\n<b>", response="200 OK\n\n<script>")
    test = TestRecord(
        id="t1.test_a", meaning="It `answers` <i>.", outcome=Outcome.FAILED, points=0,
        max_points=1, message="It should.", sent_and_got=(exchange, exchange), raised="KeyError",
        difference=Difference(where="status", got="200", expected="201"), hint="Look.",
    )  # fmt: skip
    again = test.model_copy(update={"id": "t1.test_b", "hidden": True})
    blocked = test.model_copy(update={"id": "t1.test_c", "outcome": Outcome.BLOCKED})
    passed = test.model_copy(update={"id": "t1.test_d", "outcome": Outcome.PASSED})
    table = check_table(
        CheckResult(
            lab="lab01", task="t1", max_points=4, points=1, printed="<p>", problem="None.",
            tests=(test, again, blocked, passed),
        )
    )  # fmt: skip
    before, style, after = re.split("(<style>.*?</style>)", table)
    cleaned = clean_html(table)
    assert cleaned.startswith(style)
    assert Events(cleaned.removeprefix(style)).events == Events(before + after).events


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("<script>run()</script>text", "text"),
        ("<SCRIPT src='//x'>", ""),
        ("<scr<script></script>ipt>run()</script>", "&lt;script&gt;run()&lt;/script&gt;"),
        ("<style>* {display: none}</style>text", "text"),
        ("<b onclick='run()'>bold</b>", "<b>bold</b>"),
        ("<div style='position: fixed'>text</div>", "<div>text</div>"),
        ("<div id='check-t1'>text</div>", "<div>text</div>"),
        ("<input id='check-t1'>", '&lt;input id="check-t1"&gt;'),
        ("<iframe src='x'></iframe>", '&lt;iframe src="x"&gt;&lt;/iframe&gt;'),
        ("<svg onload='run()'></svg>", '&lt;svg onload="run()"&gt;&lt;/svg&gt;'),
        ("<a href='javascript:run()'>text</a>", "<a>text</a>"),
        ("<a href='java&#10;script:run()'>text</a>", "<a>text</a>"),
        ("<a href='data:text/html,x'>text</a>", "<a>text</a>"),
        ("<a href='https://example.com'>text</a>", '<a href="https://example.com">text</a>'),
        ("<a href='#t1'>text</a>", '<a href="#t1">text</a>'),
        ("<img src='x' onerror='run()'>", '<img src="x">'),
        ("<img src='https://example.com/seen.png'>", "<img>"),
        ("<img src='//example.com/seen.png'>", "<img>"),
        ("<img src='\\\\example.com/seen.png'>", "<img>"),
        ("<img alt='plot' src='data:image/png;base64,AA'>",
         '<img alt="plot" src="data:image/png;base64,AA">'),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        (b"\xff<b>x</b>", "\ufffd<b>x</b>"),
    ],
)  # fmt: skip
def test_nothing_runs_and_nothing_is_fetched(given, shown):
    """What runs, hides, imitates or calls home is taken out; text, tables and pictures stay."""
    assert clean_html(given).replace("'", '"') == shown
