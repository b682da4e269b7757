"""What the machine refuses is told in a sentence, not in a traceback."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder import cli, self_check
from autograder.grading.folder import CourseFolder, NothingToGradeError

ROOT = Path(__file__).parents[1]


def run(*arguments, cwd=ROOT):
    command = [Path(sys.executable).with_name("autograder"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def course(tmp_path):
    path = tmp_path / "b [2026]"
    (path / "solutions" / "lab91-small").mkdir(parents=True)
    (path / "solutions" / "lab91-small" / "lab91-small.ipynb").touch()
    shutil.copy(ROOT / "nbgrader_config.py", path)
    return path


def test_a_course_in_a_folder_with_brackets_finds_its_submissions(course):
    """A pattern's letters in the path are letters."""
    with pytest.raises(NothingToGradeError):
        CourseFolder(course).students("lab91-small", [])
    (course / "submitted" / "amy" / "lab91-small").mkdir(parents=True)
    assert CourseFolder(course).students("lab91-small", []) == ["amy"]


def test_a_pattern_is_no_lab(course):
    """`autograder grade '**'` says which labs there are."""
    done = run("grade", "**", cwd=course)
    assert done.returncode == 2
    assert "lab91-small" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_told_in_a_line(monkeypatch, capsys):
    """The reason and the file; the traceback with --verbose."""

    def full():
        raise OSError(28, "No space left on device", "gradebook.db")

    monkeypatch.setattr(cli, "app", full)
    monkeypatch.delenv("AUTOGRADER_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "No space left on device: gradebook.db" in capsys.readouterr().err
    monkeypatch.setenv("AUTOGRADER_DEBUG", "1")
    with pytest.raises(OSError, match="No space left"):
        cli.main()


def test_another_system_is_told_what_it_needs(monkeypatch, capsys):
    """macOS has no such sandbox."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(cli.typer.Exit):
        cli.grade("lab01")
    assert "Grading needs Linux" in capsys.readouterr().err


def test_a_missing_kernel_is_told_with_the_cure(tmp_path):
    """A notebook from elsewhere may name a kernel that is not here."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    notebook.metadata.kernelspec = {"name": "of-colab", "display_name": "Colab"}
    nbformat.write(notebook, tmp_path / "x.ipynb")
    with pytest.raises(self_check.NotALab, match=r"of-colab.*Change Kernel"):
        self_check.checked(tmp_path / "x.ipynb")
