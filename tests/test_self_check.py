"""`autograder check`: the results of a notebook in a terminal."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAB = ROOT / "labs" / "lab01-path-operations" / "lab01-path-operations.ipynb"

pytestmark = pytest.mark.notebook


def check(*arguments):
    """Run the command."""
    command = [Path(sys.executable).parent / "autograder", "check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_fresh_lab_says_what_to_do_first(tmp_path):
    """The first failure is open, with request, answer, expectation and hint; exit code 1."""
    done = check(shutil.copy(LAB, tmp_path))
    assert done.returncode == 1
    assert "Task 1: 0 of 4 points" in done.stdout
    assert "POST /drafts" in done.stdout
    assert "Hint" in done.stdout
    assert "Together: 0 of 20 points" in done.stdout


def test_a_solution_passes_and_reads_as_json(tmp_path):
    """One record per check; exit code 0."""
    solution = ROOT / "solutions" / LAB.parent.name / LAB.name
    done = check(shutil.copy(solution, tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["points"] for line in done.stdout.splitlines()] == [4] * 5


@pytest.mark.parametrize("content", ["", "{}", '{"cells": [], "nbformat": 4, "metadata": {}}'])
def test_what_is_no_lab_is_refused_in_one_line(tmp_path, content):
    """Wrong use is exit code 2 and a sentence."""
    (tmp_path / "x.ipynb").write_text(content)
    done = check(tmp_path / "x.ipynb")
    assert done.returncode == 2
    assert "x.ipynb" in done.stderr
    assert "Traceback" not in done.stderr
