"""The form with red ink, drawn from real answers of a real app."""

from typing import Annotated, Any

import httpx2
import pytest
from fastapi import FastAPI, HTTPException, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, Field

from classroom.pictures import show_form
from classroom.pictures.form import read_form


class Line(BaseModel):
    """One line of an order."""

    part: str
    price: float


class Order(BaseModel):
    """An order."""

    model_config = ConfigDict(extra="forbid")
    name: str
    lines: list[Line] = Field(default=[])


app = FastAPI()


@app.post("/orders/{shop}")
def order(shop: int, body: Order, copies: Annotated[int, Query(ge=1)] = 1) -> dict[str, Any]:
    """Take an order."""
    if shop == 404:
        raise HTTPException(status_code=404, detail="No such <b>shop</b>")
    return {"shop": shop, "copies": copies, "name": body.name}


@pytest.fixture
def client():
    with TestClient(app) as client:
        yield client


def _marks(reply):
    return {field.location: field.marks for field in read_form(reply).fields if field.marks}


def test_ink_stands_at_loc(client):
    """Each error marks the field that its `loc` names, in path, query and body."""
    reply = client.post("/orders/x?copies=0", json={"name": 3, "lines": []})
    assert reply.status_code == 422
    errors = {tuple(error["loc"]): (error["msg"],) for error in reply.json()["detail"]}
    assert len(errors) == 3
    assert _marks(reply) == errors
    text = show_form(reply).text
    assert "422 please correct 3 fields" in text
    assert text.index("['path', 'shop']") < text.index("['query', 'copies']")


def test_other_fields_carry_a_tick(client):
    """What the server did not object to is shown without a mark."""
    reply = client.post("/orders/1", json={"name": "Bell", "nane": "Bell"})
    fields = {field.label: field for field in read_form(reply).fields}
    assert fields["name"].marks == ()
    assert fields["name"].value == '"Bell"'
    assert fields["nane"].marks
    assert show_form(reply).html.count("cp-marked") == 1


def test_a_missing_field_is_an_empty_line(client):
    """A field that was not filled in appears, with nothing in it."""
    reply = client.post("/orders/1", json={"lines": []})
    missing = next(field for field in read_form(reply).fields if field.label == "name")
    assert missing.value is None
    assert "(nothing)" in show_form(reply).text


def test_an_empty_body_shows_only_what_is_missing(client):
    """No tick stands beside an empty body whose field is missing."""
    fields = read_form(client.post("/orders/1", json={})).fields
    assert [field.location for field in fields] == [("body", "name")]


def test_nested_fields_have_their_path(client):
    """An error deep in a list is marked at its own place only."""
    lines = [{"part": "a", "price": 1}, {"part": "b", "price": "dear"}]
    reply = client.post("/orders/1", json={"name": "Bell", "lines": lines})
    assert list(_marks(reply)) == [("body", "lines", 1, "price")]
    assert "lines.1.price" in show_form(reply).text


@pytest.mark.parametrize(
    ("content", "words"),
    [(b'{"name": ', "at character"), (b"", "Field required"), (b"\xff", "body")],
)
def test_a_body_that_cannot_be_read_is_marked_as_a_whole(client, content, words):
    """Broken JSON and a missing body are marked at the body."""
    reply = client.post("/orders/1", content=content, headers={"content-type": "application/json"})
    assert reply.status_code in {400, 422}
    text = show_form(reply).text
    assert words in text
    if reply.status_code == 422:
        assert list(_marks(reply)) == [("body",)]


def test_an_accepted_form_has_a_green_stamp(client):
    """A form that was accepted says so and has no red on it."""
    picture = show_form(client.post("/orders/1", json={"name": "Bell"}))
    assert "200 accepted" in picture.text
    assert "cp-ink" not in picture.html
    assert "cp-red" not in picture.html


def test_an_error_without_fields_is_a_remark(client):
    """An HTTPException's detail stands below the form, escaped."""
    picture = show_form(client.post("/orders/404", json={"name": "Bell"}))
    assert "404 refused" in picture.text
    assert "&lt;b&gt;shop" in picture.html


def test_a_real_client_can_be_drawn_too():
    """Answers of httpx2 over a transport are read like the test client's."""
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(422, json={"detail": [{"loc": ["query", "q"], "msg": "<i>"}]})
    )
    with httpx2.Client(transport=transport, base_url="http://desk") as client:
        reply = client.get("/search", params={"q": "<u>"})
    picture = show_form(reply)
    assert picture.text.startswith("GET /search: 422 please correct 1 field")
    assert "<u>" not in picture.html
    assert "<i>" not in picture.html


@pytest.mark.parametrize("answer", ["[1]", "null", '{"detail": [1]}', "not json", ""])
def test_answers_of_other_shapes_are_drawn(answer):
    """An answer that is not FastAPI's still gives a form without marks."""
    transport = httpx2.MockTransport(lambda _: httpx2.Response(500, text=answer))
    with httpx2.Client(transport=transport, base_url="http://desk") as client:
        assert "500 refused" in show_form(client.get("/")).text
