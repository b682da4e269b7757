"""Lesson 12's own middlewares and limits are free of the faults that it teaches."""

from pathlib import Path

import nbformat
import pytest
from fastapi.testclient import TestClient

LESSON = Path(__file__).parents[2] / "notebooks" / "12-middleware.ipynb"


@pytest.fixture(scope="module")
def lesson():
    """Return the names that the lesson's cells define which hold one of these words."""
    cells = [cell for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]
    defined = {}
    exec(cells[0].source.partition("\n")[2], defined)  # noqa: S102
    words = ("class RequestId", "class WithId", "class CatchErrors", "def app_with", "class Bucket")
    for word in words:
        (source,) = [cell.source for cell in cells if word in cell.source]
        exec(source.partition("app = app_with(")[0], defined)  # noqa: S102
    return defined


@pytest.mark.parametrize("given", ["x", "a" * 65, "id with blanks", "<script>alert(1)</script>"])
def test_a_strangers_text_is_no_request_id(lesson, given):
    """Only short, plain ids from outside are kept."""
    client = TestClient(lesson["app_with"](lesson["CatchErrors"], lesson["RequestId"]))
    for id_, kept in ((given, False), ("phone-call-914", True)):
        reply = client.get("/broken", headers={"X-Request-ID": id_})
        assert reply.status_code == 500
        assert (reply.headers["x-request-id"] == id_) == kept
        assert reply.json()["request_id"] == reply.headers["x-request-id"]
        assert "division" not in reply.text


def test_the_bucket_has_no_hole_and_forgets_strangers(lesson):
    """Its burst is its capacity, its wait is exact, and full stocks are not kept."""
    bucket = lesson["Bucket"](10, 60)
    moments = [59 + n / 10 for n in range(10)] + [61 + n / 10 for n in range(10)]
    assert sum(not bucket.wait("script", moment) for moment in moments) == 10
    wait = bucket.wait("script", 62)
    assert bucket.wait("script", 62 + wait * 0.99)
    assert not bucket.wait("script", 62 + wait * 1.01)
    for number in range(50):
        bucket.wait(f"stranger {number}", 0)
    bucket.clean(200)
    assert not bucket.stock
