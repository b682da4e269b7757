"""How a served app looks in a notebook and in a terminal."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from classroom.docs_page import docs_path
from classroom.jupyter_address import browser_is_elsewhere, browser_url

if TYPE_CHECKING:
    from classroom.server import Server

_HEIGHT = 760
"""Pixels of the embedded documentation."""


def as_text(server: Server) -> str:
    """Return one line for terminals and screen readers."""
    if not server.running:
        return f"{server.name!r} is stopped; run its cell again to serve it"
    docs = docs_path(server.app)
    link = f" (docs: {browser_url(server.port) + docs})" if docs else ""
    return f"Serving {server.name!r} at {server.url}{link}"


def as_html(server: Server) -> str:
    """Return a link, and the app's Swagger UI embedded where it has one."""
    if not server.running:
        return f"<p>{html.escape(as_text(server))}</p>"
    name = html.escape(server.name)
    base = browser_url(server.port)
    docs = docs_path(server.app)
    if docs is None:
        return f"<p>{_address(server)}</p>"
    href = html.escape(base + docs)
    return (
        f"<p>{_address(server)}: "
        f'<a href="{href}" target="_blank">open its documentation in a new tab</a></p>'
        f'<iframe title="Documentation of {name}" src="{href}" width="100%" height="{_HEIGHT}" '
        'style="border: 1px solid #8884" loading="lazy"></iframe>'
    )


def _address(server: Server) -> str:
    """Name the addresses: the notebook's own, and another one for a browser that is elsewhere."""
    name, href = html.escape(server.name), html.escape(browser_url(server.port) + "/")
    if browser_is_elsewhere():
        return (
            f"Serving <b>{name}</b> at <code>{server.url}</code> for this notebook, "
            f'and at <a href="{href}" target="_blank">{href}</a> for your browser'
        )
    return f'Serving <b>{name}</b> at <a href="{href}" target="_blank">{server.url}</a>'
