"""The judge: what a check sees, what a loss costs, and that the child never holds a hidden test."""

import os
from pathlib import Path

import psutil
import pytest

from autograder.checks.cell import CheckCell
from autograder.checks.deadlines import Deadlines
from autograder.checks.records import Outcome
from autograder.checks.runner import run
from autograder.child import ForkServer
from autograder.judge.judge import judge
from autograder.judge.steps import Step
from autograder.sandbox import Policy

QUICK = Deadlines(wait=0.5, again=0.5, cell=5)
APP = "from fastapi import FastAPI\napp = FastAPI()"
UNTOLD = "a sentence that only the hidden test knows: 31415926"
KNOWN = "a sentence that the submission itself says: 27182818"
CHECK = f'''\
async def test_it_answers(client):
    """It answers."""
    assert (await client.get("/")).status_code == 200


### BEGIN HIDDEN TESTS
async def test_more(client):
    """It answers more."""
    secret = "{UNTOLD}"
    reply = await client.get("/")
    assert reply.json() == "yes", secret
### END HIDDEN TESTS
'''


@pytest.fixture(scope="module")
def server():
    with ForkServer() as fork_server:
        yield fork_server


def route(answer, path="/"):
    return f"@app.get({path!r})\ndef get{len(path)}() -> str:\n    return {answer!r}"


def check(task="t1", body=CHECK, **options):
    return CheckCell(lab="lab91", task=task, points=2, body=body, **options)


def judged(server, *steps, before_each=lambda: None, **options):
    """Judge steps, given as sources and checks; `before_each` runs when a check is about to."""
    numbered = [
        Step(f"c{number}", "", step) if isinstance(step, CheckCell) else Step(f"c{number}", step)
        for number, step in enumerate(steps)
    ]
    results = []

    def jobs():
        work = judge(numbered, server=server, policy=Policy(), seed=1, **options)
        try:
            job = next(work)
            while True:
                before_each()
                yield job
                job = work.send(None)
        except StopIteration as end:
            results.append(end.value)

    run([step for step in steps if isinstance(step, CheckCell)], jobs())
    return results[0]


def test_a_check_sees_the_state_at_its_place(server):
    """What later cells change does not count for an earlier check."""
    came = judged(
        server, APP, route("yes"), check("t1"), "app = FastAPI()\n" + route("no"), check("t2")
    )
    assert [result.points for result in came.checks.values()] == [2, 1]
    assert came.score == 3


def test_a_cell_that_dies_costs_only_itself(server):
    """The process is made anew from the other cells, and the loss is told."""
    came = judged(server, APP, route("yes"), "import os; os._exit(3)", check("t1"))
    assert came.score == 2
    assert came.cells["c2"].loss is not None
    assert came.losses == ("Cell c2 ended the process with exit code 3.",)


def test_what_needs_a_failed_probe_is_blocked(server):
    """The sentence says what to do first."""
    came = judged(server, APP, check("t1"), route("yes"), check("t2", needs="t1"))
    tests = came.checks["c3"].tests
    assert {test.outcome for test in tests} == {Outcome.BLOCKED}
    assert came.score == 0


def test_the_time_for_a_submission_is_bounded(server):
    """What comes after is not run, and the verdicts say so."""
    endless = "while True: pass"
    came = judged(
        server, APP, route("yes"), endless, check("t1"), endless, check("t2"), seconds=0.5
    )
    assert came.overtime
    assert came.score == 0
    assert "used up" in came.checks["c5"].tests[0].message


def test_verdicts_that_are_known_are_taken_over(server):
    """Only the check without one is run."""
    steps = (APP, route("yes"), check("t1"), check("t2"))
    first = judged(server, *steps)
    asked = []
    again = judged(
        server, *steps, known={"c2": first.checks["c2"]}, before_each=lambda: asked.append(1)
    )
    assert len(asked) == 2  # the visible tests of one cell, and its hidden ones
    assert again.checks["c2"] is first.checks["c2"]
    assert again.score == first.score


REMEMBERING = """
from fastapi import Request
asked = []

@app.middleware("http")
async def remember(request: Request, call_next):
    asked.append(str(request.url.query))
    print(asked)
    return await call_next(request)

@app.get("/")
def get() -> list[str]:
    return asked
"""
ASKING = """\
async def test_it_answers(client):
    \"\"\"It answers.\"\"\"
    assert (await client.get("/?visible")).json() == ["something else"]


### BEGIN HIDDEN TESTS
async def test_more(client):
    \"\"\"It answers more.\"\"\"
    assert (await client.get("/?hidden")).status_code == 200
### END HIDDEN TESTS
"""


