"""A cell means in a submission's process what it means in a notebook's kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.child import ForkServer, Submission, Trouble, replay
from autograder.judge.files import read_file
from autograder.sandbox import Policy

from .conftest import PATIENT, SOON, request

FIRST_QUESTION = """
import sys
import httpx2
from classroom.upstream import Upstream
from openai import AsyncOpenAI
before = set(sys.modules)
here = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=Upstream().app))
model = AsyncOpenAI(base_url="http://model/v1", api_key="any", http_client=here)
await model.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
sorted(set(sys.modules) - before)
"""
"""Asks a model for the first time; its result is the modules that are imported for it."""


def test_the_last_line_is_the_result(child: Submission):
    """A cell's last expression comes back as text, as `Out[1]` would show it."""
    assert child.run("a", "x = [1]\nx + [2]", deadline=PATIENT).result == "[1, 2]"


def test_variables_live_from_cell_to_cell(child: Submission):
    """A later cell sees what an earlier one made."""
    child.run("a", "x = 20", deadline=PATIENT)
    assert child.run("b", "x + 1", deadline=PATIENT).result == "21"


def test_await_works_at_top_level(child: Submission):
    """A cell may await, and a task that it starts runs on after it."""
    child.run("a", "import asyncio\ndone = asyncio.Event()", deadline=PATIENT)
    child.run(
        "b", "async def later():\n    done.set()\ntask = asyncio.create_task(later())",
        deadline=PATIENT,
    )  # fmt: skip
    assert child.run("c", "await done.wait()", deadline=PATIENT).result == "True"


def test_a_cell_is_named_and_its_end_is_told(child: Submission):
    """Whoever listens to IPython's events hears of a cell's id, and of its end."""
    listen = """
heard = []
shell = get_ipython()
shell.events.register("post_execute", lambda: heard.append("executed"))
shell.events.register("post_run_cell", lambda result: heard.append(result.info.cell_id))
"""
    child.run("first", listen, deadline=PATIENT)
    child.run("second", "1 / 0", deadline=PATIENT)
    wanted = ["executed", "first", "executed", "second"]
    assert child.run("third", "heard", deadline=PATIENT).result == repr(wanted)


def test_a_lifespan_of_an_earlier_cell_outlives_a_router(child: Submission):
    """An app that is given a lifespan, and a router in a later cell, still has both."""
    setup = """
%load_ext classroom
from contextlib import asynccontextmanager
from fastapi import APIRouter, FastAPI, Request
app = FastAPI()
"""
    lifespan = """
@asynccontextmanager
async def opened(_):
    yield {"line": "open"}
app.router.lifespan_context = opened
"""
    router = """
about = APIRouter(prefix="/about")
@about.get("/line")
def line(request: Request):
    return request.state.line
app.include_router(about)
"""
    for number, cell in enumerate((setup, lifespan, router)):
        assert child.run(f"{number}", cell, deadline=PATIENT).ok
    served = child.serve(deadline=PATIENT)
    assert request(served.socket, "/about/line").json() == "open"


def test_the_only_error_of_a_group_is_told(child: Submission):
    """A task group makes a group of whatever is raised in it; the error itself is shown."""
    cell = """
import asyncio
async with asyncio.TaskGroup():
    async with asyncio.TaskGroup():
        {}["key"]
"""
    raised = child.run("a", cell, deadline=PATIENT).raised
    assert raised is not None
    assert str(raised) == """KeyError: 'key' (cell a, line 5: {}["key"])"""


def test_streams_are_captured_at_both_depths(child: Submission):
    """What Python prints and what is written to the descriptors below both come back."""
    ran = child.run(
        "a",
        "import os, sys\nprint('above')\nos.write(1, b'below\\n')\nprint('err', file=sys.stderr)",
        deadline=PATIENT,
    )
    assert ran.printed.stdout == "above\nbelow\n"
    assert ran.printed.stderr == "err\n"


def test_display_prints_no_markup(child: Submission):
    """What `display` shows goes its own way; markup is cleaned where it is shown."""
    source = "from IPython.display import HTML, display\ndisplay(HTML('<script>'), 3)"
    ran = child.run("a", source, deadline=PATIENT)
    assert ran.printed.stdout == "3\n"
    assert ran.shown[0]["text/plain"] == "<IPython.core.display.HTML object>"


def test_an_error_names_the_students_line(child: Submission):
    """An error carries its type, its text, the cell, the line and that line's source."""
    child.run("t1", "def broken(items):\n    return items[3]", deadline=PATIENT)
    raised = child.run("t2", "broken([])", deadline=PATIENT).raised
    assert raised is not None
    assert (raised.type, raised.cell, raised.line) == ("IndexError", "t1", 2)
    assert raised.source == "return items[3]"
    assert "broken([])" in raised.text
    assert "autograder" not in raised.text


def test_a_syntax_error_names_the_students_line(child: Submission):
    """Code that cannot be read is placed too."""
    raised = child.run("t1", "x = 1\ndef :", deadline=PATIENT).raised
    assert raised is not None
    assert (raised.type, raised.cell, raised.line) == ("SyntaxError", "t1", 2)


def test_a_cell_that_fails_does_not_stop_the_next(child: Submission):
    """An error ends its cell alone."""
    assert not child.run("a", "1 / 0", deadline=PATIENT).ok
    assert child.run("b", "'alive'", deadline=PATIENT).ok


