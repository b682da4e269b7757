"""A page of a served app, embedded in the notebook."""

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from classroom import serve
from classroom.pages import show_page

app = FastAPI()


@app.get("/page", response_class=HTMLResponse)
async def page():
    """Return a page."""
    return "<p>Words</p>"


def test_a_page_is_embedded_and_has_a_text():
    """The embedded page and its link lead to the app; a terminal gets the text and the address."""
    with serve(app) as server:
        shown = show_page(server, "/page", text='A "word"', height=100)
        assert f'src="{server.url}/page"' in shown.html
        assert 'title="A &quot;word&quot;"' in shown.html
        assert 'height="100"' in shown.html
        assert str(shown) == f'A "word" (The page: {server.url}/page)'


def test_behind_jupyter_a_page_has_the_proxy_s_address(monkeypatch):
    """Behind JupyterHub and Binder the browser reaches the page through the proxy."""
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ann/")
    with serve(app) as server:
        assert (
            f'src="/user/ann/proxy/{server.port}/page"' in show_page(server, "/page", text="x").html
        )


def test_a_page_without_a_text_is_refused():
    """A reader without a browser gets words."""
    with serve(app) as server, pytest.raises(ValueError, match="needs its text"):
        show_page(server, "/page", text=" ")
