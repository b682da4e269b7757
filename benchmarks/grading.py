"""Grading side by side: stock nbgrader, nbgrader with the plug-in, and `autograder grade`.

Every way grades the same class of lab 01, in one run, each in a course folder of its own:

- `nbgrader, asserts`: stock nbgrader; the tests are plain asserts in the notebook, asked through
  an in-process client (the peer at its best: no server, no pytest, no sandbox);
- `nbgrader, checks`: stock nbgrader on the lab as it is;
- `nbgrader, plug-in`: plain `nbgrader autograde` with this repository's nbgrader_config.py;
- `grade, 1 job`, `grade, all cores`: `autograder grade`;
- `grade, cached`: the same again, when nothing has changed;
- `bare fork, asserts`: no way to grade, but the least that the class could cost (`bare.py`).

Prints wall and CPU seconds per submission, peak memory (of the largest process, and of the
process that was started alone) and the ratios to the first way, and writes them as JSON
(`--json FILE`) and as a plot (`--plot FILE`). `--growth N,N,...` measures in addition how time
and the coordinator's own memory grow with the class, in which everybody hands in the solution;
ratios are to stock nbgrader on the mixed class, if the same run has measured it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
from rich.console import Console
from rich.table import Table

from autograder.corpus import Submission, read_corpus
from autograder.course import Course
from autograder.judge.steps import checks_of

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
FIRST = "nbgrader, asserts"

ASSERTS = """\
{body}

import secrets as _secrets
import httpx2 as _httpx2


async def _run(names, app):
    transport = _httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with _httpx2.AsyncClient(transport=transport, base_url="http://lab") as client:
        given = {{"client": client, "fresh": lambda word: f"{{word}} {{_secrets.token_hex(4)}}"}}
        for test in names:
            wanted = test.__code__.co_varnames[: test.__code__.co_argcount]
            marks = {{mark.name: mark.args for mark in getattr(test, "pytestmark", [])}}
            name, values = marks.get("parametrize", (None, [None]))
            for value in values:
                await test(**{{key: given.get(key, value) for key in wanted}})


await _run([test for name, test in list(globals().items()) if name.startswith("test_")], app)
for _name in [name for name in globals() if name.startswith("test_")]:
    del globals()[_name]
"""

MEASURE = """
import json, re, resource, subprocess, sys, time
from pathlib import Path

begun, own = time.perf_counter(), 0
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
while process.poll() is None:
    # The system forgets a process's own peak when it ends, and adds its children's.
    status = Path(f"/proc/{process.pid}/status").read_text()
    own = max([own, *map(int, re.findall(r"VmHWM:\\s+(\\d+)", status))])
    time.sleep(0.05)
wall = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, own / 1024]))
"""
"""Runs a command and prints wall and CPU seconds and both peaks in megabytes."""


@dataclass
class Measured:
    """What one way cost.

    Attributes:
        way: Its name.
        submissions: How many it graded.
        wall: Seconds on the clock.
        cpu: Seconds of processors, over all its processes.
        memory: Peak megabytes of its largest process.
        own: Peak megabytes of the process that was started, the coordinator, alone.
    """

    way: str
    submissions: int
    wall: float
    cpu: float
    memory: float
    own: float


def with_asserts(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the lab with its tests as plain asserts."""
    checks = checks_of(notebook)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in checks:
            cell.source = ASSERTS.format(body=checks[name].body)
    return notebook


def folder_name(way: str) -> str:
    """Return what the course folder of a way is called."""
    return way.replace(" ", "-").replace(",", "")


def course_folder(parent: Path, name: str, course: Course, *, asserts: bool) -> Path:
    """Make a course of its own with lab 01, released."""
    folder = parent / folder_name(name)
    lab = course.lab("lab01")
    shutil.copytree(course.root / "solutions" / lab.name, folder / "solutions" / lab.name)
    shutil.copyfile(course.root / "nbgrader_config.py", folder / "nbgrader_config.py")
    file = folder / "solutions" / lab.name / f"{lab.name}.ipynb"
    if asserts:
        nbformat.write(with_asserts(nbformat.read(file, as_version=4)), file)
    run(["nbgrader", "generate_assignment", lab.name], folder, stock=True)
    return folder


def hand_in(folder: Path, course: Course, class_: list[Submission], *, asserts: bool) -> None:
    """Put the class's submissions into a course."""
    lab = course.lab("lab01")
    released = nbformat.read(folder / "labs" / lab.name / f"{lab.name}.ipynb", as_version=4)
    for number, submission in enumerate(class_):
        target = folder / "submitted" / f"student{number:04}" / lab.name
        written = submission.write(target, course, lab)
        if asserts:
            notebook = nbformat.read(written, as_version=4)
            given = {cell.id: cell.source for cell in released.cells}
            for cell in notebook.cells:
                if cell.metadata.get("nbgrader", {}).get("grade"):
                    cell.source = given[cell.id]
            nbformat.write(notebook, written)


