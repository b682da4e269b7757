"""The recorded way of a request, and its drawing."""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI

from classroom.pictures import show_journey, trace

app = FastAPI()
journey = trace(app)


@app.post("/notes", status_code=201)
def make_note(body: dict[str, str]) -> dict[str, str]:
    """Make a note."""
    journey.note("make_note <runs>")
    return body


def _ask(method, path, **body):
    async def ask():
        transport = httpx2.ASGITransport(app=journey)
        async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
            return await client.request(method, path, **body)

    return asyncio.run(ask())


@pytest.fixture
def reply():
    journey.steps.clear()
    return _ask("POST", "/notes", json={"text": "hi"})


def test_the_app_answers_as_before(reply):
    """A traced app gives the app's own answer."""
    assert reply.status_code == 201
    assert reply.json() == {"text": "hi"}


def test_messages_are_in_order(reply):
    """First the scope, then the body, then the function, then start and body of the answer."""
    names = [step.name for step in journey.steps]
    assert names[0] == "http scope"
    assert names[1] == "http.request"
    assert names[-2:] == ["http.response.start", "http.response.body"]
    assert names.index("http.request") < names.index("make_note <runs>")
    assert names.index("make_note <runs>") < names.index("http.response.start")


def test_details_say_what_was_carried(reply):
    """The steps carry method and path, status and sizes."""
    details = " | ".join(step.detail for step in journey.steps)
    assert "POST /notes" in details
    assert "status 201" in details
    assert f"{len(reply.content)} bytes" in details


def test_times_never_go_back(reply):
    """Each step is no earlier than the one before it."""
    times = [step.at for step in journey.steps]
    assert times == sorted(times)


def test_the_drawing_has_every_step_and_a_text(reply):
    """Each step stands in the drawing, in its label and in the text; notes are escaped."""
    picture = show_journey(journey)
    for step in journey.steps:
        assert step.name in picture.text
    assert "http.response.start" in picture.html
    assert "<runs>" not in picture.html
    assert 'role="img"' in picture.html


def test_a_new_request_replaces_the_old_one(reply):
    """Only the latest request is kept."""
    before = len(journey.steps)
    _ask("GET", "/nowhere")
    assert "GET /nowhere" in show_journey(journey).text
    assert len(journey.steps) < before


def test_nothing_to_draw_says_what_to_do():
    """Drawing before any request explains itself."""
    with pytest.raises(ValueError, match="send one, then draw"):
        show_journey(trace(app))
