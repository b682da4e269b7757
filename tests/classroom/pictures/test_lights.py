"""The picture of a message's bytes."""

import re
from html.parser import HTMLParser

from classroom.pictures import show_bytes

REQUEST = b'POST /notes HTTP/1.1\r\nHost: desk\r\nContent-Length: 13\r\n\r\n{"text": "hi"}'


def _words(html):
    words = []
    parser = HTMLParser()
    parser.handle_data = words.append
    parser.feed(html)
    return "".join(words)


def test_every_part_is_named_in_both_forms():
    """The names of the parts stand in the drawing and in the text, in the order of the bytes."""
    picture = show_bytes(REQUEST)
    for shown in (_words(picture.html), picture.text):
        names = re.findall(r"request line|headers|blank line|body", shown)
        assert list(dict.fromkeys(names)) == ["request line", "headers", "blank line", "body"]


def test_parts_of_the_first_line_have_captions():
    """Method, path and version stand above their words, status and reason above theirs."""
    drawn = show_bytes(REQUEST).html
    assert "<ruby>POST<rt>method</rt></ruby>" in drawn
    assert "<ruby>/notes<rt>path</rt></ruby>" in drawn
    answer = show_bytes(b"HTTP/1.1 404 Not Found\r\n\r\n").html
    assert "<ruby>404<rt>status</rt></ruby>" in answer
    assert "<ruby>Not Found<rt>reason</rt></ruby>" in answer


def test_line_ends_are_seen():
    """Both characters of a line end are written out."""
    picture = show_bytes(REQUEST)
    assert "Host: desk\\r\\n" in picture.text
    assert "Host: desk\\r\\n" in _words(picture.html)


def test_foreign_bytes_cannot_become_markup():
    """Tags, quotes and references in any part are shown, not interpreted."""
    evil = "<script>alert(1)</script>&lt;\"'"
    raw = f"GET /{evil} HTTP/1.1\r\n{evil}: {evil}\r\n\r\n{evil}".encode()
    for shown in (show_bytes(raw), show_bytes(evil.encode()), show_bytes(b"", title=evil)):
        assert "<script>" not in shown.html
        assert evil in _words(shown.html)


def test_bytes_that_are_no_text_are_escaped():
    """Undecodable bytes and invisible characters are written as escapes."""
    picture = show_bytes(b"HTTP/1.1 200 OK\r\n\r\n\xff\x00\xe2\x80\xae")
    assert r"\xff\x00\u202e" in picture.text
    assert "\x00" not in picture.html
    assert "\u202e" not in picture.html


def test_a_missing_blank_line_is_said():
    """An unfinished request says what the other side waits for."""
    assert "goes on waiting" in show_bytes(b"GET / HTTP/1.1\r\nHost: x\r\n").text


def test_the_length_of_a_body_is_compared():
    """The remark on a body says whether Content-Length is right."""
    assert "14 bytes, but Content-Length says 13" in show_bytes(REQUEST).text
    right = REQUEST.replace(b"13", b"14")
    assert "14 bytes, as Content-Length says" in show_bytes(right).text
    assert "0 bytes, but Content-Length says 13" in show_bytes(REQUEST[:-14]).text


def test_a_long_body_is_cut():
    """A body of a megabyte does not fill the notebook."""
    picture = show_bytes(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000)
    assert len(picture.html) < 10_000
    assert "1000000 bytes" in picture.text


def test_the_notebook_gets_both_forms():
    """A cell shows the drawing with its styles, a terminal the words."""
    picture = show_bytes(REQUEST)
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == picture.text == str(picture)
    assert bundle["text/html"].startswith("<style>")
    assert bundle["text/html"].endswith(picture.html)
    assert "<script" not in bundle["text/html"]
