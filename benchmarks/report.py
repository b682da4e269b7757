"""How long `autograder report` takes for a large class: 1,000 students in 20 labs, planted.

Prints seconds and peak memory of the real command, and the ratio to nbgrader's own export of
the marks alone, in one run.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.report.planted import Planted, plant  # noqa: E402 - after the path is known


def timed(command: list[str], folder: Path) -> float:
    """Run a command in a folder and return its seconds."""
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    """Plant, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=1_000)
    parser.add_argument("--labs", type=int, default=20)
    sizes = parser.parse_args()
    tools = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="report-") as name:
        folder = Path(name) / "course"
        print(f"planting {sizes.students} students in {sizes.labs} labs ...", flush=True)
        plant(folder, Planted(students=sizes.students, labs=sizes.labs))
        export = timed([str(tools / "nbgrader"), "export", "--to", "marks.csv"], folder)
        report = timed([str(tools / "autograder"), "report"], folder)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        pages = len(list((folder / "reports" / "students").iterdir()))
    print(f"autograder report: {report:.1f} s, {pages} pages, at most {memory:.0f} MB")
    print(f"nbgrader export:   {export:.1f} s (marks only); ratio {report / export:.2f}")


if __name__ == "__main__":
    main()
