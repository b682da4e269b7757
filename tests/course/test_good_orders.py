"""The examples to copy of lesson 02 have none of the faults that their lesson shows."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from fastapi.testclient import TestClient

ROOT = Path(__file__).parents[2]
IMPORTS = """
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Path

KEYS = {"key-amara": "Amara", "key-bob": "Bob"}
"""
BEGINS = ("app = FastAPI(title", "log: list", "shop = ", "class OrderBook", "guard = Depends")
DRAWS = "with serve(shop)"
BOB, AMARA = {"X-Api-Key": "key-bob"}, {"X-Api-Key": "key-amara"}


@pytest.fixture
def lesson(tmp_path):
    """Run the cells that define the examples, and nothing else of the lesson."""
    cells = nbformat.read(ROOT / "notebooks" / "02-dependency-injection.ipynb", as_version=4).cells
    code = [next(cell.source for cell in cells if cell.source.startswith(one)) for one in BEGINS]
    module = tmp_path / "example.py"
    module.write_text("\n\n".join([IMPORTS, *code]).partition(DRAWS)[0], encoding="utf-8")
    return SimpleNamespace(**runpy.run_path(str(module)))


@pytest.fixture
def client(lesson):
    """Return a client of the started app."""
    with TestClient(lesson.shop, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/orders/bell", "/workshop/orders/bell"])
def test_an_order_is_committed_once_and_its_session_closed(lesson, client, path):
    """The guard, the repository and the route share one session."""
    assert client.post(path, headers=BOB).status_code == 201
    assert lesson.log == ["open", "commit", "close"]
    assert lesson.orders == ["bell for Bob"]


def test_a_refused_order_is_rolled_back_and_its_session_closed(lesson, client):
    """The client reads the 409, and nothing is stored."""
    assert client.post("/orders/battery", headers=BOB).status_code == 409
    assert lesson.log == ["open", "rollback", "close"]
    assert not lesson.orders


def test_a_failing_commit_is_not_a_201(lesson, client, monkeypatch):
    """The session is rolled back and closed, and the client reads an error."""

    async def fail(_session):
        raise OSError

    monkeypatch.setattr(lesson.Session, "commit", fail)
    assert client.post("/orders/bell", headers=BOB).status_code == 500
    assert lesson.log == ["open", "rollback", "close"]


@pytest.mark.parametrize(("headers", "status"), [(BOB, 201), (AMARA, 403), ({}, 401)])
def test_the_guard_of_the_workshop_lets_in_the_mechanic_only(client, headers, status):
    """Who is known and may not gets 403; who is not known gets 401."""
    assert client.post("/workshop/orders/bell", headers=headers).status_code == status


def test_a_part_with_a_very_long_name_is_refused_and_nothing_is_stored(lesson, client):
    """The client gets a 422, and the route is not called."""
    assert client.post(f"/workshop/orders/{'x' * 41}", headers=BOB).status_code == 422
    assert not lesson.orders
