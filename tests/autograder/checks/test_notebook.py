"""The %%check magic in a real IPython shell."""

import atexit
import json
import logging
import os
import sys
import threading
import warnings

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from autograder.checks import notebook
from autograder.checks.deadlines import Deadlines
from autograder.render.html import check_table

APP = """
import fastapi
app = fastapi.FastAPI()

@app.get("/hello")
def hello():
    return "hello"
"""
CHECK = '''%%check lab99/t1 points=2
from autograder.checks import hint

@hint("first", "second")
async def test_hello(client):
    """It says hello."""
    assert (await client.get("/hello")).json() == "hello"
'''


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A shell with the course's extension, as in a notebook of its own folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "autograder")
    yield shell
    atexit.unregister(shell.atexit_operations)
    InteractiveShell.clear_instance()


def run(shell, source):
    """Run a cell and return its value."""
    outcome = shell.run_cell(source)
    outcome.raise_error()
    return outcome.result


def test_the_value_of_a_check_cell_prints_as_its_mark(shell):
    """nbgrader reads the printed value as partial credit."""
    run(shell, APP)
    assert repr(run(shell, CHECK)) == "2"


def test_the_value_shows_a_table_and_carries_its_record(shell):
    """One output for three readers: number, table, JSON."""
    run(shell, APP)
    shown, _ = shell.display_formatter.format(run(shell, CHECK))
    assert shown["text/plain"] == "2"
    assert "It says hello." in shown["text/html"]
    record = shown["application/vnd.autograder.check+json"]
    assert json.loads(json.dumps(record))["tests"][0]["outcome"] == "passed"


def test_a_check_cell_never_raises(shell):
    """Without any app the mark is nought and the cell ends well."""
    assert repr(run(shell, CHECK)) == "0"


def test_a_line_that_cannot_be_read_is_a_usage_error(shell):
    """A damaged first line says what it should be."""
    with pytest.raises(Exception, match=r"LAB/TASK \[points=NUMBER\]"):
        run(shell, CHECK.replace("points=2", "points=two"))


ROUTELESS = "import fastapi\napp = fastapi.FastAPI()"


def test_each_failed_attempt_opens_the_next_hint_also_after_a_restart(shell, tmp_path):
    """Attempts are counted for each test beside the notebook, and anew once it passes."""
    run(shell, ROUTELESS)
    hints = [run(shell, CHECK).result.tests[0].hints for _ in range(2)]
    assert hints == [("first",), ("first", "second")]
    assert json.loads((tmp_path / ".attempts" / "lab99.json").read_text()) == {"t1.test_hello": 2}
    page = check_table(run(shell, CHECK).result)
    assert page.index("first") < page.index("second")
    run(shell, APP)
    run(shell, CHECK)
    run(shell, ROUTELESS)
    assert run(shell, CHECK).result.tests[0].hints == ("first",)


