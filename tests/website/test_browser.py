"""The site in a real browser: each page at two widths and in both themes, and its search."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from lab_page import HOW_TO_INSTALL, chromium, started_browser

pytestmark = pytest.mark.browser

LOOKS = [
    pytest.param(width, theme, id=f"{width}-{theme}")
    for width in (1280, 420)
    for theme in ("light", "dark")
]
CONCEPTS = {
    "dependency injection": "02-dependency-injection",
    "discriminated union": "03-pydantic",
    "blocked event loop": "04-blocked-loop",
    "TaskGroup": "05-many-calls",
    "WebSocket": "06-websockets",
    "JWT": "07-authentication",
    "Last-Event-ID": "08-streaming",
    "SQLAlchemy": "09-databases",
    "micro-batch": "10-model-serving",
    "outbox": "11-background-work",
    "CORS": "12-middleware",
    "magic bytes": "13-files",
    "mutants": "14-testing",
    "problem details": "15-api-contracts",
    "Dockerfile": "16-deployment",
    "WSGI": "17-wsgi-and-asgi",
    "pull request": "18-code-review",
    "spaced repetition": "19-interview",
}
"""What a reader may look for, and a page that has to be among what the search finds."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    """The installed Chromium; without one the tests are skipped, in CI they fail."""
    if chromium() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)
    with started_browser() as started:
        yield started


def listen(page, address):
    """Return a list to which is added what goes wrong: complaints, and requests to others."""
    heard = []
    page.on("console", lambda line: heard.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith((address, "data:"))
            else heard.append(request.url))  # fmt: skip
    return heard


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_no_page_complains_or_is_too_wide(browser, site, address, width, theme):
    """The console stays empty, nobody else is asked, and nothing but code scrolls sideways."""
    wide = []
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme) as tab:
        page = tab.new_page()
        heard = listen(page, address)
        for file in sorted(site.rglob("*.html")):
            path = file.relative_to(site).as_posix()
            page.goto(f"{address}/{path}")
            if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 1:
                wide.append(path)
            dark = page.evaluate("document.body.dataset.jpThemeLight")
            assert dark == str(theme == "light").lower(), path
    assert heard == []
    assert wide == []


def test_the_search_finds_each_concept(browser, address):
    """The lesson that teaches a concept is among the pages that the search names."""
    with browser.new_context() as tab:
        page = tab.new_page()
        heard = listen(page, address)
        for words, lesson in CONCEPTS.items():
            page.goto(f"{address}/search.html?q={words}")
            page.wait_for_selector(f"ul.search a[href*='{lesson}']", timeout=30_000)
    assert heard == []
