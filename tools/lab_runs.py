"""Notebooks run through a JupyterLab's own API, and the memory that all of it takes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import nbformat
import psutil  # type: ignore[import-untyped]  # it ships no types
from lab_server import LabServer

_LARGEST_MESSAGE = 100_000_000


def run_all(server: LabServer, path: str) -> list[tuple[str, str]]:
    """Run all cells of a notebook in a kernel of its own, which stays; return what went wrong.

    Args:
        server: A running JupyterLab.
        path: The notebook's path in the course.

    Returns:
        The source of each cell that raised what it does not announce, with the error's name.
    """
    cells = [
        cell
        for cell in nbformat.read(server.course / path, as_version=4).cells
        if cell.cell_type == "code" and "skip-execution" not in cell.metadata.get("tags", [])
    ]
    body = {
        "path": path,
        "type": "notebook",
        "name": Path(path).name,
        "kernel": {"name": "python3"},
    }
    with server.client() as client:
        session = client.post("/api/sessions", json=body).raise_for_status().json()
        channels = f"/api/kernels/{session['kernel']['id']}/channels"
        with client.websocket(channels, max_message_size_bytes=_LARGEST_MESSAGE) as talk:
            errors = [_run(talk, cell) for cell in cells]
    return [
        (cell.source, error)
        for cell, error in zip(cells, errors, strict=True)
        if error != cell.metadata.get("raises", "")
    ]


def _run(talk: Any, cell: nbformat.NotebookNode) -> str:
    asked = uuid.uuid4().hex
    header = {"msg_id": asked, "msg_type": "execute_request", "session": asked, "version": "5.3"}
    content = {"code": cell.source, "stop_on_error": False}
    message = {"header": header, "content": content, "channel": "shell"}
    talk.send_text(json.dumps(message | {"parent_header": {}, "metadata": {}, "buffers": []}))
    error = ""
    while True:
        told = json.loads(talk.receive_text(timeout=120))
        if told["parent_header"].get("msg_id") != asked:
            continue
        if told["msg_type"] == "error":
            error = told["content"]["ename"]
        if told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
            return error


class Peak:
    """The most memory that a process and its children hold while a block runs.

    Pages that several of them share count once (the proportional set size).

    Args:
        process: The number of the process.

    Attributes:
        bytes: The most so far.
    """

    def __init__(self, process: int) -> None:
        self.bytes = 0
        self._process = psutil.Process(process)
        self._ended = Event()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            self.bytes = max(self.bytes, sum(self._sizes()))

    def _sizes(self) -> Iterator[int]:
        for one in [self._process, *self._process.children(recursive=True)]:
            try:
                yield one.memory_full_info().pss
            except psutil.Error:
                continue
