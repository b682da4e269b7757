"""A lesson's notebook with the outputs of a run, and with pictures of what is live in it."""

from __future__ import annotations

import base64
import html
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from autograder.checks.notebook import RECORD_TYPE

_BROWSERS = ("chromium", "google-chrome", "chromium-browser")
_SECONDS = 300
"""How long a cell may take: a machine with other work on it is slow, and nothing is measured."""
_WIDTH = 860
_FRAME = re.compile(r"<iframe\b(?P<attributes>[^>]*)>\s*(</iframe>)?", flags=re.DOTALL)
_LOCAL_LINK = re.compile(
    r"<a\b[^>]*href=[\"']?http://(127\.0\.0\.1|localhost)[^>]*>(?P<text>.*?)</a>", flags=re.DOTALL
)
_NEW_TAB = re.compile(r"<p>\s*<a\b[^>]*>Open this page in a new tab</a>\s*</p>")


class LessonFailedError(Exception):
    """A cell of a lesson did not do what its source announces."""


@dataclass
class _Camera:
    """Takes a picture of each page that a cell embeds, while its server still runs.

    Attributes:
        pages: For each cell, by its number, the HTML that stands for its frames.
    """

    browser: str | None = field(
        default_factory=lambda: next(filter(None, map(shutil.which, _BROWSERS)), None)
    )

    def look(self, cell: NotebookNode) -> None:
        """Replace the frames in a cell's outputs."""
        for output in cell.get("outputs", []):
            data: dict[str, Any] = output.get("data", {})
            if "<iframe" in (text := data.get("text/html", "")):
                text = _NEW_TAB.sub("", text)
                data["text/html"] = _FRAME.sub(self._picture, text)

    def _picture(self, frame: re.Match[str]) -> str:
        told = {
            name: html.unescape(value)
            for name, value in re.findall(r'([\w-]+)="([^"]*)"', frame["attributes"])
        }
        title = told.get("title") or "A page of the app that runs in the notebook"
        caption = f"In the notebook this page is live. {title}"
        shown = self._taken(told.get("src", ""), told.get("height", "400"))
        image = f'<img src="data:image/png;base64,{shown}" alt="{html.escape(title)}">'
        return (
            f'<figure class="course-live">{image if shown else ""}'
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        )

    def _taken(self, address: str, height: str) -> str:
        if self.browser is None or not address.startswith("http://"):
            return ""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "page.png"
            size = f"--window-size={_WIDTH},{re.sub(r'[^0-9]', '', height) or 400}"
            options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size)
            command = [self.browser, *options, "--timeout=3000", f"--screenshot={file}", address]
            subprocess.run(command, capture_output=True, timeout=60, check=False)
            return base64.b64encode(file.read_bytes()).decode() if file.is_file() else ""


def execute(file: Path) -> NotebookNode:
    """Run a lesson in a kernel of its own, and return it with what came of it.

    Args:
        file: The notebook.

    Raises:
        LessonFailedError: A cell raised what it does not announce, or did not raise what it does.
    """
    notebook: NotebookNode = nbformat.read(file, as_version=4)
    camera = _Camera()
    # In a copy: what checks and the drill keep beside a notebook is no reader's here.
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(file, folder)
        client = NotebookClient(
            notebook,
            timeout=_SECONDS,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": folder}},
            on_cell_executed=lambda cell, **_: camera.look(cell),
        )
        client.execute()
    for cell in notebook.cells:
        _check(cell, file)
        for output in cell.get("outputs", []):
            _tidy(output)
    return notebook


def _check(cell: NotebookNode, file: Path) -> None:
    errors = [one for one in cell.get("outputs", []) if one.output_type == "error"]
    raised = errors[0].ename if errors else ""
    if raised != cell.metadata.get("raises", ""):
        first = cell.source.strip().partition("\n")[0]
        raise LessonFailedError(f"{file.name}: the cell `{first}` raised {raised or 'nothing'}.")


def _tidy(output: NotebookNode) -> None:
    """Take away what only JupyterLab shows, and links to servers that are gone."""
    data = output.get("data", {})
    data.pop(RECORD_TYPE, None)  # its table is beside it
    if "text/html" in data:
        data["text/html"] = _LOCAL_LINK.sub(r"\g<text>", data["text/html"])
