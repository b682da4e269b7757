"""Lesson 15's own API has none of the faults that it teaches."""

import ast
import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openapi_spec_validator import validate

LESSON = Path(__file__).parents[2] / "notebooks" / "15-api-contracts.ipynb"
CELLS = [
    cell.source
    for cell in nbformat.read(LESSON, as_version=4).cells
    if cell.cell_type == "code" and not cell.source.startswith("%%check")
]
ANSWER = {"text": "The bell is stuck.", "customer": "Ines"}


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """Write the lesson's package, and return the names that its cells define."""
    folder = tmp_path_factory.mktemp("lesson15")
    (folder / "desk" / "routers").mkdir(parents=True)
    (folder / "dist").mkdir()
    for source in CELLS:
        first, _, rest = source.partition("\n")
        if first.startswith("%%writefile"):
            path = folder / first.rpartition("{folder}/")[2]
            with path.open("a" if " -a " in first else "w") as file:
                file.write(rest + "\n")
        elif source.startswith("_ = (folder"):
            exec(source, {"folder": folder})  # noqa: S102
    sys.path.insert(0, str(folder))
    defined = {}
    exec(CELLS[0].partition("\n")[2] + "\n" + CELLS[1], defined)  # noqa: S102
    for source in CELLS:
        if "class Database:" in source or "async def ready(" in source:
            exec(source.replace("async def ask", "async def _ask"), defined)  # noqa: S102
        elif "def answers(" in source:
            defined["database"] = defined["Database"]()
            exec(source, defined)  # noqa: S102
        elif "def card_of(" in source or "def wrong_examples(" in source or "def diff(" in source:
            tree = ast.parse(source)
            kept = [node for node in tree.body if not isinstance(node, ast.Expr)]
            exec("from jsonschema import Draft202012Validator\nPicture = object", defined)  # noqa: S102
            exec(compile(ast.Module(kept, []), "lesson", "exec"), defined)  # noqa: S102
    yield defined
    sys.path.remove(str(folder))
    for module in [name for name in sys.modules if name.partition(".")[0] == "desk"]:
        del sys.modules[module]


def both_versions(*, farewell=False):
    """Return the app with both versions."""
    app = importlib.import_module("desk.main").create_app()
    app.include_router(importlib.import_module("desk.routers.cases_v2").router, prefix="/v2")
    if farewell:
        app.add_middleware(
            importlib.import_module("desk.farewell").Farewell,
            prefix="/v1/",
            since=datetime(2026, 12, 1, tzinfo=UTC),
            until=datetime(2027, 6, 1, tzinfo=UTC),
            successor="/v2/cases",
        )
    return app


def test_the_document_is_valid_and_whole(lesson):
    """Every square of the scorecard is green, and the document is OpenAPI."""
    document = both_versions().openapi()
    validate(document)
    assert all(all(answers) for answers in lesson["scorecard"](document).values())
    for module, names in {
        "models": ("NewCase", "Case", "Agent"),
        "pages": ("CasePage",),
        "routers.cases_v2": ("Customer", "NewCase2", "Case2"),
    }.items():
        for name in names:
            model = getattr(importlib.import_module(f"desk.{module}"), name)
            assert not lesson["wrong_examples"](model)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/v1/cases/99", 404, "no-such-case"),
        ("/v1/agents/99", 404, "no-such-agent"),
        ("/v1/cases/seven", 422, "invalid-request"),
        ("/v1/cases?cursor=%C3%A4", 400, "bad-cursor"),
        ("/v1/cases?cursor=eHl6", 400, "bad-cursor"),
        ("/v1/caes", 404, "about:blank"),
    ],
)
def test_every_error_is_a_problem(lesson, path, status, kind):
    """Each error has the one shape and media type."""
    reply = TestClient(importlib.import_module("desk.main").create_app()).get(path)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"].endswith(kind)
    assert reply.json()["status"] == status


def test_a_failure_tells_strangers_nothing(lesson):
    """The 500 has the same shape, and not the exception's text."""
    app = importlib.import_module("desk.main").create_app()
    app.state.store = None
    reply = TestClient(app, raise_server_exceptions=False).get("/v1/cases/1")
    assert (reply.status_code, reply.headers["content-type"]) == (500, "application/problem+json")
    assert "NoneType" not in reply.text


def test_pages_have_each_case_once_and_keep_the_filter(lesson):
    """Cases that come in between make none come twice."""
    client = TestClient(importlib.import_module("desk.main").create_app())
    for number in range(7):
        client.post("/v1/cases", json={**ANSWER, "urgent": number % 2 == 0})
    url, seen = "/v1/cases?limit=2&urgent=true", []
    while url:
        page = client.get(url).json()
        seen += page["items"]
        url = page["next"]
        client.post("/v1/cases", json={**ANSWER, "urgent": True})
    assert [case["id"] for case in seen] == [7, 5, 3, 1]
    assert all(case["urgent"] for case in seen)


def test_version_2_breaks_nobody_and_both_say_the_same_case(lesson):
    """Version 1 stays as it was, and a waiting case is open there."""
    first = importlib.import_module("desk.main").create_app().openapi()
    app = both_versions()
    assert not [one for one in lesson["diff"](first, app.openapi()) if one[0] == "BREAKING"]
    client = TestClient(app)
    new = {"question": "Is it stuck?", "customer": {"name": "Ines", "email": "i@example.com"}}
    assert client.post("/v2/cases", json=new).status_code == 201
    app.state.store.cases[1].status = "waiting"
    assert client.get("/v2/cases/1").json()["status"] == "waiting"
    assert client.get("/v1/cases/1").json() == {
        "id": 1,
        "text": "Is it stuck?",
        "customer": "Ines",
        "urgent": False,
        "status": "open",
    }


def test_the_old_version_says_goodbye_on_every_response(lesson):
    """Also a 404 and a page with a link of its own have the headers; version 2 has none."""
    client = TestClient(both_versions(farewell=True))
    for _ in range(2):
        client.post("/v1/cases", json=ANSWER)
    for path in ("/v1/cases/1", "/v1/cases/99", "/v1/cases?limit=1", "/v1/nothing"):
        reply = client.get(path)
        assert reply.headers["deprecation"] == "@1796083200"
        assert reply.headers["sunset"] == "Tue, 01 Jun 2027 00:00:00 GMT"
        assert '</v2/cases>; rel="successor-version"' in reply.headers.get_list("link")
    assert any(
        'rel="next"' in one for one in client.get("/v1/cases?limit=1").headers.get_list("link")
    )
    assert "deprecation" not in client.get("/v2/cases/1").headers


def test_ready_tells_the_truth_and_no_secret(lesson):
    """Live is live without a database; ready is not; nothing of the password is told."""
    app = FastAPI()
    app.include_router(lesson["checks"])
    client = TestClient(app)
    for mood, status in (("well", 200), ("away", 503)):
        lesson["database"].mood = mood
        assert client.get("/live").status_code == 200
        reply = client.get("/ready")
        assert reply.status_code == status
        assert "Rosebud7" not in reply.text
    assert not [line for line in lesson["logged"] if "Rosebud7" in line]
