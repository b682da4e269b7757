"""Runs the tests that nbgrader ships, without the engine and with it, and compares.

    python tests/plugin/nbgraders_own_tests.py [MODULE ...]

The modules default to those that grade or read what grading wrote. The engine is set up for
them as nbgrader_config.py sets it up; everything else of that file stays out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from traitlets.config.loader import PyFileConfigLoader

ROOT = Path(__file__).resolve().parents[2]
MODULES = (
    "preprocessors",
    "apps.test_nbgrader_autograde",
    "apps.test_nbgrader_generate_feedback",
    "apps.test_nbgrader_validate",
    "apps.test_nbgrader_quickstart",
    "apps.test_api",
)


def main(modules: list[str]) -> int:
    """Print what each test came to, and return 0 if the engine made no difference."""
    with tempfile.TemporaryDirectory(prefix="own-tests-") as folder:
        by_stock = run(modules, Path(folder) / "stock", {})
        by_engine = run(modules, Path(folder) / "engine", settings())
    for name in sorted(by_stock | by_engine):
        here, there = by_stock.get(name, "not run"), by_engine.get(name, "not run")
        if here != there or here != "passed":
            print(f"{name}: stock {here}, engine {there}")
    for title, found in (("stock", by_stock), ("engine", by_engine)):
        passed = sum(outcome == "passed" for outcome in found.values())
        print(f"{title}: {passed} of {len(found)} passed")
    return int(by_stock != by_engine)


def settings() -> dict[str, object]:
    """Return what nbgrader_config.py says about the engine and about nbgrader's pages."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    return {name: dict(config[name]) for name in ("Autograde", "HTMLExporter")}


def run(modules: list[str], folder: Path, config: dict[str, object]) -> dict[str, str]:
    """Run some of nbgrader's test modules under a configuration."""
    folder.mkdir()
    (folder / "nbgrader_config.json").write_text(json.dumps(config))
    result = folder / "result.xml"
    names = [name for module in modules for name in ("--pyargs", f"nbgrader.tests.{module}")]
    flags = [
        "-q",
        "-c",
        os.devnull,
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        f"--junitxml={result}",
    ]
    scripts = str(Path(sys.executable).parent)
    kept = {name: value for name, value in os.environ.items() if name != "AUTOGRADER_ENGINE"}
    subprocess.run(
        [sys.executable, "-m", "pytest", *flags, *names],
        cwd=folder,
        env=kept
        | {
            "JUPYTER_CONFIG_DIR": str(folder),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "HOME": str(folder),
            "PATH": os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)]),
        },
        check=False,
    )
    cases = ET.parse(result).iter("testcase")  # noqa: S314 - pytest wrote it just now
    return {f"{case.get('classname')}.{case.get('name')}": outcome(case) for case in cases}


def outcome(case: ET.Element) -> str:
    """Return how a test ended."""
    kinds = {child.tag for child in case}
    return next((kind for kind in ("failure", "error", "skipped") if kind in kinds), "passed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(MODULES)))
