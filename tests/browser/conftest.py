"""A real JupyterLab and a real Chromium for the tests of this folder."""

import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from lab_page import HOW_TO_INSTALL, NotebookPage, chromium, started_browser  # noqa: E402 - path
from lab_server import lab_server  # noqa: E402 - as above


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab on a copy of the course, below a path of its own as on Binder or JupyterHub.

    What the notebooks serve there is reached through jupyter-server-proxy.
    """
    with lab_server(tmp_path_factory.mktemp("jupyterlab"), base_url="/user/ann") as server:
        yield server


# Playwright keeps an event loop running in this thread: no longer than the module's own tests.
@pytest.fixture(scope="module")
def browser():
    """The installed Chromium; without one the tests are skipped, in CI they fail."""
    if chromium() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)
    with started_browser() as started:
        yield started


@pytest.fixture
def notebook(browser, lab):
    """A window with room for one notebook; its kernel ends with the test."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(60_000)  # a machine with other work on it; ends no good wait
        yield NotebookPage(context.new_page(), lab)
    lab.stop_kernels()


@pytest.fixture(scope="session")
def answers():
    """The course's own answers to lab 01, by task."""
    name = "lab01-path-operations"
    source = (ROOT / "solutions" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
        for cell in json.loads(source)["cells"]
        if cell["metadata"].get("nbgrader", {}).get("solution")
    }
