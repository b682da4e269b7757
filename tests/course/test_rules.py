"""Rules of the house that can be read off the files."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(
    path
    for folder in ("notebooks", "labs", "solutions")
    for path in (ROOT / folder).rglob("*.ipynb")
)
LESSONS = [path for path in NOTEBOOKS if path.parent.name == "notebooks"]
RELEASES = [path for path in NOTEBOOKS if path.is_relative_to(ROOT / "labs")]
SECRET = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", flags=re.DOTALL)
TELLING = 12  # characters; shorter lines, such as `return []`, may stand anywhere
LONGEST_CELL = 25
MOST_IN_A_ROW = 3


def name(path):
    """Name a file in the test's id."""
    return str(path.relative_to(ROOT))


def suite():
    """Yield every test function of the repository's own suite."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if function and node.name.startswith("test_"):
                yield f"{path.relative_to(ROOT)}::{node.name}", node


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_no_notebook_has_outputs(path):
    """A notebook in git has neither outputs nor execution counts."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert not [cell.id for cell in cells if cell.outputs or cell.execution_count]


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_code_cells_are_short_and_stand_among_prose(path):
    """A lesson's cell has at most 25 lines unless it is folded; at most three stand in a row."""
    row = 0
    for cell in nbformat.read(path, as_version=4).cells:
        row = row + 1 if cell.cell_type == "code" else 0
        assert row <= MOST_IN_A_ROW, cell.source
        folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        if cell.cell_type == "code" and not folded:
            assert len(cell.source.splitlines()) <= LONGEST_CELL, cell.source


@pytest.mark.parametrize("path", RELEASES, ids=name)
def test_a_release_holds_no_answer_and_no_hidden_test(path):
    """Nothing that stands between the markers of a solution is in labs/."""
    released = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    assert not re.search(r"BEGIN SOLUTION|HIDDEN TESTS|MARK SCHEME", released)
    solution = ROOT / "solutions" / path.relative_to(ROOT / "labs")
    sources = "\n".join(cell.source for cell in nbformat.read(solution, as_version=4).cells)
    secrets = SECRET.findall(sources)
    assert secrets
    given = {line.strip() for line in SECRET.sub("", sources).splitlines()}
    secret_lines = {line.strip() for secret in secrets for line in secret.splitlines()} - given
    released_lines = {line.strip() for line in released.splitlines()}
    told = [line for line in secret_lines & released_lines if len(line) >= TELLING]
    assert not told


@pytest.mark.parametrize("path", RELEASES, ids=name)
def test_every_task_carries_the_stub_that_was_released(path):
    """What `%stub` brings back is what the student got."""
    cells = nbformat.read(path, as_version=4).cells
    tasks = [cell for cell in cells if "autograder" in cell.metadata]
    assert tasks
    assert [cell.metadata.autograder.stub for cell in tasks] == [cell.source for cell in tasks]


def test_labs_hold_notebooks_and_nothing_stray():
    """A lab's folder holds what its source gives, and no trace of nbgrader."""
    found = {
        path.relative_to(ROOT / "labs") for path in (ROOT / "labs").rglob("*") if path.is_file()
    }
    content = ROOT / "content" / "labs"
    extra = {
        Path(f"lab{path.relative_to(content)}")
        for path in content.rglob("*")
        if path.is_file() and path.name != "lab.md"
    }
    assert found == {path.relative_to(ROOT / "labs") for path in RELEASES} | extra


def test_every_test_says_in_a_sentence_what_holds():
    """Each test of the suite has a docstring."""
    assert not [where for where, node in suite() if not ast.get_docstring(node)]


def test_no_test_sleeps_and_none_is_skipped_without_a_reason():
    """Tests wait for events, and a skip says what is missing."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path.name != Path(__file__).name:
            assert not re.search(
                r"pytest\.mark\.skip\b|pytest\.mark\.xfail|pytest\.skip\(\)", text
            ), path


def test_what_git_holds_is_what_the_build_makes():
    """`autograder build --check` is silent."""
    command = [Path(sys.executable).parent / "autograder", "build", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
