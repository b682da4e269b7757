"""Lesson 14's own suites pass on its app and kill its mutants, and its functions are right."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

LESSON = Path(__file__).parents[2] / "notebooks" / "14-testing.ipynb"
CELLS = [
    cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"
]


def defined(word, **names):
    """Return what the last cell that holds a word defines, cut off at its first use."""
    source = [source for source in CELLS if word in source][-1]
    exec(source.partition("\n\n\nfor ")[0].partition("\n\n\nfailing.")[0], names)  # noqa: S102
    return names


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the files that the lesson writes."""
    folder = tmp_path_factory.mktemp("desk")
    for source in CELLS:
        if source.startswith("%%writefile"):
            first, _, text = source.partition("\n")
            with (folder / first.rpartition("/")[2]).open("a") as file:
                file.write(text + "\n")
    return folder


def test_the_suites_pass_on_the_app_and_kill_each_mutant(folder):
    """The good app passes them all, and each mutant fails in the suite of behaviour or of races."""
    made = [source for source in CELLS if source.startswith("MUTANTS")]
    names = {}
    exec(made[0], names)  # noqa: S102
    source = (folder / "desk.py").read_text()
    suites = ["test_status.py", "test_body.py", "test_behaviour.py", "test_race.py"]
    jobs = [{"suites": [*suites, "test_clock.py", "test_own.py"]}]
    for changes in names["MUTANTS"].values():
        mutant = source
        for old, new in changes:
            assert mutant.count(old) == 1, old
            mutant = mutant.replace(old, new)
        jobs.append({"suites": suites[2:], "source": mutant})
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "anyio"}
    done = subprocess.run(
        [sys.executable, "runner.py"],
        input=json.dumps(jobs),
        cwd=folder,
        env=os.environ | plugins,
        capture_output=True,
        text=True,
        check=True,
    )
    good, *mutants = json.loads(done.stdout.splitlines()[-1])
    assert not good["failed"]
    assert {test.partition("::")[0] for test in good["ran"]} == set(jobs[0]["suites"])
    assert len(names["MUTANTS"]) == 15
    assert [*map(bool, (one["failed"] for one in mutants))] == [True] * 15


@settings(max_examples=50, derandomize=True, database=None, deadline=None)
@given(text=st.text(alphabet="ab ", max_size=40), size=st.integers(1, 12))
def test_pieces_lose_no_letter(text, size):
    """The cured function keeps all letters, and no piece is too long."""
    made = defined("def pieces(")["pieces"](text, size)
    assert "".join(made).replace(" ", "") == text.replace(" ", "")
    assert all(len(piece) <= size for piece in made)


def test_the_interval_is_wilsons():
    """It agrees with values computed elsewhere, and stays within 0 and 1."""
    interval = defined("def interval(", math=__import__("math"))["interval"]
    assert interval(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    for total in (1, 48):
        assert interval(0, total)[0] == pytest.approx(0)
        assert interval(total, total)[1] == pytest.approx(1)
