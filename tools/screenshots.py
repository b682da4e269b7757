"""Take the pictures of the README, and measure how soon a check answers.

`python tools/screenshots.py` writes docs/images/*.png, each in light and dark, from a real
JupyterLab in the installed Chromium. `python tools/screenshots.py --time` takes no picture: it
runs the check of lab 01's first task eleven times by Shift+Enter, prints the ten warm times from
the key to the table on the page, and their median.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab_page import NotebookPage, started_browser
from lab_server import DARK, LIGHT, ROOT, lab_server
from PIL import Image
from playwright.sync_api import Locator

IMAGES = ROOT / "docs" / "images"
LESSON = "notebooks/00-start-here.ipynb"
LAB = "labs/lab01-path-operations/lab01-path-operations.ipynb"
WIDTH, HEIGHT = 1200, 1080
COLOURS = 256
"""A page has few colours: with a palette a picture is a fraction of the bytes."""

_ON_TOP = """async (part, above) => {
    const panel = part.closest('.jp-WindowedPanel-outer');
    // What comes into sight is laid out only then, so the first jump may miss.
    for (let jump = 0; jump < 5; jump++) {
        panel.scrollTop += part.getBoundingClientRect().top
            - panel.getBoundingClientRect().top - above;
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    }
}"""
_TIME = """number => new Promise(done => {
    const cell = document.querySelectorAll('.jp-Notebook .jp-Cell')[number];
    const before = cell.querySelector('.check');
    let pressed;
    document.addEventListener('keydown', event => {
        if (event.key === 'Enter') pressed = performance.now();
    }, { capture: true });
    new MutationObserver((_, observer) => {
        const table = cell.querySelector('.check');
        if (table && table !== before) {
            observer.disconnect();
            requestAnimationFrame(() => done(performance.now() - pressed));
        }
    }).observe(cell, { childList: true, subtree: true });
})"""


@contextmanager
def notebook_in(theme: str) -> Iterator[NotebookPage]:
    """Open a window on a throw-away JupyterLab."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        lab_server(Path(folder), theme=theme) as server,
        started_browser() as browser,
        browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}) as context,
    ):
        context.set_default_timeout(120_000)
        yield NotebookPage(context.new_page(), server)


def answer_with_a_slip() -> str:
    """Return the answer to lab 01's first task with one limit too wide."""
    source = ROOT / LAB.replace("labs/", "solutions/", 1)
    cells = json.loads(source.read_text(encoding="utf-8"))["cells"]
    right = next("".join(cell["source"]) for cell in cells if cell["id"] == "t1")
    lines = [line for line in right.splitlines() if not line.strip().startswith("###")]
    return "\n".join(lines).replace("le=2)", "le=2.5)")


def take(notebook: NotebookPage, name: str) -> None:
    """Write what the window shows as a small PNG."""
    shown = Image.open(io.BytesIO(notebook.page.screenshot(animations="disabled")))
    small = shown.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    file = IMAGES / f"{name}.png"
    small.save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1000} KB")


def put_on_top(part: Locator, *, above: int = 0) -> None:
    """Scroll until a part of the notebook stands at the window's top, or some pixels below."""
    part.evaluate(_ON_TOP, above)


def lesson(theme: str, suffix: str) -> None:
    """Take lesson 00: the bytes of a request, the documentation that was asked, and the plot."""
    with notebook_in(theme) as notebook:
        notebook.open(LESSON)
        notebook.choose("View", "Appearance", "Show Left Sidebar")
        notebook.run_all()

        page = notebook.swagger(served := notebook.with_source("serve(app)"))
        page.get_by_role("button", name="GET /answer").first.click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_placeholder("question").fill("My brake squeaks.")
        page.get_by_role("button", name="Execute").click()
        page.locator(".live-responses-table").wait_for()
        page.locator("#operations-default-read_answer_answer_get").evaluate(
            "operation => operation.scrollIntoView()"
        )
        put_on_top(served)
        take(notebook, f"swagger-{suffix}")

        put_on_top(notebook.with_source("show_bytes(request)"), above=60)
        take(notebook, f"lesson-{suffix}")

        put_on_top(notebook.with_source("show_plot("), above=360)
        take(notebook, f"plot-{suffix}")


def check(theme: str, suffix: str) -> None:
    """Take the first check of lab 01 with one test that fails."""
    with notebook_in(theme) as notebook:
        notebook.open(LAB)
        notebook.choose("View", "Appearance", "Show Left Sidebar")
        notebook.run("setup")
        notebook.write("t1", answer_with_a_slip())
        notebook.run("t1")
        put_on_top(notebook.run("check-t1").get_by_role("heading"), above=170)
        take(notebook, f"check-{suffix}")


def seconds_of_checks(times: int) -> list[float]:
    """Return the seconds from Shift+Enter to the table, the first, cold one left out."""
    with notebook_in(LIGHT) as notebook:
        notebook.open(LAB)
        notebook.run("setup")
        notebook.write("t1", answer_with_a_slip())
        notebook.run("t1")
        number = [cell["id"] for cell in notebook.cells()].index("check-t1")
        found = []
        for _ in range(times + 1):
            notebook.select("check-t1")
            waiting = notebook.page.evaluate_handle(
                f"number => ({{ table: ({_TIME})(number) }})", number
            )
            notebook.page.keyboard.press("Shift+Enter")
            found.append(waiting.evaluate("({ table }) => table") / 1000)
        return found[1:]


def main() -> None:
    """Take all pictures, or measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--time", action="store_true", help="measure instead of taking pictures")
    if parser.parse_args().time:
        seconds = seconds_of_checks(10)
        print("seconds:", " ".join(f"{each:.3f}" for each in seconds))
        print(f"median {statistics.median(seconds):.3f} s, longest {max(seconds):.3f} s")
        return
    IMAGES.mkdir(parents=True, exist_ok=True)
    for theme, suffix in ((LIGHT, "light"), (DARK, "dark")):
        lesson(theme, suffix)
        check(theme, suffix)


if __name__ == "__main__":
    main()