@pytest.mark.parametrize(
    "source",
    [
        "%load_ext autograder",
        "%%check lab01/t1 points=3\nraise SystemExit",
        "%matplotlib inline",
        "%pip install nothing",
        "!ls /",
        "files = !ls /",
        "%time 1",
        "%config InlineBackend.figure_format = 'svg'",
        "exit()",
    ],
)
def test_magics_of_a_notebook_do_no_harm(child: Submission, source: str):
    """A magic that makes no sense while grading does nothing, and fails nothing."""
    assert child.run("a", source, deadline=PATIENT).ok
    assert child.run("b", "1", deadline=PATIENT).ok


def test_writefile_writes_into_the_scratch_folder(server: ForkServer, tmp_path):
    """A lab with a scratch folder lets `%%writefile` work, and the file can be imported."""
    with server.submission(Policy(scratch=tmp_path)) as child:
        assert child.run("a", "%%writefile tool.py\nvalue = 5", deadline=PATIENT).ok
        assert child.run("b", "import tool\ntool.value", deadline=PATIENT).result == "5"
        assert read_file(child.folder, "tool.py") == b"value = 5\n"


def test_data_of_the_lab_can_be_read_by_relative_path(server: ForkServer, tmp_path):
    """A lab's own files lie in the working folder, and cannot be changed."""
    (tmp_path / "data.txt").write_text("facts")
    with server.submission(Policy(folder=tmp_path)) as child:
        assert child.run("a", "open('data.txt').read()", deadline=PATIENT).result == "'facts'"
        raised = child.run("b", "open('data.txt', 'w')", deadline=PATIENT).raised
    assert raised is not None
    assert raised.type == "PermissionError"


def test_a_copy_with_mode_and_times_works_in_the_scratch_folder(server: ForkServer, tmp_path):
    """`shutil.copy2` and temporary files work where writing is granted."""
    with server.submission(Policy(scratch=tmp_path)) as child:
        source = (
            "import shutil, tempfile, pathlib\n"
            "pathlib.Path('a').write_text('x')\nshutil.copy2('a', 'b')\n"
            "with tempfile.NamedTemporaryFile() as f: f.write(b'x')\n"
            "pathlib.Path('b').read_text()"
        )
        ran = child.run("a", source, deadline=PATIENT)
    assert ran.result == "'x'", ran.raised


def test_worker_processes_work_where_they_are_granted(server: ForkServer):
    """A lab may grant worker processes; `concurrent.futures` then works."""
    source = (
        "from concurrent.futures import ProcessPoolExecutor\n"
        "with ProcessPoolExecutor(2) as pool:\n    total = sum(pool.map(abs, [-1, -2]))\ntotal"
    )
    with server.submission(Policy(processes=2)) as child:
        ran = child.run("a", source, deadline=PATIENT)
    assert ran.result == "3", ran.raised


def test_a_granted_program_runs_and_no_other(server: ForkServer, tmp_path):
    """A lab may grant a program; everything else stays refused."""
    source = (
        "import subprocess\n"
        "out = subprocess.run(['/bin/echo', 'hello'], capture_output=True, text=True).stdout\n"
        "try:\n    subprocess.run(['/usr/bin/id'])\nexcept PermissionError:\n    out += 'refused'\n"
        "out"
    )
    with server.submission(Policy(programs=(Path("/bin/echo"),), processes=1)) as child:
        ran = child.run("a", source, deadline=PATIENT)
    assert ran.result == "'hello\\nrefused'", ran.raised


def test_matplotlib_draws_as_in_a_notebook(server: ForkServer, tmp_path):
    """A cell may plot, with the backend of a notebook's kernel."""
    source = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.get_backend()"
    with server.submission(Policy(scratch=tmp_path)) as child:
        ran = child.run("a", source, deadline=PATIENT)
    assert "matplotlib_inline" in ran.result, ran.raised
    assert set(ran.shown[0]) == {"image/png", "text/plain"}


def test_the_environment_is_scrubbed(server: ForkServer, monkeypatch):
    """A submission sees what the lab grants, and nothing of the grader's environment."""
    monkeypatch.setenv("GRADER_TOKEN", "secret")
    with server.submission(Policy(environment=(("MODEL", "small"),))) as child:
        source = "import os\nos.environ['MODEL'], os.environ.get('GRADER_TOKEN')"
        assert child.run("a", source, deadline=PATIENT).result == "('small', None)"


def test_two_submissions_share_nothing(server: ForkServer):
    """What one submission changes, another does not see, even while both live."""
    with server.submission(Policy()) as one, server.submission(Policy()) as other:
        one.run("a", "import json\njson.answer = x = 1", deadline=PATIENT)
        ran = other.run("a", "import json\n'x' in dir(), hasattr(json, 'answer')", deadline=PATIENT)
    assert ran.result == "(False, False)"


def test_cells_are_replayed_in_a_fresh_process(server: ForkServer):
    """After a loss the other cells run again, up to a cell that ends the process too."""
    cells = [("a", "x = 1"), ("b", "x += 1"), ("c", "while True: pass"), ("d", "x")]
    with server.submission(Policy()) as child:
        runs = list(replay(child, cells, deadline=SOON))
    assert [run.cell for run in runs] == ["a", "b", "c"]
    assert runs[-1].loss is not None
    assert runs[-1].loss.trouble is Trouble.ENDLESS
    with server.submission(Policy()) as child:
        kept = [cell for cell in cells if cell[0] != "c"]
        assert list(replay(child, kept, deadline=PATIENT))[-1].result == "2"


def test_the_first_question_to_a_model_imports_nothing(child: Submission):
    """What OpenAI's client needs for it has been imported before, once for all submissions."""
    ran = child.run("a", FIRST_QUESTION, deadline=PATIENT)
    assert (ran.raised, ran.result) == (None, "[]")
