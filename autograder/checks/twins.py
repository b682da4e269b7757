"""Sends one request to a submission and to the WSGI app that it replaces, and compares.

The original runs in the test's own process, by its WSGI interface; a submission cannot reach it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from http.cookies import Morsel, SimpleCookie
from io import BytesIO
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx2
from werkzeug.test import EnvironBuilder, run_wsgi_app

__all__ = ["Twins"]

_BASE: Final = "http://desk.test"
_REDIRECTS: Final = range(300, 400)

Seen = dict[str, Any]
"""What is compared of a response, by name."""


class Twins:
    """A submission and its original, for one client of both, who keeps the cookies of each.

    Args:
        client: The client of the submission.
        original: The WSGI app.
    """

    def __init__(self, client: httpx2.AsyncClient, original: Any) -> None:
        self._client = client
        self._original = original
        self._cookies = SimpleCookie(), SimpleCookie()

    @property
    def cookies(self) -> SimpleCookie:
        """What the submission has set; a test may change it."""
        return self._cookies[0]

    async def ask(
        self, method: str, path: str, *, only: Iterable[str] = ("status", "body"), **request: Any
    ) -> tuple[Seen, Seen]:
        """Send a request to both; return what the submission answered, and the original.

        Args:
            method: The method.
            path: Path and query.
            only: What to return of each response: `status`, `body` (JSON as a value; nothing of
                a redirect's), `cookie` (the attributes of the first that was set), and headers
                by their names: `allow` as a set, `location` as path and query.
            request: What else `httpx2` takes: `headers`, `data`, `files`, `json`.
        """
        built = self._client.build_request(method, path, **request)
        body = built.read()
        theirs = dict(built.headers)
        original = self._ask_original(built, body, theirs)
        if self._cookies[0]:
            built.headers["cookie"] = _sent(self._cookies[0])
        if method == "HEAD":
            # A server may hang up after a HEAD whose body nobody read; the next must not notice.
            built.headers["connection"] = "close"
        self._client.cookies.clear()
        reply = await self._client.send(built)
        self._client.cookies.clear()
        kinds = original.headers.get("content-type", "")
        wanted = tuple(only)
        return (
            _seen(reply, wanted, self._cookies[0], kinds=kinds),
            _seen(original, wanted, self._cookies[1], kinds=kinds),
        )

    def _ask_original(
        self, built: httpx2.Request, body: bytes, headers: dict[str, str]
    ) -> httpx2.Response:
        if self._cookies[1]:
            headers["cookie"] = _sent(self._cookies[1])
        for name in ("host", "transfer-encoding"):
            headers.pop(name, None)
        environ = EnvironBuilder(
            method=built.method,
            path=built.url.path,
            query_string=built.url.query.decode("ascii"),
            base_url=_BASE,
            headers=list(headers.items()),
            input_stream=BytesIO(body),
            content_length=len(body),
        ).get_environ()
        pieces, status, said = run_wsgi_app(self._original, environ)
        return httpx2.Response(
            int(status.split()[0]),
            headers=list(said.items()),
            content=b"".join(pieces),
            request=built,
        )


def _sent(cookies: SimpleCookie) -> str:
    return "; ".join(f"{name}={one.coded_value}" for name, one in cookies.items())


def _seen(reply: httpx2.Response, only: tuple[str, ...], jar: SimpleCookie, *, kinds: str) -> Seen:
    set_now = [_kept(header, jar) for header in reply.headers.get_list("set-cookie")]
    seen: Seen = {}
    for name in only:
        if name == "status":
            seen[name] = reply.status_code
        elif name == "body":
            seen[name] = _body(reply, kinds)
        elif name == "cookie":
            seen[name] = set_now[0] if set_now else None
        else:
            seen[name] = _header(reply, name)
    return seen


def _body(reply: httpx2.Response, kinds: str) -> Any:
    if reply.status_code in _REDIRECTS:
        return None
    if kinds.startswith("application/json") and reply.content:
        try:
            return json.loads(reply.content)
        except ValueError:
            pass
    return reply.content.decode(errors="replace")


def _header(reply: httpx2.Response, name: str) -> Any:
    value = reply.headers.get(name)
    if value is None:
        return None
    if name == "allow":
        return sorted({one.strip() for one in value.split(",")})
    if name == "location":
        parts = urlsplit(urljoin(str(reply.request.url), value))
        return parts.path + (f"?{parts.query}" if parts.query else "")
    if name == "content-type":
        kind, _, rest = value.lower().partition(";")
        # JSON is UTF-8 by its standard, with or without a charset.
        return (
            kind.strip() if kind.strip() == "application/json" else f"{kind.strip()};{rest.strip()}"
        )
    return value


def _kept(header: str, jar: SimpleCookie) -> Seen:
    """Keep a cookie as a browser does, and return what it says of itself."""
    set_now = SimpleCookie()
    set_now.load(header)
    found: Seen = {}
    for name, one in set_now.items():
        ends = bool(one["max-age"] or one["expires"])
        if ends and _is_over(one):
            jar.pop(name, None)
        else:
            jar.pop(name, None)
            jar.load(f"{name}={one.coded_value}")
        found = {"HttpOnly": bool(one["httponly"]), "Path": one["path"], "has an end": ends}
    return found


def _is_over(one: Morsel[str]) -> bool:
    return one["max-age"] == "0" or "1970" in one["expires"] or one.value in ("", "null")
