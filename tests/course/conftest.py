"""Runs notebooks as *Run All* does: every cell is queued at once."""

from __future__ import annotations

import os
import queue
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
import pytest

from ..kernels import new_kernel

ROOT = Path(__file__).parents[2]
OFFLINE = Path(__file__).parent / "offline"


@dataclass
class Ran:
    """What one cell did."""

    cell: dict
    error: str = ""
    stdout: str = ""
    stderr: str = ""
    outputs: list = field(default_factory=list)
    done: bool = False


@dataclass
class Run:
    """What a whole notebook did.

    Attributes:
        cells: Its code cells.
        seconds: From the first cell queued to the last one done, less the share of the processors
            that other programs have had meanwhile; at least what the kernel itself has computed.
        peak: Bytes of memory that the kernel and its children held at most.
    """

    cells: list[Ran]
    seconds: float = 0.0
    peak: int = 0


def memory(process: psutil.Process) -> int:
    """Return the bytes that a process and its children hold."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


def worked(process: psutil.Process) -> float:
    """Return the seconds for which a process and its children have computed."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += sum(one.cpu_times()[:4])
        except psutil.Error:
            continue
    return total


def machine_worked() -> float:
    """Return the seconds for which the processors of this machine have computed."""
    times = psutil.cpu_times()
    return times.user + times.system + times.nice


def run_all(notebook, folder: Path, *, limit: float = 240) -> Run:
    """Queue every code cell of a notebook at once in a real kernel without a network.

    Cells tagged `skip-execution` are left out.
    """
    cells = [
        Ran(cell)
        for cell in notebook.cells
        if cell.cell_type == "code" and "skip-execution" not in cell.metadata.get("tags", [])
    ]
    paths = [str(OFFLINE), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    environment.pop("NBGRADER_EXECUTION", None)
    with new_kernel(cwd=str(folder), env=environment) as (manager, kernel):
        run = Run(cells)
        process = psutil.Process(manager.provisioner.process.pid)
        begun, busy = time.monotonic(), machine_worked()
        asked = {}
        for ran in cells:
            # Cells that are meant to fail must not stop the others, as JupyterLab does it.
            stop = "raises-exception" not in ran.cell.metadata.get("tags", [])
            asked[kernel.execute(ran.cell.source, stop_on_error=stop)] = ran
        while not all(ran.done for ran in cells):
            run.peak = max(run.peak, memory(process))
            assert time.monotonic() - begun < limit, f"not done: {waiting(cells)}"
            assert manager.is_alive(), f"the kernel died in: {waiting(cells)}"
            read(kernel, asked)
        seconds = time.monotonic() - begun
        own = worked(process)
        others = max(0.0, machine_worked() - busy - own)
        run.seconds = max(own, seconds - others / (os.cpu_count() or 1))
    return run


def waiting(cells: list[Ran]) -> str:
    """Return the source of the first cell that is not done."""
    return next(ran.cell.source for ran in cells if not ran.done)


def read(kernel, asked: dict[str, Ran]) -> None:
    """Take one message of the kernel and note it with its cell."""
    try:
        message = kernel.get_iopub_msg(timeout=0.2)
    except queue.Empty:
        return
    ran = asked.get(message["parent_header"].get("msg_id"))
    if ran is None:
        return
    kind, content = message["msg_type"], message["content"]
    if kind == "status" and content["execution_state"] == "idle":
        ran.done = True
    elif kind == "error":
        ran.error = f"{content['ename']}: {content['evalue']}"
    elif kind == "stream" and content["name"] == "stderr":
        ran.stderr += content["text"]
    elif kind == "stream":
        ran.stdout += content["text"]
    elif kind in {"execute_result", "display_data"}:
        ran.outputs.append(content["data"])


def notebook_at(path: Path):
    """Read a generated notebook."""
    return nbformat.read(path, as_version=4)


def put_answers_in(notebook) -> bool:
    """Put the answers that stand folded below a lesson's exercises into their tasks."""
    cells = {cell.id: cell for cell in notebook.cells}
    answers = [name for name in cells if name.startswith("answer-")]
    for name in answers:
        told = cells[name].source.partition("```python\n")[2].partition("\n```\n")[0]
        cells[name.removeprefix("answer-")].source = told
    return bool(answers)


@pytest.fixture(scope="session")
def run_notebook(tmp_path_factory):
    """Return a function that runs a notebook among a lab's data files, each one only once."""
    known: dict[tuple, Run] = {}

    def run(path: Path, *, first: str = "", answered: bool = False) -> Run:
        notebook = notebook_at(path)
        answered = answered and put_answers_in(notebook)
        if (path, first, answered) not in known:
            if first:
                notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
            folder = tmp_path_factory.mktemp("run")
            for file in path.parent.iterdir() if path.parent.name.startswith("lab") else ():
                if file.is_file() and file != path:
                    shutil.copy(file, folder)
            known[path, first, answered] = run_all(notebook, folder)
        return known[path, first, answered]

    return run
