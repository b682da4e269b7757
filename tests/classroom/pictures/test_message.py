"""Reading HTTP messages from raw bytes."""

import pytest

from classroom.pictures.message import read_message

REQUEST = b"POST /notes HTTP/1.1\r\nHost: desk\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    "raw",
    [
        REQUEST,
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\na\n\nb",
        b"GET / HTTP/1.1\r\nHost: x",
        b"\xff\x00 nonsense \r\n\r\n\r\n",
        b"\r\n\r\n",
        b"",
    ],
)
def test_no_byte_is_lost(raw):
    """The parts of any message, however broken, join to its bytes."""
    message = read_message(raw)
    parts = [message.start, *message.headers, message.blank, message.body]
    assert b"".join(parts) == raw


def test_request_is_split_into_its_parts():
    """A request has a line, headers, a blank line and a body."""
    message = read_message(REQUEST)
    assert message.kind == "request"
    assert message.start == b"POST /notes HTTP/1.1\r\n"
    assert message.headers == (b"Host: desk\r\n", b"Content-Length: 2\r\n")
    assert message.blank == b"\r\n"
    assert message.body == b"{}"


def test_response_is_known_by_its_first_line():
    """A line that begins with the protocol and a status opens a response."""
    assert read_message(b"HTTP/1.1 404 Not Found\r\n\r\n").kind == "response"


@pytest.mark.parametrize("line", [b"HELLO", b"GET /", b"HTTP/1.1 OK", b"GET /a b HTTP/1.1", b""])
def test_other_first_lines_are_unknown(line):
    """A first line of neither form is not taken for one."""
    assert read_message(line + b"\r\n\r\n").kind == "unknown"


def test_a_blank_line_that_never_came_is_empty():
    """Without a blank line all lines are headers and there is no body."""
    message = read_message(b"GET / HTTP/1.1\r\nHost: x\r\n")
    assert message.blank == b""
    assert message.body == b""
    assert message.headers == (b"Host: x\r\n",)


def test_header_names_have_no_case():
    """A header is found under any case of its name."""
    assert read_message(REQUEST).header("content-LENGTH") == "2"
    assert read_message(REQUEST).promised == 2


@pytest.mark.parametrize("value", [b"two", b"-1", b"", b"1.5"])
def test_a_length_that_is_no_number_promises_nothing(value):
    """A Content-Length that is not a whole number is ignored."""
    raw = b"GET / HTTP/1.1\r\nContent-Length: " + value + b"\r\n\r\n"
    assert read_message(raw).promised is None
