"""A page of a served app inside a notebook."""

import pytest
from fastapi import FastAPI

from classroom import serve
from classroom.embedded_page import embedded_page

pytestmark = pytest.mark.usefixtures("_no_jupyter")


@pytest.fixture
def _no_jupyter(monkeypatch):
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)


def test_it_shows_the_page_where_the_app_is_served():
    """Without a Jupyter server the page is this machine's."""
    with serve(FastAPI()) as server:
        page = embedded_page(server, "/live", text="Words arrive.")
        shown = page._repr_mimebundle_()
        assert f'src="{server.url}/live"' in shown["text/html"]
        assert shown["text/plain"] == "Words arrive."


def test_behind_a_jupyter_server_it_goes_through_its_proxy(monkeypatch):
    """JupyterHub's and Binder's readers sit elsewhere."""
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ann/")
    with serve(FastAPI()) as server:
        page = embedded_page(server, "/live", text="Words arrive.")
        assert f'src="/user/ann/proxy/{server.port}/live"' in page.html


def test_a_page_needs_its_text():
    """A reader without a browser is told what happens."""
    with serve(FastAPI()) as server, pytest.raises(ValueError, match="needs its text"):
        embedded_page(server, "/live", text=" ")
