"""`autograder build` and `autograder build --check`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import cli

NOTEBOOK = "notebooks/01-path-operations.ipynb"


def test_a_build_names_what_it_writes_and_then_nothing(course, capsys):
    """The first build names each file; the second writes nothing and says so."""
    assert course.build() == 0
    lab = "lab01-greetings"
    assert capsys.readouterr().out.splitlines() == [
        f"wrote labs/{lab}/{lab}.ipynb",
        f"wrote labs/{lab}/names.csv",
        f"wrote {NOTEBOOK}",
        "wrote notebooks/figures/route.svg",
        "wrote notebooks/glossary.ipynb",
        f"wrote solutions/{lab}/{lab}.ipynb",
        f"wrote solutions/{lab}/names.csv",
    ]
    before = {name: (course.root / name).stat().st_mtime_ns for name in course.generated()}

    assert course.build() == 0
    assert capsys.readouterr().out == "everything is up to date\n"
    after = {name: (course.root / name).stat().st_mtime_ns for name in course.generated()}
    assert after == before


def test_two_builds_from_nothing_make_the_same_bytes(course):
    """In another process with another hash seed and time zone, every byte is the same."""
    assert course.build() == 0
    first = course.generated()
    for name in first:
        (course.root / name).unlink()
    subprocess.run(
        [sys.executable, "-c", "from autograder.cli import main; main()", "build"],
        cwd=course.root / "content",
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        check=True,
        capture_output=True,
    )
    assert course.generated() == first


def test_check_is_silent_when_all_is_well(course, capsys):
    """`--check` says nothing and ends with 0 when the notebooks are what content/ makes."""
    assert course.build() == 0
    capsys.readouterr()
    assert course.check() == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_check_names_what_a_changed_word_changes(course, capsys):
    """One changed word names the notebooks that it reaches and nothing else; nothing is written."""
    assert course.build() == 0
    before = course.generated()
    text = course.lab.read_text(encoding="utf-8")
    course.lab.write_text(text.replace("A story.", "A tale."), encoding="utf-8")
    capsys.readouterr()

    assert course.check() == 1

    assert capsys.readouterr().err.splitlines() == [
        "labs/lab01-greetings/lab01-greetings.ipynb is not what content/ makes",
        "solutions/lab01-greetings/lab01-greetings.ipynb is not what content/ makes",
        "Run `make build` and commit the result.",
    ]
    assert course.generated() == before


def test_check_names_an_edited_a_missing_and_a_stray_file(lesson_only, capsys):
    """A notebook edited by hand, one that is gone and a file that nothing makes are named."""
    assert lesson_only.build() == 0
    notebook = lesson_only.root / NOTEBOOK
    notebook.write_text(notebook.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (lesson_only.root / "notebooks/figures/route.svg").unlink()
    (lesson_only.root / "labs").mkdir()
    (lesson_only.root / "labs/old.ipynb").write_text("{}", encoding="utf-8")
    capsys.readouterr()

    assert lesson_only.check() == 1
    assert capsys.readouterr().err.splitlines() == [
        "notebooks/figures/route.svg is missing",
        f"{NOTEBOOK} is not what content/ makes",
        "labs/old.ipynb is made by nothing in content/",
        "Run `make build` and commit the result.",
    ]

    assert lesson_only.build() == 0
    assert lesson_only.check() == 0
    assert not (lesson_only.root / "labs").exists()


def test_hidden_files_are_nobodys_concern(lesson_only, capsys):
    """What Jupyter leaves behind is neither reported nor removed."""
    assert lesson_only.build() == 0
    left = lesson_only.root / "notebooks/.ipynb_checkpoints/a.ipynb"
    left.parent.mkdir()
    left.write_text("{}", encoding="utf-8")
    capsys.readouterr()
    assert lesson_only.check() == 0
    assert lesson_only.build() == 0
    assert left.is_file()


def test_check_refuses_wrong_source(lesson_only, capsys):
    """`--check` names the faults of a source as a build does."""
    lesson_only.lesson.write_text("Nothing.\n", encoding="utf-8")
    assert lesson_only.check() == 1
    assert "the front matter is missing" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "code"), [((), 0), (("--check",), 1)])
def test_the_command_line_ends_with_the_builds_code(lesson_only, monkeypatch, option, code):
    """`autograder build` works from a folder inside the course and passes its exit code on."""
    monkeypatch.chdir(lesson_only.root / "content/lessons")
    assert CliRunner().invoke(cli.app, ["build", *option]).exit_code == code


def test_scratch_folders_are_removed(course, monkeypatch, tmp_path):
    """A build leaves its scratch folder neither after success nor after refusal."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert course.build() == 0
    course.lab.write_text("wrong", encoding="utf-8")
    assert course.build() == 1
    assert list(Path(scratch).iterdir()) == []
