"""The documentation pages of a served app, without the internet."""

import re
from urllib.parse import urljoin

import pytest
from fastapi import APIRouter, FastAPI

from classroom import serve

PROXIED = {"X-Forwarded-Context": "/user/ann/proxy/41233"}


def links(page):
    return re.findall(r'(?:src|href|spec-url)="([^"]+)"', page)


@pytest.mark.parametrize("docs", ["/docs", "/help/api", "/help/"])
@pytest.mark.parametrize("schema", ["/openapi.json", "/v1/schema.json"])
def test_swagger_ui_comes_from_this_machine(docs, schema):
    """Every file that the page loads, and its schema, is answered by the server itself."""
    app = FastAPI(title="Agent Desk", docs_url=docs, openapi_url=schema)
    with serve(app) as server:
        page = server.client.get(docs).text
        assert "<title>Agent Desk - Swagger UI</title>" in page
        assert "http" not in "".join(links(page))
        found = [server.client.get(urljoin(docs, link)) for link in links(page)]
        assert [reply.status_code for reply in found] == [200, 200, 200]
        url = re.search(r"url: '([^']+)'", page)[1]
        assert server.client.get(urljoin(docs, url)).json()["info"]["title"] == "Agent Desk"


def test_redoc_comes_from_this_machine():
    """The same holds for the other documentation page."""
    with serve(FastAPI(title="Agent Desk")) as server:
        page = server.client.get("/redoc").text
        assert "<title>Agent Desk - ReDoc</title>" in page
        assert not [link for link in links(page) if link.startswith("http")]
        assert {server.client.get("/" + link).status_code for link in links(page)} == {200}


def test_the_apps_own_settings_are_kept():
    """Parameters of Swagger UI, the OAuth settings and their redirect page still count."""
    app = FastAPI(
        swagger_ui_parameters={"tryItOutEnabled": True},
        swagger_ui_init_oauth={"clientId": "desk"},
    )
    with serve(app) as server:
        page = server.client.get("/docs").text
        assert '"tryItOutEnabled": true' in page
        assert '"clientId": "desk"' in page
        assert "window.location.origin + '/docs/oauth2-redirect'" in page
        assert server.client.get("/docs/oauth2-redirect").status_code == 200
        proxied = server.client.get("/docs", headers=PROXIED).text
        assert "origin + '/user/ann/proxy/41233/docs/oauth2-redirect'" in proxied


def test_an_app_without_pages_gets_none():
    """Where the app has no documentation, or another page there, its own answer stands."""
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/redoc")
    def own():
        return "own"

    with serve(app) as server:
        assert server.client.get("/docs").status_code == 404
        assert server.client.get("/redoc").json() == "own"
        assert server.client.post("/redoc").status_code == 405


def test_a_mounted_app_has_its_own_pages():
    """The documentation of an app inside the app is served in the same way."""
    app, inner = FastAPI(title="Outer"), FastAPI(title="Inner")
    app.mount("/v2", inner)
    with serve(app) as server:
        page = server.client.get("/v2/docs").text
        assert "<title>Inner - Swagger UI</title>" in page
        assert [server.client.get("/v2/" + link).status_code for link in links(page)] == [200] * 3
        assert "<title>Outer - Swagger UI</title>" in server.client.get("/docs").text


def test_a_direct_client_sees_the_plain_app():
    """Without the proxy's header the schema names no servers; with it, the proxied path."""
    app = FastAPI()
    router = APIRouter()

    @router.get("/where")
    def where():
        return app.url_path_for("where")

    app.include_router(router)
    routes = list(app.routes)
    with serve(app) as server:
        assert "servers" not in server.client.get("/openapi.json").json()
        proxied = server.client.get("/openapi.json", headers=PROXIED).json()
        assert proxied["servers"] == [{"url": "/user/ann/proxy/41233"}]
        assert server.client.get("/where", headers=PROXIED).status_code == 200
        assert "servers" not in server.client.get("/openapi.json").json()
    assert app.routes == routes
