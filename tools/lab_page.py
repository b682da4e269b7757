"""A notebook in a real browser, driven as a student drives it: mouse, keys and menus.

JupyterLab is asked only what a student sees as well (which cells wait, whether the kernel is
busy), never told what to do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from lab_server import LIGHT, LabServer
from playwright.sync_api import (
    Browser,
    FrameLocator,
    Locator,
    Page,
    Route,
    TimeoutError,  # noqa: A004 - the name that Playwright gives it
    sync_playwright,
)

BROWSERS = ("chromium", "google-chrome", "chromium-browser")
HOW_TO_INSTALL = (
    "no Chromium was found: install it (Debian, Ubuntu: apt install chromium), or put "
    f"{', '.join(BROWSERS[:-1])} or {BROWSERS[-1]} on the PATH"
)
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_ATTEMPTS = 5
_SHORT_MS = 5_000  # a menu that is built anew is ready by then
_PANEL = "window.jupyterapp.shell.currentWidget"
# After a cell that fails as it should, JupyterLab takes the star from cells that still wait, so
# a missing star alone says nothing: either every cell has its number, or one failed for good.
_RAN_TO_ITS_END = f"""() => {{
    const cells = {_PANEL}.content.widgets.map(cell => cell.model)
        .filter(model => model.type === 'code' && model.sharedModel.source.trim());
    const failed = cells.some(model =>
        !(model.getMetadata('tags') ?? []).includes('raises-exception')
        && model.outputs.toJSON().some(output => output.output_type === 'error'));
    return (failed || cells.every(model => model.executionCount))
        && cells.every(model => model.executionState === 'idle')
        && {_PANEL}.sessionContext.session.kernel.status === 'idle';
}}"""
_RAN_AGAIN = f"""([number, before]) => {{
    const model = {_PANEL}.content.widgets[number].model;
    return model.executionCount > before && model.executionState === 'idle'
        && {_PANEL}.sessionContext.session.kernel.status === 'idle';
}}"""
_CELLS = f"""() => {_PANEL}.content.widgets.map(cell => cell.model.toJSON())"""
_READY = f"""() => window.jupyterapp !== undefined
    && {_PANEL}?.context?.isReady && {_PANEL}.content.widgets.length > 1
    && {_PANEL}.sessionContext?.session?.kernel?.status === 'idle'"""


def chromium() -> str | None:
    """Return the path of the installed Chromium, or None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextmanager
def started_browser() -> Iterator[Browser]:
    """Start the installed Chromium without a window.

    Raises:
        FileNotFoundError: None is installed; the message says how to install it.
    """
    path = chromium()
    if path is None:
        raise FileNotFoundError(HOW_TO_INSTALL)
    environment = {name: text for name, text in os.environ.items() if "proxy" not in name.lower()}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(_ARGUMENTS), env={**environment}
        )
        yield browser
        browser.close()


class NotebookPage:
    """One notebook, opened in a page of its own that reaches nothing but this machine.

    Attributes:
        page: The browser's page.
        refused: Addresses outside this machine that the page asked for, and did not get.
    """

    def __init__(self, page: Page, server: LabServer) -> None:
        self.page = page
        self.refused: list[str] = []
        self._server = server
        page.context.route("**/*", self._stay_at_home)

    def open(self, path: str) -> None:
        """Open a notebook by its path in the course, and wait until its kernel is ready."""
        self.page.goto(f"{self._server.url}/lab/tree/{path}?token={self._server.token}&reset")
        self.page.wait_for_function(_READY)

    def choose(self, *entries: str) -> None:
        """Choose an entry in the menus, such as `choose("Run", "Run All Cells")`.

        While JupyterLab starts it builds its menus anew, which closes the one that is open:
        then the way through the menus begins again.
        """
        menu, *labels = entries
        for attempt in range(_ATTEMPTS):
            # The last attempt has the page's own limit, and its error says what was missing.
            patience = _SHORT_MS if attempt < _ATTEMPTS - 1 else None
            try:
                self.page.get_by_role("menuitem", name=menu, exact=True).click(timeout=patience)
                for label in labels:
                    item = self.page.locator(".lm-Menu-itemLabel").get_by_text(label, exact=True)
                    item.click(timeout=patience)
            except TimeoutError:
                if patience is None:
                    raise
                self.page.keyboard.press("Escape")
            else:
                return

    @contextmanager
    def theme(self, name: str) -> Iterator[None]:
        """Paint JupyterLab in a theme until the block ends."""
        self._paint(name)
        try:
            yield
        finally:
            self._paint(LIGHT)

    def run_all(self) -> None:
        """Choose *Run All Cells* in the menu and wait until nothing runs or waits any more."""
        self.choose("Run", "Run All Cells")
        self.page.wait_for_function(_RAN_TO_ITS_END)

    def cells(self) -> list[dict[str, Any]]:
        """Return the cells as nbformat has them, with their outputs of now."""
        found: list[dict[str, Any]] = self.page.evaluate(_CELLS)
        return found

    def cell(self, cell_id: str) -> Locator:
        """Return a cell by its id, scrolled into view."""
        found = self.page.locator(".jp-Notebook .jp-Cell").nth(self._number(cell_id))
        found.scroll_into_view_if_needed()
        return found

    def with_source(self, piece: str) -> Locator:
        """Return the first code cell whose source contains a text, scrolled into view."""
        return self.cell(
            next(
                cell["id"]
                for cell in self.cells()
                if cell["cell_type"] == "code" and piece in cell["source"]
            )
        )

    def write(self, cell_id: str, source: str) -> None:
        """Replace what stands in a cell, as a student who types or pastes."""
        self.cell(cell_id).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(source)

    def select(self, cell_id: str) -> Locator:
        """Select a cell by a click into it, or beside it where it is folded, and return it."""
        cell = self.cell(cell_id)
        cell.locator(".cm-content, .jp-Placeholder-prompt").first.click()
        return cell

    def run(self, cell_id: str) -> Locator:
        """Run a cell by Shift+Enter, wait until the kernel has done it, and return it."""
        number = self._number(cell_id)
        before = max(cell.get("execution_count") or 0 for cell in self.cells())
        cell = self.select(cell_id)
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_function(_RAN_AGAIN, arg=[number, before])
        return cell

    def swagger(self, cell: Locator) -> FrameLocator:
        """Return the documentation that a cell's output embeds, scrolled into view."""
        frame = cell.locator("iframe")
        frame.scroll_into_view_if_needed()
        return frame.content_frame

    def _paint(self, theme: str) -> None:
        self.choose("Settings", "Theme", theme)
        self.page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")

    def _number(self, cell_id: str) -> int:
        return [cell["id"] for cell in self.cells()].index(cell_id)

    def _stay_at_home(self, route: Route) -> None:
        if urlsplit(route.request.url).hostname in ("127.0.0.1", "localhost", None):
            route.continue_()
        else:
            self.refused.append(route.request.url)
            route.abort()
