"""Nbgrader's own feedback pages show what a submission says, and run none of it."""

from html.parser import HTMLParser

import pytest

from .conftest import ATTACKS
from .with_markup import MARK

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
ADDRESSES = {"href", "src", "action", "formaction", "data", "xlink:href", "srcdoc", "style"}


class Running(HTMLParser):
    """Collects what a browser would run, fetch or obey."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.scripts, self.found, self.text = [], [], []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self._inside = tag if tag in {"script", "style"} else self._inside
        for name, value in attrs:
            if name.startswith("on") or (name in ADDRESSES and MARK in (value or "")):
                self.found.append((tag, name, value))
        if tag in {"iframe", "object", "embed", "base", "form", "svg", "foreignobject"}:
            self.found.append((tag, "", ""))

    def handle_endtag(self, tag):
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data):
        (self.scripts if self._inside else self.text).append(data)


@pytest.fixture(scope="session")
def plain(graded, feedback):
    """What runs in the page of a student who did nothing wrong."""
    return Running(graded.room.feedback("amy").read_text())


@pytest.mark.parametrize(
    "name",
    [attack.name for attack in ATTACKS if attack.name.startswith(("markup", "answers", "file-"))],
)
def test_a_page_runs_nothing_of_the_submission(name, plain, graded, feedback):
    """Scripts, handlers and frames are those of nbgrader's own page, and no more."""
    page = Running(graded.room.feedback(name).read_text())
    assert [script for script in page.scripts if MARK in script or "alert(4)" in script] == []
    assert page.found == plain.found
    assert len(page.scripts) == len(plain.scripts)


@pytest.mark.parametrize(
    "name", [attack.name for attack in ATTACKS if attack.name.startswith("markup-in")]
)
def test_what_was_said_is_still_there_to_read(name, graded, feedback):
    """The markup is shown as text, so the test above has seen it."""
    page = Running(graded.room.feedback(name).read_text())
    assert MARK in "".join(page.text)
