"""A page of a served app, embedded in the notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from classroom.jupyter_address import browser_url
from classroom.pictures import Picture

if TYPE_CHECKING:
    from classroom.server import Server


def show_page(server: Server, path: str, *, text: str, height: int = 240) -> Picture:
    """Show a page of a served app below the cell, live, also behind a Jupyter proxy.

    Args:
        server: What `serve` returned.
        path: The page's path, beginning with a slash. Addresses in the page are best relative to
            it: behind JupyterHub and Binder the app stands below a prefix.
        text: What the page shows, in a sentence, for a reader without a browser.
        height: Of the embedded page, in pixels.

    Raises:
        ValueError: The text is empty.
    """
    if not text.strip():
        raise ValueError("A page needs its text: say in a sentence what it shows.")
    url = browser_url(server.port) + path
    href, title = escape(url, quote=True), escape(text, quote=True)
    return Picture(
        html=f'<p><a href="{href}" target="_blank">Open this page in a new tab</a></p>'
        f'<iframe title="{title}" src="{href}" width="100%" height="{height}" '
        'style="border: 1px solid #8884; background: white"></iframe>',
        text=f"{text} (The page: {url})",
    )
