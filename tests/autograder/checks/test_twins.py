"""A differential test compares what a port's clients see, and nothing else."""

import asyncio
import json
from pathlib import Path
from secrets import token_hex

import httpx2
import pytest
from fastapi import FastAPI, Response
from flask import Flask, make_response, redirect, request, session

from autograder.checks.twins import Twins

ROOT = Path(__file__).parents[3]


def flask_app():
    """Return an original that has of everything one."""
    app = Flask(__name__)
    app.secret_key = token_hex()

    @app.route("/items/", methods=["GET", "POST"])
    def items():
        return {"b": 1, "a": request.args.getlist("n"), "form": request.form.get("x")}

    @app.get("/text")
    def text():
        return make_response("a,b\r\n", 200, {"Content-Type": "text/csv; charset=utf-8"})

    @app.get("/away")
    def away():
        return redirect("/items/?n=1")

    @app.post("/in")
    def log_in():
        session["name"] = "Mei"
        return ""

    @app.get("/who")
    def who():
        return {"name": session.get("name")}

    return app


def twins_of(app):
    """Return twins of an app and the original."""
    transport = httpx2.ASGITransport(app)
    return Twins(httpx2.AsyncClient(transport=transport, base_url="http://port"), flask_app())


def asked(twins, method, path, **request):
    """Return what both answered."""
    return asyncio.run(twins.ask(method, path, **request))


def answering(path, *, method="GET", **response):
    """Return an app that has one answer."""
    app = FastAPI()

    @app.api_route(path, methods=[method])
    async def answer() -> Response:
        return Response(**response)

    return app


def test_json_is_compared_as_a_value():
    """Order and spaces of JSON are free."""
    body = json.dumps({"form": None, "a": ["1", "2"], "b": 1}, indent=2)
    app = answering("/items/", content=body, media_type="application/json; charset=utf-8")
    got, expected = asked(
        twins_of(app), "GET", "/items/?n=1&n=2", only=["status", "body", "content-type"]
    )
    assert got == expected


def test_text_is_compared_character_by_character():
    """A line feed is no carriage return and line feed."""
    got, expected = asked(twins_of(answering("/text", content="a,b\n")), "GET", "/text")
    assert got["status"] == expected["status"]
    assert got["body"] != expected["body"]


@pytest.mark.parametrize("location", ["/items/?n=1", "http://port/items/?n=1", "items/?n=1"])
def test_a_location_is_where_it_leads(location):
    """It may be absolute or relative, and a redirect's body is free."""
    app = answering("/away", status_code=302, headers={"Location": location})
    got, expected = asked(twins_of(app), "GET", "/away", only=["status", "body", "location"])
    assert got == expected


def test_allow_is_a_set():
    """Order and spaces of Allow are free."""
    app = answering(
        "/items/", method="PUT", status_code=405, headers={"Allow": "POST,OPTIONS,HEAD, GET"}
    )
    got, expected = asked(twins_of(app), "PUT", "/items/", only=["status", "allow"])
    assert got == expected


def test_both_get_the_same_body():
    """A form reaches the original as it reaches the port."""
    twins = twins_of(answering("/items/", method="POST", content="{}"))
    for body in ({"data": {"x": "é"}}, {"files": {"x": (None, "é")}}):
        _, expected = asked(twins, "POST", "/items/", **body)
        assert expected["body"]["form"] == "é"


def test_cookies_are_kept_for_each():
    """Each side's own cookie goes back to it, and an ended one does not."""
    app = answering("/in", method="POST", headers={"Set-Cookie": "key=abc; HttpOnly; Path=/"})

    @app.get("/out")
    async def out() -> Response:
        return Response(headers={"Set-Cookie": "key=; Max-Age=0; Path=/"})

    twins = twins_of(app)
    got, expected = asked(twins, "POST", "/in", only=["status", "cookie"])
    assert got == expected
    assert got["cookie"] == {"HttpOnly": True, "Path": "/", "has an end": False}
    _, expected = asked(twins, "GET", "/who")
    assert expected["body"] == {"name": "Mei"}
    assert twins.cookies["key"].value == "abc"
    asked(twins, "GET", "/out")
    assert not twins.cookies


def test_the_trusted_original_is_what_the_student_reads():
    """Lab 17's file and the copy that the checks run differ in nothing but lint's last line."""

    def code(path):
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        return [line for line in lines if not line.startswith("# ruff: noqa")]

    assert code("content/labs/17-wsgi-and-asgi/original.py") == code("classroom/workshop_desk.py")
