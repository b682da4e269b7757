"""`autograder check`: the results of a notebook in a terminal."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder import self_check

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
    assert "Task 1: 0 of 3 points" in done.stdout
    assert "POST /drafts" in done.stdout
    assert "Hint" in done.stdout
    assert "Together: 0 of 20 points" in done.stdout
    assert "Hidden tests follow when your work is marked" in done.stdout


def test_a_solution_passes_and_reads_as_json(tmp_path):
    """One record per check; exit code 0."""
    solution = ROOT / "solutions" / LAB.parent.name / LAB.name
    done = check(shutil.copy(solution, tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["points"] for line in done.stdout.splitlines()] == [3, 4, 3, 3, 7]


def solved(tmp_path, **added):
    """Return the solution of the lab with some lines more in some cells."""
    notebook = nbformat.read(ROOT / "solutions" / LAB.parent.name / LAB.name, as_version=4)
    for cell in notebook.cells:
        cell.source += added.get(cell.id, "")
    nbformat.write(notebook, tmp_path / LAB.name)
    return tmp_path / LAB.name


def test_a_cell_that_the_grader_would_stop_is_stopped_and_named(tmp_path):
    """A cell without an end gives no full marks here either, and the limit is said."""
    done = check(solved(tmp_path, t4="\n\nwhile True:\n    pass"))
    assert done.returncode == 1
    assert "Cell t4 had no end after" in done.stdout
    assert "when it is graded" in done.stdout


def test_as_graded_is_the_real_engine(tmp_path):
    """The sandbox and its limits; what it withholds is said, the gradebook is not touched."""
    starts = "\n\napp.router.routes.clear()\nimport subprocess\nsubprocess.run(['ls'])"
    file = solved(tmp_path, t2=starts)
    done = check("--as-graded", file)
    assert done.returncode in {0, 1}
    assert "Cell t2 ended with PermissionError" in done.stdout
    assert "A person will look at this submission" in done.stdout
    assert "sandbox:" in done.stdout
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", ["", "{}", '{"cells": [], "nbformat": 4, "metadata": {}}'])
def test_what_is_no_lab_is_refused_in_one_line(tmp_path, content):
    """Wrong use is exit code 2 and a sentence."""
    (tmp_path / "x.ipynb").write_text(content)
    done = check(tmp_path / "x.ipynb")
    assert done.returncode == 2
    assert "x.ipynb" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_lab_is_found_by_the_beginning_of_its_name(tmp_path):
    """From any folder of the course; what is not unique, or not there, is said with the names."""
    for name in ("lab01-a", "lab02-b", "lab02-c"):
        (tmp_path / "labs" / name).mkdir(parents=True)
        (tmp_path / "labs" / name / f"{name}.ipynb").write_text("{}")
    here = tmp_path / "labs" / "lab02-b"
    assert self_check.find("lab01", here) == tmp_path / "labs" / "lab01-a" / "lab01-a.ipynb"
    assert self_check.find("x.ipynb", here) == Path("x.ipynb")
    with pytest.raises(self_check.NotALab, match='More than one lab begins with "lab02"'):
        self_check.find("lab02", here)
    with pytest.raises(self_check.NotALab, match="The labs are: lab01-a, lab02-b, lab02-c"):
        self_check.find("lab09", here)


def test_a_lab_with_the_profile_ends_with_it(tmp_path):
    """What the checks have just said is in it, and the other labs are named as unknown."""
    shutil.copytree(ROOT / "labs", tmp_path / "labs", ignore=shutil.ignore_patterns(".*"))
    notebook = nbformat.read(ROOT / "solutions" / LAB.parent.name / LAB.name, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("%profile"))
    path = tmp_path / "labs" / LAB.parent.name / LAB.name
    nbformat.write(notebook, path)
    done = check(path)
    assert done.returncode == 0, done.stderr
    _, profile = done.stdout.split("Your profile, from your checks of 1 lab\n")
    assert "No point is lost." in profile
    assert "no check was run: lab02, lab03, " in profile
    assert "profile" not in check(path, "--json").stdout.splitlines()[-1]


def test_hidden_tests_are_run_where_the_solutions_are(tmp_path):
    """The command says which tests it ran, and a hidden one shows no more than its meaning."""
    for folder in ("labs", "solutions"):
        shutil.copytree(ROOT / folder / LAB.parent.name, tmp_path / folder / LAB.parent.name)
    command = [Path(sys.executable).parent / "autograder", "check", "lab01"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "(hidden test)" in " ".join(done.stdout.split())
    assert "of these tests are hidden ones" in done.stdout
