"""How much memory a session on Binder takes: JupyterLab, a lab that is open, and each notebook.

Lab 01 has been run and stays open; then every lesson and every solved lab runs beside it in a
kernel of its own. What is printed is the most that all processes together hold at any moment;
pages that several of them share count once. Binder gives a session 2 GB.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from lab_runs import Peak, run_all  # noqa: E402 - the path comes first
from lab_server import lab_server  # noqa: E402 - as above

OPEN = "labs/lab01-path-operations/lab01-path-operations.ipynb"
BOUND = 1.5 * 2**30


def main() -> int:
    """Print the peak of every notebook; return 1 if one is beyond the bound or fails."""
    bad = 0
    with tempfile.TemporaryDirectory() as folder, lab_server(Path(folder)) as server:
        for lab in sorted((ROOT / "solutions").glob("lab*/*.ipynb")):
            target = server.course / "labs" / lab.parent.name / lab.name
            target.write_bytes(lab.read_bytes())
        names = sorted((server.course / "notebooks").glob("[0-9][0-9]-*.ipynb"))
        names += sorted((server.course / "labs").glob("lab*/*.ipynb"))
        for file in names:
            run_all(server, OPEN)
            with Peak(server.process) as peak:
                wrong = run_all(server, file.relative_to(server.course).as_posix())
            server.stop_kernels()
            bad += bool(wrong) or peak.bytes > BOUND
            failed = f"  {len(wrong)} cells failed: {wrong[0]}" if wrong else ""
            print(f"{peak.bytes / 2**20:6.0f} MB  {file.stem}{failed}", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
