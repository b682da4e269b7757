"""A throw-away JupyterLab on a copy of the course, as a student has it.

The browser's tests and the pictures of the README share it. Nothing of the user's own Jupyter
is read or written: settings, data, runtime files and history lie in a folder of the caller's.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import httpx2

ROOT = Path(__file__).resolve().parent.parent
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"


@dataclass(frozen=True)
class LabServer:
    """A running JupyterLab.

    Attributes:
        url: Its address with its base URL, without a slash at the end.
        token: What a browser or a client has to show.
        course: The folder that it opens: a copy of the README, `notebooks/` and `labs/`.
        first_page: The path that it tells a browser to open.
        process: The number of its process.
    """

    url: str
    token: str
    course: Path
    first_page: str
    process: int

    def client(self) -> httpx2.Client:
        """Return a client that may use it."""
        return httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"token {self.token}"},
            trust_env=False,
            verify=False,
            timeout=60,
        )

    def stop_kernels(self) -> None:
        """End every kernel, and with it every server that a notebook left running."""
        with self.client() as client:
            for session in client.get("/api/sessions").json():
                client.delete(f"/api/sessions/{session['id']}").raise_for_status()


@contextmanager
def lab_server(folder: Path, *, theme: str = LIGHT, base_url: str = "") -> Iterator[LabServer]:
    """Serve a copy of the course by JupyterLab until the block ends.

    Args:
        folder: An empty folder for the copy, the settings and everything Jupyter writes.
        theme: The name of the theme, as JupyterLab's menu shows it.
        base_url: The path below which it is served, such as `/user/ann`.

    Raises:
        RuntimeError: JupyterLab ended before it served anything; its log is in the message.
    """
    course = folder / "course"
    for name in ("notebooks", "labs"):
        shutil.copytree(ROOT / name, course / name, ignore=shutil.ignore_patterns(".*"))
    shutil.copy(ROOT / "README.md", course)
    shutil.copytree(ROOT / "docs/images", course / "docs/images")
    _set(folder, "@jupyterlab/apputils-extension/themes", {"theme": theme})
    command = [sys.executable, "-m", "jupyterlab", "--LabApp.expose_app_in_browser=True"]
    with served(command, course, _environment(folder), base_url=base_url) as server:
        yield server


@contextmanager
def served(
    command: list[str], course: Path, environment: dict[str, str], *, base_url: str
) -> Iterator[LabServer]:
    """Run a JupyterLab until the block ends.

    Args:
        command: How it is called, without the options for its place on this machine.
        course: The folder that it opens.
        environment: Its environment variables.
        base_url: The path below which it is served, such as `/user/ann`; may be empty.

    Raises:
        RuntimeError: JupyterLab ended before it served anything; its log is in the message.
    """
    token = secrets.token_hex(16)
    options = [
        *("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"),
        f"--ServerApp.root_dir={course}",
        f"--ServerApp.base_url={base_url}/",
        f"--IdentityProvider.token={token}",
    ]
    with subprocess.Popen(
        [*command, *options], cwd=course, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        address = re.compile(rf"(http://127\.0\.0\.1:\d+{base_url})(/(?:lab|start)[^?\s]*)")
        try:
            log: list[str] = []
            for line in process.stderr:
                log.append(line)
                if found := address.search(line):
                    break
            else:
                raise RuntimeError("JupyterLab did not start:\n" + "".join(log))
            # Somebody has to go on reading, or the server stands still when the pipe is full.
            Thread(target=process.stderr.read, daemon=True).start()
            server = LabServer(found[1], token, course, found[2], process.pid)
            _wait(server)
            yield server
            server.stop_kernels()
        finally:
            process.terminate()


def _wait(server: LabServer) -> None:
    """Return when a server answers: it names its address a moment before it listens there."""
    transport = httpx2.HTTPTransport(retries=10)  # after longer and longer pauses
    with httpx2.Client(transport=transport, trust_env=False, timeout=60) as client:
        client.get(f"{server.url}/api").raise_for_status()


def _environment(folder: Path) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "JPY_", "IPYTHON", "NBGRADER"))
    }
    return inherited | {
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
    }


def _set(folder: Path, plugin: str, settings: dict[str, object]) -> None:
    package, _, name = plugin.rpartition("/")
    file = folder / "config/lab/user-settings" / package / f"{name}.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(settings), encoding="utf-8")
