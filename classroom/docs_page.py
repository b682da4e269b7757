"""The documentation pages of a served app, from this machine's files.

FastAPI's `/docs` loads Swagger UI from a public server. `DocsPage` stands around an app,
answers its documentation pages from the files of the `fastapi-offline` package, and leaves the
app itself unchanged.
"""

from __future__ import annotations

import posixpath
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.datastructures import Headers
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.responses import HTMLResponse
    from starlette.types import ASGIApp, Receive, Scope, Send

_FILES = "_docs-files"


def _static_folder() -> Path:
    spec = find_spec("fastapi_offline")  # its import would be slower, and is not needed
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "static"


def docs_path(app: ASGIApp) -> str | None:
    """Return the path of the app's Swagger UI, or None where it has none."""
    return app.docs_url if isinstance(app, FastAPI) and app.openapi_url else None


class DocsPage:
    """An ASGI app around another one, which may be anything.

    Behind jupyter-server-proxy it also tells the app its root path, from the proxy's own
    header; a direct client sees the plain app.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._files = StaticFiles(directory=_static_folder())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a documentation page, or pass the request on."""
        page = self._page(scope) if scope["type"] == "http" else None
        if page is not None:
            await page(scope, receive, send)
            return
        await self.app(_behind_proxy(scope, self.app), receive, send)

    def _page(self, scope: Scope) -> ASGIApp | None:
        if scope["method"] not in ("GET", "HEAD"):
            return None
        path: str = scope["path"]
        folder, _, name = path.rpartition("/")
        if folder.endswith("/" + _FILES):
            return self._file(name)
        owner = _owner(self.app, path)
        if owner is None:
            return None
        app, prefix = owner
        if path == prefix + (app.docs_url or "\0"):
            return _swagger(app, prefix, _context_path(scope))
        if path == prefix + (app.redoc_url or "\0"):
            return _redoc(app)
        return None

    def _file(self, name: str) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await self._files({**scope, "path": "/" + name, "root_path": ""}, receive, send)

        return answer


def _owner(app: object, path: str, prefix: str = "") -> tuple[FastAPI, str] | None:
    """Return the app, or the app mounted in it, that documents itself at `path`."""
    if not isinstance(app, FastAPI):
        return None
    if app.openapi_url and path in (
        prefix + (app.docs_url or "\0"),
        prefix + (app.redoc_url or "\0"),
    ):
        return app, prefix
    for route in app.routes:
        if isinstance(route, Mount) and path.startswith(prefix + route.path + "/"):
            return _owner(route.app, path, prefix + route.path)
    return None


def _swagger(app: FastAPI, prefix: str, context: str) -> HTMLResponse:
    assert app.docs_url is not None
    redirect = app.swagger_ui_oauth2_redirect_url
    return get_swagger_ui_html(
        openapi_url=_openapi_from(app, app.docs_url),
        title=f"{app.title} - Swagger UI",
        swagger_js_url=f"{_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{_FILES}/swagger-ui.css",
        swagger_favicon_url=f"{_FILES}/favicon.png",
        oauth2_redirect_url=context + prefix + redirect if redirect else None,
        init_oauth=app.swagger_ui_init_oauth,
        swagger_ui_parameters=app.swagger_ui_parameters,
    )


def _redoc(app: FastAPI) -> HTMLResponse:
    assert app.redoc_url is not None
    return get_redoc_html(
        openapi_url=_openapi_from(app, app.redoc_url),
        title=f"{app.title} - ReDoc",
        redoc_js_url=f"{_FILES}/redoc.standalone.js",
        redoc_favicon_url=f"{_FILES}/favicon.png",
        with_google_fonts=False,
    )


def _openapi_from(app: FastAPI, page: str) -> str:
    """Return the schema's URL relative to the page, so that any proxy's prefix fits."""
    assert app.openapi_url is not None
    return posixpath.relpath(app.openapi_url, posixpath.dirname(page))


def _context_path(scope: Scope) -> str:
    headers = Headers(scope=scope)
    context = headers.get("x-forwarded-context") or headers.get("x-proxycontextpath") or ""
    return context.rstrip("/")


def _behind_proxy(scope: Scope, app: ASGIApp) -> Scope:
    context = _context_path(scope) if scope["type"] in ("http", "websocket") else ""
    if not context or (isinstance(app, FastAPI) and app.root_path):
        return scope
    # As uvicorn does with --root-path: the path begins with the root path.
    raw = scope.get("raw_path")
    return {
        **scope,
        "root_path": context,
        "path": context + scope["path"],
        "raw_path": None if raw is None else context.encode() + raw,
    }
