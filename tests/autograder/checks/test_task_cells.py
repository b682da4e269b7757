"""A check never speaks of code that did not run: real kernels, driven as front ends do."""

import json

import pytest

from ...kernels import new_kernel

pytestmark = pytest.mark.notebook

SET_UP = "%load_ext autograder\nimport fastapi\napp = fastapi.FastAPI()\n%lab lab99 t1=2 t2=2"
GOOD = "@app.get('/hello')\ndef hello():\n    return 'hello'"
WITH_A_SYNTAX_ERROR = f"{GOOD}\nx = = 1"
HALF_WAY = f"nothing_of_this_name\n{GOOD}"
CHECK = '''%%check lab99/t1 points=2
from autograder.checks import hint

@hint("first", "second")
async def test_hello(client):
    """It says hello."""
    assert (await client.get("/hello")).json() == "hello"
'''
RECORD = "application/vnd.autograder.check+json"


class Notebook:
    """A notebook as a front end has it: cells with ids, texts, and a kernel."""

    def __init__(self, client):
        self.client = client

    def run(self, cell, source, **metadata):
        """Run a cell under its id, or without one, and return its outputs by type."""
        told = {"cellId": cell, **metadata} if cell else {}
        content = {"code": source, "silent": False, "store_history": True}
        content |= {"user_expressions": {}, "allow_stdin": False, "stop_on_error": False}
        return self._outputs(self._send("execute_request", content, told))

    def say(self, **tasks):
        """Say what stands in the cells of the tasks, as the extension of JupyterLab does."""
        content = {"comm_id": "c1", "target_name": "autograder.cells", "data": {"tasks": tasks}}
        return self._outputs(self._send("comm_open", content, {}))

    def check(self, cell="check-t1", source=CHECK):
        """Run a check cell and return its record."""
        outputs = self.run(cell, source)
        (data,) = (each["data"] for each in outputs if RECORD in each.get("data", {}))
        return data[RECORD]

    def progress(self):
        """Return the page of `%progress`."""
        outputs = self.run("progress", "%progress")
        return next(each["data"]["text/html"] for each in outputs if "data" in each)

    def _send(self, kind, content, metadata):
        message = self.client.session.msg(kind, content, metadata=metadata)
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def _outputs(self, asked):
        outputs = []
        while True:
            got = self.client.get_iopub_msg(timeout=60)
            if got["parent_header"].get("msg_id") != asked:
                continue
            if got["content"].get("execution_state") == "idle":
                return outputs
            outputs.append(got["content"])


@pytest.fixture
def notebook(tmp_path):
    """A fresh kernel whose set-up cell has run."""
    with new_kernel(cwd=str(tmp_path)) as (_, client):
        fresh = Notebook(client)
        fresh.run("setup", SET_UP)
        yield fresh


@pytest.fixture
def on_disk(tmp_path, monkeypatch):
    """Return what saves the notebook, whose name the server has told the kernel."""
    file = tmp_path / "lab.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(file))

    def save(answer, **more):
        told = {"grade_id": "t1", "solution": True}
        task = {"id": "t1", "cell_type": "code", "source": answer, "metadata": {"nbgrader": told}}
        task |= more
        check = {"id": "check-t1", "cell_type": "code", "source": CHECK, "metadata": {}}
        file.write_text(json.dumps({"cells": [task, check]}))

    return save


def test_an_answer_that_was_broken_and_run_earns_nothing(notebook):
    """After a syntax error, half a run or an interrupt, no test runs on the last good version."""
    notebook.run("t1", GOOD)
    assert notebook.check()["points"] == 2
    assert "✓ done" in notebook.progress()

    notebook.run("t1", WITH_A_SYNTAX_ERROR)
    record = notebook.check()
    assert record["points"] == 0
    assert record["problem"].startswith(
        "The cell of Task 1 cannot run: `SyntaxError: invalid syntax` (line 4: `x = = 1`)."
    )
    assert [test["outcome"] for test in record["tests"]] == ["blocked"]
    page = notebook.progress()
    assert "✓ done" not in page
    assert "lab99: 0 of 4 points" in page

    notebook.run("t1", GOOD)
    assert "✓ done" not in notebook.progress()  # it ran again, and was not checked again
    assert notebook.check()["points"] == 2
    assert "✓ done" in notebook.progress()

    notebook.run("t1", HALF_WAY)
    assert "✓ done" not in notebook.progress()
    record = notebook.check()
    assert record["points"] == 0
    assert record["problem"].startswith(
        "The cell of Task 1 stopped half-way when it last ran: "
        "`NameError: name 'nothing_of_this_name' is not defined` (line 1: `nothing_of_this_name`)."
    )


def test_what_builds_on_a_broken_answer_is_not_checked_either(notebook):
    """A check that needs another task looks at that task's cell too."""
    notebook.run("t1", GOOD)
    notebook.check()
    later = CHECK.replace("lab99/t1", "lab99/t2").replace("points=2", "points=2 needs=t1")
    assert notebook.check("check-t2", later)["points"] == 2
    notebook.run("t1", WITH_A_SYNTAX_ERROR)
    assert "The cell of Task 1 cannot run" in notebook.check("check-t2", later)["problem"]