def test_what_hidden_tests_send_never_comes_back(server):
    """An app that remembers and repeats all that it is asked has seen visible tests only."""
    came = judged(
        server, APP, REMEMBERING, check("t1", ASKING), "asked", check("t2", ASKING), "print(asked)"
    )
    shown = repr(came)
    assert "visible" in shown
    assert "?hidden" not in shown
    assert "'hidden'" not in shown.replace("hidden=", "")
    outcomes = [test.outcome for result in came.checks.values() for test in result.tests]
    assert outcomes == [Outcome.FAILED, Outcome.PASSED] * 2


@pytest.mark.parametrize(
    "reaction", ["import os; os._exit(97)", "raise ValueError('hidden')", "while True: pass"]
)
def test_how_a_process_ends_under_hidden_tests_is_not_told(server, reaction):
    """Its exit code, its errors and its time could say what it was sent."""
    react = f"""
@app.middleware("http")
async def react(request, call_next):
    if "hidden" in str(request.url.query):
        {reaction}
    return await call_next(request)

@app.get("/")
def get() -> str:
    return "yes"
"""
    came = judged(server, APP, react, check("t1", ASKING), deadlines=QUICK)
    assert came.losses == ()
    visible, hidden = came.checks["c2"].tests
    assert hidden.outcome is Outcome.FAILED
    assert (hidden.message, hidden.raised, hidden.seconds) == ("", "", 0)
    assert visible.seconds > 0


def test_a_cell_lost_before_is_not_run_again_for_hidden_tests(server):
    """An endless cell costs its time once."""
    came = judged(server, APP, route("yes"), "import os; os._exit(3)", check("t1"))
    assert came.losses == ("Cell c2 ended the process with exit code 3.",)
    assert [test.outcome for test in came.checks["c3"].tests] == [Outcome.PASSED] * 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read another process's memory")
def test_no_hidden_test_is_in_the_memory_of_the_child(server):
    """Neither while it is under check nor before; the search finds what the child does hold."""
    seen = []

    def look():
        found = psutil.Process(server.pid).children(recursive=True)
        seen.append({process.pid: memory(process.pid) for process in found})

    judged(
        server, APP, f"said = {KNOWN!r}\n{route('yes')}", check("t1"), check("t2"), before_each=look
    )
    assert len(seen) == 4  # two cells, visible tests and hidden ones
    for memories in seen:
        assert any(KNOWN.encode() in held for held in memories.values())
        assert not any(UNTOLD.encode() in held for held in memories.values())


def memory(process):
    """Return all that a process holds in memory that it may write."""
    held = []
    folder = Path("/proc") / str(process)
    with (folder / "mem").open("rb", buffering=0) as opened:
        for line in (folder / "maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            begin, end = (int(part, 16) for part in span.split("-"))
            try:
                opened.seek(begin)
                held.append(opened.read(end - begin))
            except OSError:  # a part that the kernel keeps to itself
                continue
    return b"".join(held)


def test_a_task_whose_own_cell_failed_says_so(server):
    """The cell's error is the cause; the tests run as ever, and the mark is theirs."""
    check_step = Step("check-t1", "", check())
    task = Step("t1", "from fastapi import FastAPI\napp = FastAPI()\nnothing_of_this_name")
    results = []

    def jobs():
        work = judge([task, check_step], server=server, policy=Policy(), seed=1)
        results.append((yield from work))

    run([check_step.check], jobs())
    cause = results[0].checks["check-t1"].cause
    assert cause.startswith("The cell of Task 1 failed. It stopped half-way: NameError:")


def test_a_set_up_that_failed_is_named(server):
    """What a task misses then is not the student's fault, and the cause says whose it is."""
    steps = [Step("setup", "import nothing_of_this_name"), Step("check-t1", "", check())]
    results = []

    def jobs():
        results.append((yield from judge(steps, server=server, policy=Policy(), seed=1)))

    run([steps[1].check], jobs())
    cause = results[0].checks["check-t1"].cause
    assert cause.startswith("The set-up cell failed. It stopped half-way: ModuleNotFoundError:")
