"""The workshop's desk as it runs today: a Flask app, which is to be ported.

The port may import `BIKES`, `UnknownBike`, `request_id` and `ask_warehouse` from here.
`create_app` is what it replaces. Nothing in this file is to be changed.
"""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from flask import Flask

BIKES: dict[int, dict[str, Any]] = {
    7: {"name": "Grüne Möwe", "price": Decimal("1249.50"), "bought": date(2024, 3, 1)},
    8: {"name": 'Kestrel "Swift", red', "price": Decimal("890.00"), "bought": date(2025, 11, 30)},
    12: {"name": "Cargo", "price": Decimal("3100.00"), "bought": date(2026, 1, 9)},
    31: {"name": "Red Cargo", "price": Decimal("2750.00"), "bought": date(2023, 7, 14)},
}
TAGS: dict[int, set[str]] = {7: {"city"}, 8: {"race", "red"}, 12: {"cargo"}, 31: {"cargo", "red"}}

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class UnknownBike(LookupError):
    """The warehouse does not know the bike."""


def ask_warehouse(bike: int) -> int:
    """Ask how many of a bike are in stock, on behalf of the current `request_id`; this blocks.

    Raises:
        UnknownBike: It does not know the bike.
        OSError: It answers with another error.
    """
    address = urlsplit(os.environ["UPSTREAM_URL"])
    connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request("GET", f"/legacy/stock/{bike}?for={quote(request_id.get())}")
        reply = connection.getresponse()
        told = reply.read()
    finally:
        connection.close()
    if reply.status == 404:
        raise UnknownBike(bike)
    if reply.status != 200:
        raise OSError(f"The warehouse answered {reply.status}.")
    return int(json.loads(told)["value"])


def create_app(ask: Callable[[int], int] = ask_warehouse) -> Flask:
    """Return the Flask app."""
    from flask import (
        Flask,
        Response,
        abort,
        flash,
        g,
        get_flashed_messages,
        redirect,
        request,
        session,
        stream_with_context,
        url_for,
    )
    from werkzeug.exceptions import HTTPException

    app = Flask(__name__)
    app.secret_key = os.environ.get("SECRET_KEY") or secrets.token_hex(16)
    tickets: dict[str, list[dict[str, Any]]] = {}

    @app.before_request
    def begin() -> None:
        g.request_id = request.headers.get("X-Request-ID", "-")
        request_id.set(g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        return response

    @app.errorhandler(HTTPException)
    def say_what_went_wrong(error: HTTPException) -> Any:
        response = error.get_response()
        response.data = json.dumps({"error": error.name, "request": g.request_id})
        response.content_type = "application/json"
        return response

    @app.get("/bikes/<int:bike>")
    def read_bike(bike: int) -> Any:
        if bike not in BIKES:
            abort(404)
        return {"bike": bike, **BIKES[bike]}

    @app.get("/search")
    def search() -> Any:
        text = request.args.get("q")
        if text is None:
            return {"error": "q is missing"}, 400
        limit = request.args.get("limit", 10, type=int)
        tags = request.args.getlist("tag")
        expensive = request.args.get("expensive") in ("yes", "on", "1")
        found = [
            bike
            for bike, about in BIKES.items()
            if text.lower() in about["name"].lower()
            and TAGS[bike].issuperset(tags)
            and (about["price"] > 1000 or not expensive)
        ]
        return {"found": found[:limit], "limit": limit, "tags": tags, "expensive": expensive}

    @app.post("/login")
    def log_in() -> Any:
        name = request.form.get("name", "").strip()
        if not name:
            return {"error": "name is missing"}, 400
        session["customer"] = name
        flash(f"Welcome, {name}!")
        return redirect(url_for("list_tickets"))

    @app.post("/logout")
    def log_out() -> Any:
        session.clear()
        return "", 204

    @app.get("/tickets/")
    def list_tickets() -> Any:
        customer = session.get("customer") or abort(401)
        return {
            "customer": customer,
            "messages": get_flashed_messages(),
            "tickets": tickets.get(customer, []),
        }

    @app.post("/tickets/")
    def open_ticket() -> Any:
        mine = tickets.setdefault(session.get("customer") or abort(401), [])
        bike = request.form.get("bike", type=int)
        if bike not in BIKES:
            return {"error": "no such bike"}, 400
        number = len(mine) + 1
        mine.append({"ticket": number, "bike": bike, "urgent": "urgent" in request.form})
        flash(f"Ticket {number} is open.")
        return mine[-1], 201, {"Location": url_for("read_ticket", number=number)}

    @app.get("/tickets/<int:number>")
    def read_ticket(number: int) -> Any:
        mine = tickets.get(session.get("customer") or abort(401), [])
        return mine[number - 1] if 1 <= number <= len(mine) else abort(404)

    @app.get("/stock/<int:bike>")
    def read_stock(bike: int) -> Any:
        try:
            stock = ask(bike)
        except UnknownBike:
            abort(404)
        return {"bike": bike, "stock": stock, "request": g.request_id}

    @app.get("/export.csv")
    def export() -> Any:
        def lines() -> Iterator[str]:
            yield "bike,name,stock,request\r\n"
            for bike in request.args.getlist("bike", type=int):
                line = io.StringIO()
                try:
                    stock: int | str = ask(bike)
                except UnknownBike:
                    stock = "unknown"
                name = BIKES[bike]["name"] if bike in BIKES else ""
                csv.writer(line).writerow([bike, name, stock, g.request_id])
                yield line.getvalue()

        headers = {"Content-Disposition": 'attachment; filename="stock.csv"'}
        return Response(stream_with_context(lines()), headers=headers, mimetype="text/csv")

    return app


# ruff: noqa: C901, PLC0415, PLR0915, PLR2004 - as it was written
