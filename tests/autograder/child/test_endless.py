"""A student's cell that never ends, or dies, costs its own submission alone.

The `server` fixture asserts after each test that the fork server lives, that the next
submission works, and that no process is left.
"""

from __future__ import annotations

import textwrap

import httpx
import pytest

from autograder.child import ChildLostError, ForkServer, Submission, Trouble
from autograder.sandbox import Policy

from .conftest import PATIENT, SOON, SPIN, ask, request, trouble


@pytest.mark.parametrize(
    "act",
    [
        "while True: pass",
        "import time; time.sleep(600)",
        "import threading; threading.Event().wait()",
        "import asyncio; await asyncio.Event().wait()",
        "import signal\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "class D:\n    def __del__(self):\n        while True: pass\nD()\nNone",
        "class R:\n    def __repr__(self):\n        while True: pass\nR()",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
        "import re; re.match('(a+)+$', 'a' * 64 + 'b')",
        "10 ** 10 ** 9",
    ],
)
def test_an_endless_cell_costs_one_deadline(child: Submission, act: str):
    """After the deadline the process is gone, and further calls fail at once."""
    assert trouble(child, act) is Trouble.ENDLESS
    with pytest.raises(ChildLostError, match=r"Cell attack had no end after 0\.5 s"):
        child.run("next", "1", deadline=600)
    with pytest.raises(ChildLostError):
        child.serve(deadline=600)


def test_an_endless_thread_ends_with_its_submission(child: Submission):
    """A thread that never ends does not keep the cell, and is gone afterwards."""
    assert child.run("attack", SPIN, deadline=PATIENT).ok


@pytest.mark.parametrize(
    "act",
    [
        "import atexit, time\natexit.register(time.sleep, 600)",
        "import atexit\n@atexit.register\ndef spin():\n    while True: pass",
        "class D:\n    def __del__(self):\n        while True: pass\nkeep = D()",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()",
    ],
)
def test_an_endless_exit_is_cut_short(child: Submission, act: str):
    """What a submission would do at its exit is never done."""
    assert child.run("attack", act, deadline=PATIENT).ok
    child.close()
    child.close()


@pytest.mark.parametrize("body", ["while True: pass", "await asyncio.Event().wait()"])
def test_an_endless_startup_costs_one_deadline(child: Submission, body: str):
    """An app that never finishes its start is given up."""
    source = f"""
    import asyncio
    from contextlib import asynccontextmanager
    from fastapi import FastAPI
    @asynccontextmanager
    async def life(app):
        {body}
        yield
    app = FastAPI(lifespan=life)
    """
    assert child.run("t1", textwrap.dedent(source), deadline=PATIENT).ok
    with pytest.raises(ChildLostError, match="The start of the app had no end"):
        child.serve(deadline=SOON)


@pytest.mark.parametrize("body", ["while True: pass", "await asyncio.Event().wait()"])
def test_an_endless_shutdown_costs_one_deadline(child: Submission, body: str):
    """An app that never finishes its shutdown is given up."""
    source = f"""
    import asyncio
    from contextlib import asynccontextmanager
    from fastapi import FastAPI
    @asynccontextmanager
    async def life(app):
        yield
        {body}
    app = FastAPI(lifespan=life)
    """
    assert child.run("t1", textwrap.dedent(source), deadline=PATIENT).ok
    assert ask(child, "/docs").status_code == 200
    with pytest.raises(ChildLostError, match="The shutdown of the app had no end"):
        child.unserve(deadline=SOON)


def test_an_endless_thread_of_a_handler_does_not_stop_serving(child: Submission):
    """A sync route that never returns holds its own thread, and the app answers on."""
    source = """
    import time
    from fastapi import FastAPI
    app = FastAPI()
    @app.get("/stuck")
    def stuck(): time.sleep(600)
    @app.get("/")
    def alive(): return "alive"
    """
    child.run("t1", textwrap.dedent(source), deadline=PATIENT)
    served = child.serve(deadline=PATIENT)
    with pytest.raises(httpx.ReadTimeout):
        request(served.socket, "/stuck", seconds=SOON)
    assert request(served.socket).json() == "alive"
    child.unserve(deadline=PATIENT)
    assert child.run("t2", "1", deadline=PATIENT).ok


@pytest.mark.parametrize(
    ("act", "how"),
    [
        ("import os; os._exit(0)", "exit code 0"),
        ("import os; print('last words', flush=True); os._exit(7)", "exit code 7"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("import os; os.abort()", "SIG"),
        ("import os, signal; signal.raise_signal(signal.SIGSEGV)\nctypes_missing", ""),
    ],
)
def test_a_cell_that_dies_is_noticed_at_once(child: Submission, act: str, how: str):
    """A dead process is no time-out: it is told with how it ended, and what it wrote is kept."""
    ran = child.run("attack", act, deadline=600)
    if ran.loss is None:
        pytest.fail(f"it lives: {ran}") if how else None
        return
    assert ran.loss.trouble is Trouble.DIED
    assert how in ran.loss.message
    if "last words" in act:
        assert ran.printed.stdout == "last words\n"


def test_too_much_computing_ends_the_process(server: ForkServer):
    """The processor's own limit ends what a deadline would end later."""
    with server.submission(Policy(cpu_seconds=1)) as child:
        assert trouble(child, "while True: pass", deadline=600) is Trouble.DIED


def test_a_cell_is_bounded_by_its_computing_not_by_the_clock(child: Submission):
    """One that waits goes on; one that computes without end is ended, and the loss says so."""
    waits = child.run("waits", "import time; time.sleep(1)", deadline=0.5, waiting=60)
    assert waits.ok
    spins = child.run("spins", "while True: pass", deadline=0.5, waiting=60)
    assert spins.loss is not None
    assert spins.loss.message == "Cell spins had no end after 0.5 s of computing."
    assert not spins.loss.by_clock


def test_a_cell_that_sleeps_for_ever_is_ended_by_the_clock(child: Submission):
    """Its loss says that the clock decided."""
    sleeps = child.run("sleeps", "import time; time.sleep(600)", deadline=0.5, waiting=1)
    assert sleeps.loss is not None
    assert sleeps.loss.message == "Cell sleeps had no end after 1 s."
    assert sleeps.loss.by_clock
