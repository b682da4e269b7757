"""Attacks by the notebook's structure, and by what lies in the student's folder."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .attack import FILE, HONEST, Attack, Places, altered, as_file, cell, notebook, write
from .in_cells import UNDONE

CHECKS = [f"check-t{number}" for number in range(1, 6)]


def _tags(*tags: str):
    def change(made: NotebookNode) -> None:
        for name in CHECKS:
            cell(made, name).metadata.tags = list(tags)

    return change


def _forged(made: NotebookNode) -> None:
    for name in CHECKS:
        one = cell(made, name)
        one.execution_count = 1
        result = {"text/plain": "4", "text/html": "<script>alert(4)</script>"}
        one.outputs = [
            nbformat.v4.new_output("execute_result", data=result, execution_count=1),
        ]


def _told(name: str, **values: object):
    def change(made: NotebookNode) -> None:
        cell(made, name).metadata.nbgrader.update(values)

    return change


def _sources(made: NotebookNode) -> None:
    for name in CHECKS:
        cell(made, name).source = "4"


def _unlocked(made: NotebookNode) -> None:
    for name in CHECKS:
        cell(made, name).metadata.nbgrader.update(locked=False, grade=False, solution=True)
        cell(made, name).source = "4"


def _doubled(made: NotebookNode) -> None:
    for name in CHECKS:
        one = copy.deepcopy(cell(made, name))
        one.source = "4"
        made.cells.insert(0, one)


def _renamed(made: NotebookNode) -> None:
    for number, one in enumerate(made.cells):
        one.id = f"mine-{number}"
        if one.metadata.get("nbgrader", {}).get("grade_id", "").startswith("check"):
            one.metadata.nbgrader.grade_id = f"mine-{number}"


def _without_checks(made: NotebookNode) -> None:
    made.cells = [one for one in made.cells if one.id not in CHECKS]


def _backwards(made: NotebookNode) -> None:
    made.cells.reverse()


def _other_kernel(made: NotebookNode) -> None:
    made.metadata = {
        "kernelspec": {"name": "bash", "display_name": "<script>", "language": "sh"},
        "autograder": {"scratch": True, "processes": 16, "memory_mb": 65_536},
    }
    made.nbformat_minor = 0


def _bytes(content: bytes):
    def make(folder: Path, places: Places) -> None:
        (folder / FILE).write_bytes(content)

    return make


def _json(**changed: object):
    def make(folder: Path, places: Places) -> None:
        (folder / FILE).write_text(json.dumps(notebook() | changed))

    return make


def _link(folder: Path, places: Places) -> None:
    (folder / FILE).symlink_to(places["solution"])


def _pipe(folder: Path, places: Places) -> None:
    os.mkfifo(folder / FILE)


def _folder(folder: Path, places: Places) -> None:
    (folder / FILE / "deep").mkdir(parents=True)
    (folder / FILE / "deep" / "notes.txt").write_text("notes")


def _beside(folder: Path, places: Places) -> None:
    """Hand in an honest part, with files beside it that are up to something."""
    write(notebook(), folder, places)
    for name in ("autograder.py", "pytest.py", "conftest.py", "sitecustomize.py", "pytest.ini"):
        (folder / name).write_text("raise SystemExit(4)")
    (folder / "solution.txt").symlink_to(places["solution"])
    (folder / "loop").symlink_to(".")
    os.mkfifo(folder / "pipe")
    (folder / ("\N{SNOWMAN}" * 80)).write_text("a long name")
    (folder / ("\N{COLLISION SYMBOL}" * 63)).write_text("a longer one")
    (folder / os.fsdecode(b"\xff\n<script>")).write_text("an odd name")


def _timestamp(text: str):
    def make(folder: Path, places: Places) -> None:
        write(notebook(), folder, places)
        (folder / "timestamp.txt").write_text(text)

    return make


STRUCTURE = [
    altered("file-skip-execution", _tags("skip-execution"), says="tags of check-t4"),
    altered(
        "file-raises-exception", _tags("raises-exception", "remove-cell"), says="tags of check"
    ),
    altered("file-forged-outputs", _forged, says=UNDONE),
    altered("file-check-source", _sources, says="source of check-t4"),
    altered("file-more-points", _told("check-t4", points=400), says="points of check-t4"),
    altered("file-fewer-points", _told("check-t4", points=-4), says="points of check-t4"),
    altered("file-unlocked", _unlocked, says="locked of check-t4"),
    altered(
        "file-answer-is-graded", _told("t4", grade=True, points=4, locked=True), says="grade of t4"
    ),
    altered("file-doubled-checks", _doubled, says="duplicated: check-t4"),
    altered("file-renamed", _renamed, says="missing: check-t4"),
    altered("file-without-checks", _without_checks, says="missing: check-t4"),
    altered("file-backwards", _backwards, says="order of cells"),
    altered("file-other-kernel", _other_kernel, says=UNDONE),
]

DAMAGED = [
    as_file("file-no-json", _bytes(b"\x89PNG\r\n"), says="it is not JSON"),
    as_file("file-empty", _bytes(b""), says="is empty"),
    as_file("file-truncated", _bytes(nbformat.writes(notebook()).encode()[:9999]), says="not JSON"),
    as_file("file-cells-no-list", _json(cells={"t1": 4}), says="no list of cells"),
    as_file("file-other-schema", _json(nbformat=3, worksheets=[]), status="graded", points=HONEST,
            says=UNDONE),
    as_file("file-many-cells", _json(cells=[{}] * 100_000), says="more than 2000 cells"),
    as_file("file-40-mb", _json(padding="x" * 40_000_000), says="larger than 32 MB"),
    as_file("file-deep", _bytes(b'{"cells":' * 200_000), says="it is not JSON"),
    as_file("file-link", _link, says="is a link"),
    as_file("file-pipe", _pipe, says="is no ordinary file"),
    as_file("file-folder", _folder, says="is no ordinary file"),
    as_file("file-missing", lambda *_: None, says="was not handed in"),
    as_file("file-beside", _beside, status="graded", points=HONEST, says=UNDONE),
    as_file("file-timestamp", _timestamp("9" * 3_000_000), status="graded", points=HONEST,
            says="timestamp.txt"),
    as_file("file-timestamp-words", _timestamp("0000-99-99 <b> \0 UTC+99:99"), status="graded",
            points=HONEST, says="timestamp.txt"),
]  # fmt: skip

NOTEBOOKS: list[Attack] = [*STRUCTURE, *DAMAGED]