def run(command: list[str], folder: Path, *, stock: bool) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in a course."""
    environment = os.environ | {"AUTOGRADER_ENGINE": "stock" if stock else "sandbox"}
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def in_a_process(
    way: str, count: int, command: list[str], folder: Path, *, stock: bool
) -> Measured:
    """Measure a command in a process of its own, so that peak memory is the command's."""
    environment = os.environ | {"AUTOGRADER_ENGINE": "stock" if stock else "sandbox"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(BIN / command[0]), *command[1:]],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return Measured(way, count, *json.loads(done.stdout))


def compare(size: int, parent: Path, console: Console) -> list[Measured]:
    """Grade one class in every way."""
    course = Course.find(ROOT)
    lab = course.lab("lab01")
    graded = [
        submission
        for submission in read_corpus(course, lab)
        if submission.kind != "unreadable" and "endless" not in submission.name
    ]
    class_ = list(islice(cycle(graded), size))
    cores = str(len(os.sched_getaffinity(0)))
    nbgrader = ["nbgrader", "autograde", lab.name, "--create"]
    grade = ["autograder", "grade", lab.name, "--jobs"]
    ways = [
        (FIRST, nbgrader, True, True),
        ("nbgrader, checks", nbgrader, False, True),
        ("nbgrader, plug-in", nbgrader, False, False),
        ("grade, 1 job", [*grade, "1"], False, False),
        ("grade, all cores", [*grade, cores], False, False),
    ]
    found = []
    for way, command, asserts, stock in ways:
        folder = course_folder(parent, way, course, asserts=asserts)
        hand_in(folder, course, class_, asserts=asserts)
        found.append(in_a_process(way, size, command, folder, stock=stock))
        console.print(f"{way}: {found[-1].wall:.1f} s")
    found.append(in_a_process("grade, cached", size, [*grade, cores], folder, stock=False))
    bare = ["python", str(Path(__file__).with_name("bare.py")), ".", cores]
    handed_in = parent / folder_name(FIRST)
    found.append(in_a_process("bare fork, asserts", size, bare, handed_in, stock=True))
    return found


def growth(sizes: list[int], parent: Path) -> list[Measured]:
    """Grade classes of several sizes, from nothing and then cached."""
    course = Course.find(ROOT)
    solution = read_corpus(course, course.lab("lab01"))[:1]
    found = []
    for size in sizes:
        folder = course_folder(parent, f"class of {size}", course, asserts=False)
        hand_in(folder, course, list(islice(cycle(solution), size)), asserts=False)
        command = ["autograder", "grade", "lab01", "--jobs", str(len(os.sched_getaffinity(0)))]
        found.append(in_a_process(f"class of {size}", size, command, folder, stock=False))
        found.append(in_a_process(f"class of {size}, cached", size, command, folder, stock=False))
    return found


def table(found: list[Measured], peer: Measured) -> Table:
    """Return the numbers per submission, with ratios to a peer."""
    shown = Table(title="Per submission")
    for name in (
        "way",
        "submissions",
        "wall ms",
        "CPU ms",
        "peak MB",
        "own MB",
        "per minute",
        "times",
    ):
        shown.add_column(name, justify="left" if name == "way" else "right")
    first = peer.wall / peer.submissions
    for one in found:
        each = one.wall / one.submissions
        shown.add_row(
            one.way,
            str(one.submissions),
            f"{1e3 * each:.0f}",
            f"{1e3 * one.cpu / one.submissions:.0f}",
            f"{one.memory:.0f}",
            f"{one.own:.0f}",
            f"{60 / each:.0f}",
            f"{first / each:.1f}",
        )
    return shown


def plot(found: list[Measured], file: Path) -> None:
    """Draw the submissions per minute of each way."""
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    rates = [60 * one.submissions / one.wall for one in found]
    bars = axes.barh([one.way for one in found], rates, color="#3b78d8")
    axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates], padding=4)
    axes.set(xscale="log", xlabel="submissions per minute")
    axes.invert_yaxis()
    figure.savefig(file, dpi=120)


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--size", type=int, default=17, help="submissions of the comparison; 0 leaves it out"
    )
    parser.add_argument("--growth", default="", help="class sizes, such as 10,100,1000")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    with tempfile.TemporaryDirectory(prefix="bench-") as parent:
        found = compare(options.size, Path(parent), console) if options.size else []
        if found:
            console.print(table(found, found[0]))
        grown = growth([int(size) for size in options.growth.split(",") if size], Path(parent))
        if grown:
            console.print(table(grown, (found or grown)[0]))
    if options.plot and found:
        plot(found, options.plot)
    if options.json:
        told = {"comparison": found, "growth": grown}
        text = json.dumps({key: [asdict(one) for one in rows] for key, rows in told.items()})
        options.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
