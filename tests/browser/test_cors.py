"""What lesson 12 says of CORS, as a real browser decides it."""

import pytest
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse

from classroom.serving import BackgroundServer

pytestmark = pytest.mark.browser

READ = """async ([url, options]) => {
    try {
        const reply = await fetch(url, options);
        return [reply.status, await reply.json(), reply.headers.get("x-request-id")];
    } catch (error) { return String(error); }
}"""
BLOCKED = "TypeError: Failed to fetch"
AS_JSON = {"method": "POST", "body": "{}", "headers": {"Content-Type": "application/json"}}


class Api:
    """An API that notes which requests reached a route."""

    def __init__(self, **cors):
        self.arrived = []
        self.app = FastAPI()

        @self.app.get("/me")
        def me():
            self.arrived.append("GET")
            return "personal"

        @self.app.post("/cases")
        def cases(case: dict):
            self.arrived.append("POST")
            return case

        @self.app.get("/broken")
        def broken():
            self.arrived.append("broken")
            return 1 / 0

        if cors:
            self.app.add_middleware(CORSMiddleware, **cors)


@pytest.fixture
def page(browser):
    """A page of one origin, and the origin."""
    shop = FastAPI()
    shop.get("/", response_class=HTMLResponse)(lambda: "<!doctype html><title>shop</title>")
    with BackgroundServer(shop) as server, browser.new_context() as context:
        page = context.new_page()
        page.goto(server.url)
        yield page, server.url


def test_without_cors_a_page_reads_nothing_and_a_get_runs_all_the_same(page):
    """A GET reaches the route, a POST with JSON does not, and the page reads neither."""
    window, _ = page
    api = Api()
    with BackgroundServer(api.app) as server:
        assert window.evaluate(READ, [f"{server.url}/me", {}]) == BLOCKED
        assert window.evaluate(READ, [f"{server.url}/cases", AS_JSON]) == BLOCKED
    assert api.arrived == ["GET"]


def test_an_allowed_page_reads_and_another_does_not(page):
    """The exact list lets one origin read, after a preflight too."""
    window, origin = page
    allowed = Api(allow_origins=[origin], allow_methods=["POST"])
    other = Api(allow_origins=["https://shop.kestrel.example"], allow_methods=["POST"])
    with BackgroundServer(allowed.app) as server:
        assert window.evaluate(READ, [f"{server.url}/me", {}]) == [200, "personal", None]
        assert window.evaluate(READ, [f"{server.url}/cases", AS_JSON]) == [200, {}, None]
    with BackgroundServer(other.app) as server:
        assert window.evaluate(READ, [f"{server.url}/me", {}]) == BLOCKED
        assert window.evaluate(READ, [f"{server.url}/cases", AS_JSON]) == BLOCKED
    assert other.arrived == ["GET"]


def test_a_star_with_credentials_lets_any_page_read(page):
    """With a cookie sent along, a page that nobody named reads the response."""
    window, _ = page
    with BackgroundServer(Api(allow_origins=["*"], allow_credentials=True).app) as server:
        window.context.add_cookies([{"name": "session", "value": "1", "url": server.url}])
        with_cookies = [f"{server.url}/me", {"credentials": "include"}]
        assert window.evaluate(READ, with_cookies) == [200, "personal", None]
    with BackgroundServer(Api(allow_origins=["*"]).app) as server:
        with_cookies = [f"{server.url}/me", {"credentials": "include"}]
        assert window.evaluate(READ, with_cookies) == BLOCKED


def test_an_unhandled_error_looks_like_cors(page):
    """A 500 has no CORS headers, so an allowed page reads nothing of it."""
    window, origin = page
    api = Api(allow_origins=[origin])
    with BackgroundServer(api.app) as server:
        assert window.evaluate(READ, [f"{server.url}/broken", {}]) == BLOCKED
    assert api.arrived == ["broken"]


def test_a_page_of_another_origin_in_lesson_12(notebook):
    """In the lesson, the page reads nothing at first, and later all three responses."""
    notebook.open("notebooks/12-middleware.ipynb")
    notebook.run_all()
    seen = {}
    for name, source in (("closed", "def page_that_asks"), ("open", 'as_a_browser_sees("open"')):
        cell = notebook.with_source(source)
        cell.scroll_into_view_if_needed()
        items = cell.frame_locator("iframe").locator("li")
        items.nth(2).wait_for()
        seen[name] = items.all_text_contents()
    assert seen["closed"] == [
        f"{request}: {BLOCKED}" for request in ("GET /cases", "POST /cases", "GET /broken")
    ]
    assert seen["open"][:2] == ['GET /cases: 200 ["brake","bell"]', 'POST /cases: 200 "opened"']
    assert seen["open"][2].startswith("GET /broken: 500 ")
