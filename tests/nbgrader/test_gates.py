"""Lab 01 through plain `nbgrader autograde` and its kernels, on a part of the corpus.

The engine's gates, over every lab and every submission, are in tests/gates/.
"""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.checks.records import Outcome
from autograder.corpus import read_corpus
from autograder.course import Course

from ..sampling import some

COURSE = Course.find(Path(__file__).parent)
LAB = COURSE.lab("lab01")
ALL = [one for one in read_corpus(COURSE, LAB) if one.kind != "unreadable"]
WRONG = [one for one in ALL if one.kind == "wrong"]
OTHERS = [one for one in ALL if one.kind != "wrong"]
BLANK = next(one for one in OTHERS if one.name == "blank")
NEEDED = {"wrong-endless-loop", "wrong-secret-leaks", "wrong-refusal-tells-the-secret"}
ASKED_FOR = [one for one in WRONG if one.name in NEEDED]
SOLUTION = next(one for one in OTHERS if one.name == "right-solution")
RIGHT = [one for one in OTHERS if one.kind == "right" and one is not SOLUTION]
REST = [one for one in ALL if one not in RIGHT]
DRAWN = [*some(RIGHT, "right in stock nbgrader", share=0.25), *some(REST, "stock", share=0.13)]
"""A kernel takes seconds, so only a few of all submissions, others for each commit."""
CORPUS = {one.name: one for one in [SOLUTION, BLANK, *ASKED_FOR, *DRAWN]}

NOISE = """
import logging
import sys
import threading
import time
import warnings


def chatter():
    while True:
        print("noise", file=sys.stderr, flush=True)
        time.sleep(0.01)


threading.Thread(target=chatter, daemon=True).start()


@app.middleware("http")
async def be_noisy(request, call_next):
    if not getattr(app.state, "chatters", False):
        app.state.chatters = True
        threading.Thread(target=chatter, daemon=True).start()
    print("noise", file=sys.stderr)
    logging.getLogger("desk").error("noise")
    warnings.warn("noise")
    return await call_next(request)
"""

pytestmark = pytest.mark.notebook


@pytest.fixture(scope="module")
def graded(new_course):
    """The corpus, marked by two processes at once, each with a course of its own."""
    noisy = replace(SOLUTION, name="noisy", tasks={"t1": NOISE + _answer("t1")})
    endless = CORPUS["wrong-endless-loop"]
    others = [one for one in CORPUS.values() if one is not endless]
    slow, rest = [endless, noisy, *others[::4]], [one for one in others if one not in others[::4]]
    halves = [(new_course("slow"), slow), (new_course("rest"), rest)]
    for folder, submissions in halves:
        for one in submissions:
            one.write(folder.path / "submitted" / one.name / LAB.name, COURSE, LAB)
    # Half of the usual limit, because the endless loop uses up all of it.
    running = [folder.start("autograde", LAB.name, "--Execute.timeout=15") for folder, _ in halves]
    for (folder, _), process in zip(halves, running, strict=True):
        folder.end(process)
    return {one.name: folder for folder, submissions in halves for one in submissions}


def _answer(task: str) -> str:
    cells = SOLUTION.notebook(COURSE, LAB).cells
    return next(c.source for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == task)


def outcomes(graded, student):
    """Return the outcome of every test by its id."""
    _, checks = graded[student].marked(student)
    return {test.id: test.outcome for check in checks for test in check.tests}


@pytest.mark.parametrize("name", CORPUS)
def test_a_submission_loses_the_tests_it_states_and_no_others(graded, name):
    """Every test of every submission has the outcome that the corpus states."""
    submission, found = CORPUS[name], outcomes(graded, name)
    lost = {test for test, outcome in found.items() if outcome is not Outcome.PASSED}
    assert lost == {test for test in found if submission.is_lost(test)}
    tasks = {test.partition(".")[0] for test in found}
    assert submission.loses <= found.keys() | tasks


@pytest.mark.parametrize("name", CORPUS)
def test_a_submission_gets_the_mark_it_states(graded, name):
    """The gradebook has the mark that the corpus states, and it is the sum of the records."""
    mark, checks = graded[name].marked(name)
    assert mark == pytest.approx(CORPUS[name].points, abs=1e-9)
    assert mark == pytest.approx(math.fsum(check.points for check in checks), abs=1e-9)


def test_the_released_lab_scores_nothing_in_every_test(graded):
    """The blank lab earns no test, not only no points, and every test has been looked at."""
    blank, solved = outcomes(graded, "blank"), outcomes(graded, "right-solution")
    assert blank.keys() == solved.keys()
    assert len(blank) > 40
    assert Outcome.PASSED not in blank.values()
    assert graded["blank"].marked("blank")[0] == 0


def test_right_designs_get_exactly_full_marks(graded):
    """The solution and every other right design pass every test and get 20, not almost 20."""
    right = [one.name for one in CORPUS.values() if one.kind == "right"]
    assert len(right) >= 3
    for name in right:
        assert set(outcomes(graded, name).values()) == {Outcome.PASSED}
        assert graded[name].marked(name)[0] == 20


def test_an_endless_loop_costs_its_own_task_only(graded):
    """The cell that never ends is stopped, and the tasks behind it are marked as usual."""
    name = "wrong-endless-loop"
    _, checks = graded[name].marked(name)
    assert [(check.task, check.points) for check in checks] == [
        *(("t1", 3), ("t2", 4), ("t3", 3), ("t4", 0), ("t5", 7)),
    ]
    stopped = [
        output.ename
        for cell in graded[name].autograded(name).cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    assert "CellTimeoutError" in stopped or "KeyboardInterrupt" in stopped


def test_noise_on_stderr_costs_nothing(graded):
    """Threads, logs and warnings that write to stderr while checks run cost no points."""
    mark, checks = graded["noisy"].marked("noisy")
    assert mark == 20
    assert "noise" in checks[0].printed


def test_hidden_tests_tell_no_more_than_their_meaning(graded):
    """A lost hidden test shows its meaning and hint, and nothing of what it sent."""
    _, checks = graded["wrong-refusal-tells-the-secret"].marked("wrong-refusal-tells-the-secret")
    lost = [test for check in checks for test in check.tests if test.outcome is Outcome.FAILED]
    hidden = [test for test in lost if test.hidden]
    assert hidden
    assert all(test.meaning for test in hidden)
    assert not any(t.sent_and_got or t.difference or t.message or t.raised for t in hidden)
    _, checks = graded["wrong-secret-leaks"].marked("wrong-secret-leaks")
    lost = [test for check in checks for test in check.tests if test.outcome is Outcome.FAILED]
    assert any(test.sent_and_got for test in lost if not test.hidden)