def test_attempts_are_not_counted_while_grading(shell, tmp_path, monkeypatch):
    """nbgrader's own runs leave no trace."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    run(shell, CHECK)
    assert not (tmp_path / ".attempts").exists()


def test_a_damaged_count_of_attempts_is_no_obstacle(shell, tmp_path):
    """Whatever lies in .attempts, the check runs."""
    (tmp_path / ".attempts").mkdir()
    (tmp_path / ".attempts" / "lab99.json").write_text("[1, 2")
    assert run(shell, CHECK).result.tests[0].hint == "first"


def test_a_task_whose_forerunner_failed_says_which_to_finish(shell):
    """The table names the task to do first."""
    run(shell, CHECK)
    later = CHECK.replace("lab99/t1", "lab99/t2").replace("points=2", "points=2 needs=t1")
    (test,) = run(shell, later).result.tests
    assert (test.outcome, test.message) == (
        "blocked",
        "First finish Task 1: this one builds on it.",
    )
    run(shell, APP)
    run(shell, CHECK)
    assert repr(run(shell, later)) == "2"


@pytest.mark.parametrize(
    "noise",
    [
        "print('noise', file=sys.stderr)",
        "os.write(2, b'noise')",
        "warnings.warn('noise', stacklevel=1)",
        "logging.error('noise')",
        "threading.Thread(target=lambda: print('noise', file=sys.stderr)).start()",
        "os.system('echo noise >&2')",
        "KEPT.write('noise')",
        "raise RuntimeError('noise')",
    ],
)
@pytest.mark.filterwarnings("default")
def test_what_the_app_writes_costs_no_mark(shell, capfd, noise):
    """Nothing reaches the streams of the check cell, where nbgrader would count it."""
    shell.user_ns |= {
        "sys": sys, "os": os, "warnings": warnings, "logging": logging, "threading": threading,
        "KEPT": sys.stderr,
    }  # fmt: skip
    with_noise = APP.replace("    return", f"    {noise}\n    return")
    run(shell, with_noise)
    capfd.readouterr()
    value = run(shell, CHECK).result
    out, err = capfd.readouterr()
    assert "noise" not in err
    assert "noise" not in out
    assert value.points == (0 if "raise" in noise else 2)


def test_what_the_app_prints_is_shown_under_the_table(shell):
    """Printing is how beginners debug, so it is not lost."""
    run(shell, APP.replace("    return", "    print('look here')\n    return"))
    assert run(shell, CHECK).result.printed == "look here\n"


def test_a_factory_is_called_for_the_app(shell):
    """A lab may ask for create_app."""
    run(shell, APP.replace("app = fastapi", "hidden = fastapi").replace("@app", "@hidden"))
    run(shell, "def create_app():\n    return hidden")
    assert repr(run(shell, CHECK.replace("points=2", "points=2 entry=create_app"))) == "2"


def test_progress_shows_tasks_marks_and_skills(shell):
    """One page shows what is done, what is begun and what was not checked."""
    run(shell, "%lab lab99 t1=2 t2=3")
    run(shell, APP)
    run(shell, CHECK.replace("points=2", "points=2 skill=d2.routes"))
    page = run(shell, "%progress").data
    assert "lab99: 2 of 5 points" in page
    assert "✓ done" in page
    assert "○ not checked" in page
    assert "<dt>d2.routes</dt><dd>1 of 1 tests pass</dd>" in page


def test_an_exercise_of_a_lesson_shows_tests_and_no_marks(shell):
    """Without points a check counts its tests, and the progress does not know it."""
    exercise = CHECK.replace("lab99/t1 points=2", "lesson04/x1")
    run(shell, ROUTELESS)
    failed = run(shell, exercise)
    assert repr(failed) == "0 of 1 tests pass"
    assert (failed.result.tests[0].hint, run(shell, exercise).result.tests[0].hint) == (
        "first",
        "second",
    )
    run(shell, APP)
    shown, _ = shell.display_formatter.format(run(shell, exercise))
    assert shown["text/plain"] == "1 of 1 tests pass"
    assert "Exercise 1: 1 of 1 tests pass" in shown["text/html"]
    assert "Exercise 1: 1 of 1 tests pass" in shown["text/markdown"]
    assert "oints<" not in shown["text/html"]
    assert "points" not in shown["text/markdown"]
    run(shell, "%lab lab99 t1=2")
    page = run(shell, "%progress").data
    assert "0 of 2 points" in page
    assert "Exercise" not in page


def test_a_damaged_lab_line_is_a_usage_error(shell):
    """A wrong line says what it should be."""
    with pytest.raises(Exception, match="%lab LAB TASK=POINTS"):
        run(shell, "%lab lab99 t1=many")


def test_a_stub_comes_back_into_its_cell(shell, tmp_path):
    """The cell's text is replaced by what was released."""
    stub = "# Write your answer here.\npass"
    metadata = {"nbgrader": {"grade_id": "t1"}, "autograder": {"stub": stub}}
    notebook = {"cells": [{"metadata": metadata, "source": "spoilt"}]}
    (tmp_path / "lab.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "another.ipynb").write_text("not a notebook")
    offered = []
    shell.set_next_input = lambda text, replace: offered.append((text, replace))
    run(shell, "%stub t1")
    assert offered == [(stub, True)]
    with pytest.raises(Exception, match="has a task called t9"):
        run(shell, "%stub t9")


SLOW_AT_FIRST = """
import asyncio
import fastapi
app = fastapi.FastAPI()
asked = []

@app.get("/hello")
async def hello():
    asked.append(1)
    if len(asked) < {answered}:
        await asyncio.Event().wait()
    return "hello"
"""
QUICK = Deadlines(wait=0.2, again=0.2, cell=5)


class Busy:
    """Counts as a busy machine would: every look finds that more has been waited for."""

    is_counted = True

    def __init__(self, _processes):
        self._seconds = 0.0

    def lately(self, _age):
        self._seconds += 60.0
        return self._seconds


@pytest.fixture
def busy(monkeypatch):
    """A machine that keeps the kernel waiting, and deadlines that a test can wait for."""
    monkeypatch.setattr(notebook, "Hunger", Busy)
    monkeypatch.setattr(notebook, "IN_A_NOTEBOOK", QUICK)
    monkeypatch.setattr(notebook, "ON_A_BUSY_MACHINE", QUICK)


@pytest.mark.usefixtures("busy")
def test_on_a_busy_machine_a_wait_in_vain_costs_nothing(shell):
    """The check runs again, with more time, and its second verdict counts."""
    run(shell, SLOW_AT_FIRST.format(answered=2))
    assert repr(run(shell, CHECK)) == "2"


@pytest.mark.usefixtures("busy")
def test_a_machine_that_stays_busy_is_named(shell):
    """What is lost in the second run is lost, and the table says what may have been the reason."""
    run(shell, SLOW_AT_FIRST.format(answered=99))
    shown = run(shell, CHECK)
    assert repr(shown) == "0"
    assert "Run the check again when less is running" in check_table(shown.result)


def test_a_wait_in_vain_on_a_quiet_machine_is_the_apps(shell, monkeypatch):
    """Where nobody has kept the kernel waiting, the check runs once."""
    monkeypatch.setattr(notebook, "IN_A_NOTEBOOK", QUICK)
    monkeypatch.setattr(notebook, "ENOUGH", 1e9)
    run(shell, SLOW_AT_FIRST.format(answered=2))
    shown = run(shell, CHECK)
    assert repr(shown) == "0"
    assert not shown.result.deadline
