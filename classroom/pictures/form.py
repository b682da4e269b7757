"""Read an answer of FastAPI's as a form: what was filled in, and what was marked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

Location = tuple[str | int, ...]
"""Where a value stands: `("body", "lines", 0, "price")`, as in an error's `loc`."""


class _Sent(Protocol):
    @property
    def method(self) -> str: ...
    @property
    def url(self) -> Any: ...
    @property
    def content(self) -> bytes: ...


class Reply(Protocol):
    """A response of httpx2, httpx or Starlette's TestClient."""

    @property
    def status_code(self) -> int:
        """The status of the answer."""

    @property
    def request(self) -> _Sent:
        """The request that it answers."""

    @property
    def text(self) -> str:
        """The body of the answer."""


@dataclass(frozen=True)
class Field:
    """One line of the form.

    Attributes:
        location: Where the value stands; its first word is the section of the form.
        value: The value as JSON, or None where nothing was filled in.
        marks: What the server objected to here, in its own words; empty when nothing.
    """

    location: Location
    value: str | None
    marks: tuple[str, ...] = ()

    @property
    def section(self) -> str:
        """The part of the request: path, query, header, cookie or body."""
        return str(self.location[0])

    @property
    def label(self) -> str:
        """The field's name within its section."""
        return ".".join(str(step) for step in self.location[1:]) or f"(the whole {self.section})"


@dataclass(frozen=True)
class Form:
    """A request as a form, with what the answer said about each field."""

    request: str
    status: int
    fields: tuple[Field, ...]
    remark: str
    """What the answer says about the whole, where it marks no field."""

    @property
    def marked(self) -> int:
        """How many fields were marked."""
        return sum(bool(field.marks) for field in self.fields)


def read_form(reply: Reply) -> Form:
    """Lay the request of a response out as a form and put each error at its `loc`.

    Args:
        reply: The response to a request; its JSON may hold FastAPI's list of errors.
    """
    sent = reply.request
    errors, remark = _verdict(reply.text)
    values: dict[Location, str | None] = {**dict(_query(sent.url)), **dict(_body(sent.content))}
    marks: dict[Location, list[str]] = {}
    for error in errors:
        location, said = _objection(error)
        values.setdefault(location, _input(error))
        marks.setdefault(location, []).append(said)
    order = {section: rank for rank, section in enumerate(("path", "query", "header", "cookie"))}
    fields = [
        Field(at, value, tuple(marks.get(at, ())))
        for at, value in values.items()
        if at in marks or not any(marked[: len(at)] == at for marked in marks)
    ]
    fields.sort(key=lambda field: order.get(field.section, len(order)))
    path = getattr(sent.url, "path", str(sent.url))
    return Form(f"{sent.method} {path}", reply.status_code, tuple(fields), remark)


def _verdict(text: str) -> tuple[list[dict[str, Any]], str]:
    try:
        answer = json.loads(text)
    except ValueError:
        return [], text
    detail = answer.get("detail") if isinstance(answer, dict) else None
    if isinstance(detail, list) and all(isinstance(error, dict) for error in detail):
        return detail, ""
    return [], detail if isinstance(detail, str) else ""


def _objection(error: Mapping[str, Any]) -> tuple[Location, str]:
    location: Location = tuple(error.get("loc", ())) or ("request",)
    said = str(error.get("msg", ""))
    if error.get("type") != "json_invalid":
        return location, said
    reason = error.get("ctx", {}).get("error", "")
    return location[:1], f"{said}: {reason} (at character {location[-1]})"


def _input(error: Mapping[str, Any]) -> str | None:
    if error.get("type") == "missing":
        return None
    return json.dumps(error.get("input"), ensure_ascii=False)


def _query(url: Any) -> Iterator[tuple[Location, str]]:
    query = getattr(url, "query", "")
    text = query.decode("ascii", "replace") if isinstance(query, bytes) else str(query)
    for name, value in parse_qsl(text, keep_blank_values=True):
        yield ("query", name), value


def _body(content: bytes) -> Iterator[tuple[Location, str]]:
    if not content:
        return
    text = content.decode("utf-8", "backslashreplace")
    try:
        body = json.loads(text)
    except ValueError:
        yield ("body",), text
        return
    yield from _leaves(("body",), body)


def _leaves(location: Location, value: Any) -> Iterator[tuple[Location, str]]:
    steps: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    if not steps:
        yield location, json.dumps(value, ensure_ascii=False)
    for step, inner in steps:
        yield from _leaves((*location, step), inner)
