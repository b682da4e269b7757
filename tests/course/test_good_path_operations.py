"""Lesson 01 is free of the faults that it teaches."""

from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from fastapi.testclient import TestClient

LESSON = Path(__file__).parents[2] / "notebooks" / "01-path-operations.ipynb"
TRIES = "\n\nwith serve("
"""What begins the part of a cell that only sends requests."""


@pytest.fixture(scope="module")
def lesson():
    """Return the names that the lesson's cells define which hold one of these words."""
    cells = [cell for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]
    imports = cells[0].source.partition("\n")[2]

    def names(*words):
        chosen = [cell.source for cell in cells if any(word in cell.source for word in words)]
        assert chosen
        defined = {}
        exec("\n".join([imports, *(source.partition(TRIES)[0] for source in chosen)]), defined)  # noqa: S102
        return defined

    return names


def test_the_good_version_refuses_what_the_bad_one_takes(lesson):
    """Blanks, unknown fields, dates from outside and any other language model get a 422."""
    client = TestClient(lesson("good = FastAPI(", '@good.post("/chats"')["good"])
    for wrong in (
        {"message": " "},
        {"message": "Hello", "temprature": 9},
        {"message": "Hello", "created_at": "1999-01-01"},
        {"message": "Hello", "model": "most-expensive"},
    ):
        assert client.post("/chats", json=wrong).status_code == 422


def test_the_location_of_the_good_version_can_be_read(lesson):
    """A new chat is where its `Location` says, and its time has a zone."""
    client = TestClient(lesson("good = FastAPI(", '@good.post("/chats"')["good"])
    made = client.post("/chats", json={"message": " Hello "})
    assert made.status_code == 201
    read = client.get(made.headers["location"])
    assert read.status_code == 200
    assert read.json() == made.json()
    assert datetime.fromisoformat(read.json()["created_at"]).tzinfo


def test_a_patch_publishes_no_default(lesson):
    """No field of the PATCH has a default that a reader of the documentation could believe."""
    schema = lesson("class SettingsPatch(BaseModel)")["SettingsPatch"].model_json_schema()
    assert not [name for name, field in schema["properties"].items() if "default" in field]
    assert "required" not in schema
