"""Plants faults in a module, one at a time, and names those that no test beside it notices.

`make mutants MODULE=autograder/grading/entries.py TESTS="tests/grading/test_gradebook.py"`
plants twenty faults drawn at random (`SAMPLE=0` for all) by cosmic-ray. Without TESTS it runs
those in tests/ whose folder or file has the module's name.

The faults are planted in place, because submissions run in processes that know only the installed
package; so nothing may be uncommitted, and the module is restored at the end whatever happens.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shlex
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COSMIC_RAY = Path(sys.executable).with_name("cosmic-ray")
CONFIG = """\
[cosmic-ray]
module-path = {module!r}
timeout = {seconds}
excluded-modules = []
test-command = {command!r}

[cosmic-ray.distributor]
name = "local"
"""


def tests_of(module: Path) -> list[str]:
    """Return the tests that lie beside a module, by its own name or its folder's."""
    tests = ROOT / "tests"
    own = sorted(tests.glob(f"**/test_{module.stem}.py"))
    beside = tests / "autograder" / module.parent.name
    return [str(path.relative_to(ROOT)) for path in own or [beside] if path.exists()]


def drawn(session: Path, sample: int, seed: int) -> int:
    """Leave a random sample of the faults in a session; return how many there were."""
    with sqlite3.connect(session) as database:
        every = [row[0] for row in database.execute("select job_id from mutation_specs")]
        kept = every
        if sample and sample < len(every):
            kept = random.Random(seed).sample(sorted(every), sample)  # noqa: S311 - no secret
        for table in ("mutation_specs", "work_items"):
            marks = ",".join("?" * len(kept))
            database.execute(f"delete from {table} where job_id not in ({marks})", kept)  # noqa: S608 - table names are ours
    return len(every)


def survivors(session: Path) -> list[str]:
    """Return the faults that no test has noticed, each as the lines that it changed."""
    with sqlite3.connect(session) as database:
        rows = database.execute(
            "select mutation_specs.operator_name, mutation_specs.start_pos_row, work_results.diff"
            " from work_results join mutation_specs using (job_id)"
            " where test_outcome = 'SURVIVED'"
        ).fetchall()
    found = []
    for operator, line, diff in rows:
        changed = re.findall(r"^[-+](?![-+]).*$", diff or "", flags=re.MULTILINE)
        found.append("\n".join([f"line {line} ({operator.partition('/')[2]})", *changed]))
    return found


def run(module: Path, tests: list[str], *, sample: int, seconds: int, seed: int) -> int:
    """Plant faults and print what survived; return how many did."""
    command = shlex.join([sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", *tests])
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        config, session = Path(folder, "config.toml"), Path(folder, "session.sqlite")
        config.write_text(
            CONFIG.format(module=str(module), seconds=seconds, command=command), encoding="utf-8"
        )
        subprocess.run([COSMIC_RAY, "init", config, session], cwd=ROOT, check=True)
        every = drawn(session, sample, seed)
        before = (ROOT / module).read_bytes()
        try:
            subprocess.run([COSMIC_RAY, "exec", config, session], cwd=ROOT, check=True)
        finally:
            (ROOT / module).write_bytes(before)
        found = survivors(session)
    planted = min(sample, every) if sample else every
    for one in found:
        print(one, end="\n\n")
    print(f"{module}: {planted} of {every} faults planted (seed {seed}), {len(found)} not noticed")
    return len(found)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", type=Path)
    parser.add_argument("--tests", default="")
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    module = told.module.resolve().relative_to(ROOT)
    changed = ["git", "diff", "--quiet", "--", "autograder", "classroom"]
    if subprocess.run(changed, cwd=ROOT, check=False).returncode:
        parser.error("commit or stash your changes first: faults are planted in place")
    tests = shlex.split(told.tests) or tests_of(module)
    if not tests:
        parser.error(f"no tests lie beside {module}; name some with --tests")
    os.nice(10)
    run(module, tests, sample=told.sample, seconds=told.seconds, seed=told.seed)


if __name__ == "__main__":
    main()
