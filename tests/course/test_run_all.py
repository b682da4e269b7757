"""Run All: every lesson and lab reaches its end in a real kernel, offline, all cells queued."""

from pathlib import Path

import pytest

from autograder.checks.notebook import RECORD_TYPE

from ..sampling import some

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LABS = sorted((ROOT / "labs").glob("*/*.ipynb"))
SOLUTIONS = sorted((ROOT / "solutions").glob("*/*.ipynb"))
PASTED = "import nest_asyncio; nest_asyncio.apply()"

pytestmark = pytest.mark.notebook


def name(path):
    """Name a notebook in the test's id."""
    return path.stem


def unexpected(run):
    """Return the errors that no cell announced, and the announced ones that did not come."""
    found = []
    for ran in run.cells:
        announced = ran.cell.metadata.get("raises", "")
        if ran.error.partition(":")[0] != announced:
            found.append((ran.cell.source, ran.error or f"did not raise {announced}"))
    return found


def records(run):
    """Return the records of all check cells."""
    data = [output for ran in run.cells for output in ran.outputs]
    return [output[RECORD_TYPE] for output in data if RECORD_TYPE in output]


def test_there_are_lessons_and_labs():
    """The course is not empty, and every lab has its solution."""
    assert LESSONS
    assert [path.stem for path in LABS] == [path.stem for path in SOLUTIONS]


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_runs_to_its_end(run_notebook, path):
    """Only cells that announce an error raise one, and nothing is written to stderr."""
    run = run_notebook(path)
    assert not unexpected(run)
    assert not [ran.stderr for ran in run.cells if ran.stderr]


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_stays_within_a_minute_and_a_gigabyte(run_notebook, path):
    """What Binder gives is enough."""
    run = run_notebook(path)
    assert run.seconds < 60
    assert run.peak < 2**30


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_no_exercise_of_a_lesson_is_done_for_the_reader(run_notebook, path):
    """As it is handed out, no exercise passes whole."""
    done = [
        record["task"]
        for record in records(run_notebook(path))
        if all(test["outcome"] == "passed" for test in record["tests"])
    ]
    assert not done


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_the_folded_answer_passes_its_exercise(run_notebook, path):
    """With each answer in its place, every test of every exercise passes."""
    run = run_notebook(path, answered=True)
    assert not unexpected(run)
    tests = [(test["id"], test["outcome"]) for one in records(run) for test in one["tests"]]
    assert [test for test in tests if test[1] != "passed"] == []


@pytest.mark.parametrize("path", LABS, ids=name)
def test_a_fresh_lab_runs_to_its_end_and_earns_nothing(run_notebook, path):
    """A blank lab raises nowhere and scores nought in every test."""
    run = run_notebook(path)
    assert not unexpected(run)
    tests = [test for record in records(run) for test in record["tests"]]
    assert tests
    assert not [test["id"] for test in tests if test["outcome"] == "passed"]


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_a_solution_earns_everything(run_notebook, path):
    """Every check of a solution gives its full points."""
    run = run_notebook(path)
    assert not unexpected(run)
    assert records(run)
    assert not [one["task"] for one in records(run) if one["points"] != one["max_points"]]
    assert run.peak < 2**30


@pytest.mark.parametrize("path", some([*LESSONS, *SOLUTIONS], "pasted", share=0.3), ids=name)
def test_the_pasted_nest_asyncio_lines_lose_no_cell(run_notebook, path):
    """With nest_asyncio.apply() in a first cell, every queued cell is still run."""
    run = run_notebook(path, first=PASTED)
    assert all(ran.done for ran in run.cells)
    announced = {"RuntimeError"}  # asyncio.run in a cell works once loops may nest
    assert not [found for found in unexpected(run) if "did not raise" not in found[1]]
    assert {found[1].removeprefix("did not raise ") for found in unexpected(run)} <= announced
    assert not [one["task"] for one in records(run) if one["points"] != one["max_points"]]
