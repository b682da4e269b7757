"""What one submission makes the grader do, hold and write is bounded in sum."""

import time

import pytest
from nbformat import v4

from .neighbours import BIN, full_marks, neighbours

TRAILERS = """
import uvicorn.protocols.http.h11_impl as plain
import uvicorn.protocols.http.httptools_impl as quick
lines = b"".join(b"x-%d: %s\\r\\n" % (n, b"y" * 1000) for n in range(100))
def more(self):
    if not self.transport.is_closing():
        self.transport.write(lines)
        self.loop.call_later(0.001, more, self)
def on(self, data):
    self.transport.write(b"HTTP/1.1 200 OK\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n")
    self.transport.write(b"2\\r\\n[]\\r\\n0\\r\\n")
    more(self)
plain.H11Protocol.data_received = quick.HttpToolsProtocol.data_received = on
"""
CHARSET = """
import fastapi
init = fastapi.Response.init_headers
def evil(self, headers=None):
    init(self, {"content-type": "application/json; charset=punycode"})
fastapi.Response.init_headers = evil
fastapi.Response.render = lambda self, content: b"a" * 2_000_000
"""


def _loud(made):
    """Print 64 KiB in each of 1,900 cells."""
    made.cells[1:1] = [v4.new_code_cell("print('\\x07' * 65_000)") for _ in range(1_900)]


def _long(made):
    """Hand in 25 MB of source."""
    made.cells += [v4.new_code_cell("#" * 250_000) for _ in range(100)]


def _dots(made):
    """Write a line that takes a lexer minutes."""
    made.cells += [v4.new_code_cell(f"'{'a.' * 60_000}'"), v4.new_code_cell("# " + "a." * 60_000)]
    made.cells += [v4.new_code_cell("a" + ".a" * 60_000)]


ATTACKS = {
    "charset": CHARSET, "dots": _dots, "long": _long, "loud": _loud, "trailers": TRAILERS,
}  # fmt: skip


@pytest.fixture(scope="module")
def course():
    """A class, graded once."""
    with neighbours("lab01") as course:
        course.hand_in_all(ATTACKS)
        course.lines = course.grade()
        yield course


def test_the_honest_have_full_marks(course):
    """Nobody pays for another's trailers, noise or lines."""
    full_marks(course, course.lines)


def test_no_worker_grows(course):
    """A worker holds at most 300 MB beyond its start, which is about 100."""
    assert 0 < course.largest < 400 * 2**20


def test_what_is_written_is_small(course):
    """A notebook has at most 5 MB, a record 10."""
    for file in course.path.glob("autograded/**/*.ipynb"):
        assert file.stat().st_size < 5 * 2**20, file
    for file in course.path.glob(".autograder/**/*.json"):
        assert file.stat().st_size < 10 * 2**20, file


def test_time_is_counted_and_bounded(course):
    """A row says how long its judging took, whatever took it."""
    seconds = {name: line["seconds"] for name, line in course.lines.items()}
    assert max(seconds.values()) < 150, seconds


def test_the_long_and_the_loud_are_told(course):
    """Whoever is cut reads so."""
    assert any("left out" in one for one in course.lines["b-long"]["altered"])
    text = next(course.autograded("b-loud").glob("*.ipynb")).read_text()
    assert "put out more than" in text


def test_pages_are_made_quickly(course):
    """No line keeps the maker of feedback busy, and no page is large."""
    begun = time.monotonic()
    made = course.run(BIN / "nbgrader", "generate_feedback", course.lab, "--student", "b-dots")
    assert made.returncode == 0, made.stderr
    assert time.monotonic() - begun < 60
    (page,) = course.path.glob("feedback/b-dots/**/*.html")
    assert page.stat().st_size < 10 * 2**20
