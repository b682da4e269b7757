"""How long a check cell takes in a real kernel, from the request to its reply.

Runs the solution of a lab, then each check cell again and again on the warm kernel, and prints
the median and the slowest of each in milliseconds. `--json FILE` keeps the numbers.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import nbformat
from jupyter_client.manager import start_new_kernel
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / "solutions" / "lab01-path-operations" / "lab01-path-operations.ipynb"


def measured(runs: int) -> dict[str, list[float]]:
    """Return the seconds of every run of every check cell."""
    cells = [cell for cell in nbformat.read(LAB, as_version=4).cells if cell.cell_type == "code"]
    checks = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    manager, kernel = start_new_kernel(kernel_name="python3", cwd=str(LAB.parent))
    try:
        for cell in cells:
            kernel.execute_interactive(cell.source, silent=False, output_hook=lambda _: None)
        seconds: dict[str, list[float]] = {name: [] for name in checks}
        for _ in range(runs):
            for name, source in checks.items():
                begun = time.perf_counter()
                kernel.execute_interactive(source, output_hook=lambda _: None)
                seconds[name].append(time.perf_counter() - begun)
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seconds = measured(options.runs)
    table = Table("check", "median ms", "slowest ms", title=f"{LAB.stem}, {options.runs} runs")
    for name, times in seconds.items():
        table.add_row(name, f"{1e3 * statistics.median(times):.0f}", f"{1e3 * max(times):.0f}")
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(seconds), encoding="utf-8")


if __name__ == "__main__":
    main()
