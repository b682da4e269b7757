"""What nbgrader's Validate prints for a lab of this course."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAB = "lab01-path-operations"

pytestmark = pytest.mark.notebook


def test_validate_says_what_failed_and_shows_no_source(tmp_path):
    """A few lines for each check, none of its tests' code."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copy(ROOT / "labs" / LAB / f"{LAB}.ipynb", tmp_path)
    command = [Path(sys.executable).parent / "nbgrader", "validate", f"{LAB}.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "VALIDATION FAILED ON 5 CELL(S)!" in done.stdout
    assert "The check of Task 1" in done.stdout
    assert "Task 1: 0 of 3 points" in done.stdout
    assert "more tests were not run." in done.stdout
    assert "async def" not in done.stdout
    assert "have changed" not in done.stdout
    assert len(done.stdout.splitlines()) < 120
