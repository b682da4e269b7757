"""`embedded_page(server, "/live")`: a page of a served app, inside the notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from classroom.jupyter_address import browser_url
from classroom.pictures import Picture

if TYPE_CHECKING:
    from classroom.server import Server


def embedded_page(server: Server, path: str, *, text: str, height: int = 240) -> Picture:
    """Show a page that `server` serves, where the reader's browser finds it.

    Behind JupyterHub or Binder the page comes through jupyter-server-proxy, so that its own
    links and requests must be relative (`live/events`, not `/live/events`).

    Args:
        server: What `serve(app)` returned.
        path: The page's path, such as `/live`.
        text: What happens on the page, in a sentence, for a reader without a browser.
        height: Its height in pixels.

    Raises:
        ValueError: When the text is empty.
    """
    if not text.strip():
        raise ValueError("A page needs its text: say in a sentence what happens on it.")
    href = escape(browser_url(server.port) + path)
    return Picture(
        html=(
            f'<iframe title="{escape(text)}" src="{href}" width="100%" height="{height}" '
            'style="border: 1px solid #8884; background: #fff"></iframe>'
            f'<p><a href="{href}" target="_blank">Open this page in a new tab</a></p>'
        ),
        text=text,
    )