def test_the_front_end_says_what_stands_in_the_cell(notebook):
    """A cell that was edited and not run, or never run, or emptied, is named as such."""
    notebook.say(t1=[GOOD])
    assert "has not been run" in notebook.check()["problem"]
    notebook.run("t1", GOOD)
    notebook.say(t1=[GOOD])
    assert notebook.check()["points"] == 2
    notebook.say(t1=[GOOD.replace("'hello'", "'other'")])
    assert "✓ done" not in notebook.progress()
    record = notebook.check()
    assert record["points"] == 0
    assert record["problem"].startswith("The cell of Task 1 has been changed since it last ran.")
    notebook.say(t1=["  \n"])
    assert "is empty" in notebook.check()["problem"]
    # A cell that was copied or split: nobody knows which one counts.
    notebook.say(t1=[GOOD, "# the other half"])
    assert notebook.check()["points"] == 2
    # What was said before the cell ran is older than what ran.
    notebook.run("t1", f"{GOOD}\n")
    assert notebook.check()["points"] == 2


def test_the_file_says_it_where_the_front_end_does_not(on_disk, tmp_path):
    """A notebook that was saved after the run with another text was edited and not run."""
    on_disk(GOOD)
    with new_kernel(cwd=str(tmp_path)) as (_, client):
        notebook = Notebook(client)
        notebook.run("setup", SET_UP)
        assert "has not been run" in notebook.check()["problem"]
        notebook.run("t1", GOOD)
        assert notebook.check()["points"] == 2
        on_disk(GOOD + "  # changed")
        assert "has been changed" in notebook.check()["problem"]
        # Run, but not saved: the file is older than what ran.
        notebook.run("t1", GOOD + "\n\nmore = 1")
        assert notebook.check()["points"] == 2
        # Another front end's own ids: known by the text that ran.
        on_disk(GOOD + "  # in another editor")
        notebook.run("editor:/1", GOOD + "  # in another editor")
        notebook.run("editor:/1", WITH_A_SYNTAX_ERROR)
        assert "cannot run" in notebook.check("editor:/2")["problem"]


def test_without_ids_the_tests_run_and_the_failure_above_is_named(notebook):
    """A front end that names no cells is told what is known, and never refused."""
    notebook.run(None, GOOD)
    notebook.run(None, HALF_WAY)
    assert notebook.check(None)["points"] == 2
    notebook.run(None, "del app.router.routes[-1]\nnothing_of_this_name")
    record = notebook.check(None)
    assert record["points"] == 0
    assert "NameError" in record["cause"]
    assert record["tests"][0]["outcome"] == "failed"


def test_nbgrader_counts_as_it_always_did(monkeypatch, tmp_path):
    """While nbgrader runs the kernel, the tests run whatever the cells did: marks stay."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    with new_kernel(cwd=str(tmp_path)) as (_, client):
        notebook = Notebook(client)
        notebook.run("setup", SET_UP)
        notebook.run("t1", GOOD)
        notebook.run("t1", WITH_A_SYNTAX_ERROR)
        assert notebook.check()["points"] == 2


def test_an_app_that_was_made_anew_is_named(notebook):
    """The set-up cell that ran again, or another app, is the cause, not a missing route."""
    notebook.run("t1", GOOD)
    assert notebook.check()["points"] == 2
    notebook.run("setup", SET_UP)
    cause = notebook.check()["cause"]
    assert cause.startswith("`app` was made anew after the cell of Task 1 had run: the set-up cell")
    notebook.run("t1", GOOD)
    assert notebook.check()["points"] == 2
    notebook.run("mine", "from fastapi import FastAPI\napp = FastAPI()")
    assert "begins with `from fastapi import FastAPI`" in notebook.check()["cause"]


def test_after_a_restart_a_check_says_what_to_run_first(tmp_path):
    """No magic is "not found": the set-up cell is named, and then everything works."""
    with new_kernel(cwd=str(tmp_path)) as (_, client):
        notebook = Notebook(client)
        record = notebook.check()
        assert record["problem"].startswith("The set-up cell has not run since")
        assert record["points"] == 0
        assert "✗ begun" in notebook.progress()
        notebook.run("setup", SET_UP)
        notebook.run("t1", GOOD)
        assert notebook.check()["points"] == 2


def test_what_an_except_swallowed_is_shown(notebook):
    """An error that the student's own `except Exception` caught in a stream is the cause."""
    stream = """
from fastapi.responses import StreamingResponse

@app.get("/hello")
def hello():
    def words():
        try:
            yield "a"
            yield {}["no such word"]
        except Exception:
            yield "error"
    return StreamingResponse(words())
"""
    notebook.run("t1", stream)
    body = CHECK.replace(".json() ==", ".text ==")
    (test,) = notebook.check(source=body)["tests"]
    assert test["message"].startswith("Your own `except` caught `KeyError: 'no such word'`.")
    assert "in `words`, line 8: yield {}" in test["raised"]


def test_a_function_without_return_is_named(notebook):
    """The cause of a wrong value is the missing `return`, or the missing `await`."""
    check = '''%%check lab99/t1 points=2
async def test_slug(call):
    """It makes a slug."""
    reply = await call("slug", "A b")
    assert reply.value == "a-b"
'''
    notebook.run("t1", "def slug(text):\n    text.lower()")
    (test,) = notebook.check(source=check)["tests"]
    assert test["message"] == (
        "`slug` returned `None`: does it lack a `return`? "
        'The value that came back is null. Expected: "a-b".'
    )
    notebook.run(
        "t1", "async def low(text):\n    return 'a-b'\ndef slug(text):\n    return [low(text)]"
    )
    (test,) = notebook.check(source=check)["tests"]
    assert test["message"].startswith("`slug` gave back a coroutine: an `await` is missing in it.")
