"""Lesson 13's own upload and download routes are free of the faults that it teaches."""

import asyncio
from pathlib import Path

import nbformat
import pytest
from fastapi import HTTPException
from fastapi.testclient import TestClient
from starlette.requests import ClientDisconnect

LESSON = Path(__file__).parents[2] / "notebooks" / "13-files.ipynb"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
HORVAT = {"X-User": "horvat"}


@pytest.fixture
def lesson(tmp_path):
    """Return the names that the lesson's cells define which hold one of these words."""
    cells = [cell for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]
    defined = {"FOLDER": tmp_path, "MB": 2**20}
    exec(cells[0].source.partition("\n")[2], defined)  # noqa: S102
    words = (
        "async def received(",
        "def display_name(",
        "def kind_of(",
        "async def head_of(",
        "class Quota:",
        "SAFE = {",
        "class Record:",
        '@files_app.post("/files"',
        "def small_jpeg(",
        "def black_png(",
        "from PIL import",
    )
    for word in words:
        (source,) = [cell.source for cell in cells if word in cell.source]
        for end in ("@app.put(", "for name in (", "for head in (", "bomb = FOLDER"):
            source = source.partition(end)[0]
        exec(source, defined)  # noqa: S102
    return defined


@pytest.fixture
def client(lesson):
    """Return a client of the lesson's app."""
    return TestClient(lesson["files_app"])


def leftovers(lesson):
    """Return how many files there are, and what is booked for the user."""
    return len([*lesson["files"].iterdir()]), lesson["quota"].used["horvat"]


def one_by_one(content):
    """Yield the bytes of a body one by one."""
    for number in content:
        yield bytes([number])


def test_a_file_comes_back_whole_in_part_and_safe(client):
    """Name, type and headers are the server's, and a range is answered."""
    path = "/files?name=..%2F..%2Fa%0D%0A.html"
    claimed = HORVAT | {"Content-Type": "text/html"}
    file_id = client.post(path, content=one_by_one(PNG), headers=claimed).json()
    whole = client.get(f"/files/{file_id}", headers=HORVAT)
    assert (whole.content, whole.headers["content-type"]) == (PNG, "image/png")
    assert whole.headers["content-disposition"] == 'attachment; filename="a.html"'
    assert whole.headers["x-content-type-options"] == "nosniff"
    resumed = HORVAT | {"Range": "bytes=-8", "If-Range": whole.headers["etag"]}
    part = client.get(f"/files/{file_id}", headers=resumed)
    assert (part.status_code, part.content) == (206, PNG[-8:])
    assert client.get(f"/files/{file_id}", headers={"X-User": "mei"}).status_code == 404


@pytest.mark.parametrize(
    ("content", "most", "status"),
    [(b"<script>alert(1)</script>", 10**6, 415), (b"", 10**6, 415), (PNG, 5_000, 413)],
)
def test_what_is_refused_leaves_nothing(lesson, client, content, most, status):
    """A page, an empty body and a file above the quota leave no file and nothing booked."""
    lesson["quota"].most = most
    sent = (content[at : at + 1_000] for at in range(0, len(content), 1_000))
    assert client.post("/files", content=sent, headers=HORVAT).status_code == status
    assert leftovers(lesson) == (0, 0)


def test_a_body_that_breaks_off_leaves_nothing(lesson):
    """A client that hangs up in the middle leaves no file and nothing booked."""
    messages = [
        {"type": "http.request", "body": PNG[:4_000], "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/files",
        "query_string": b"",
        "headers": [(b"x-user", b"horvat")],
    }

    async def receive():
        return messages.pop(0)

    async def send(_message):
        pass

    with pytest.raises(ClientDisconnect):
        asyncio.run(lesson["files_app"](scope, receive, send))
    assert not messages
    assert leftovers(lesson) == (0, 0)


def test_a_bomb_and_a_broken_picture_are_refused(lesson, tmp_path):
    """Neither is decoded."""
    for content in (lesson["black_png"](6_000), PNG, lesson["black_png"](10)[:-30]):
        (tmp_path / "picture").write_bytes(content)
        with pytest.raises(HTTPException) as refused:
            lesson["small_jpeg"](tmp_path / "picture")
        assert refused.value.status_code == 422
