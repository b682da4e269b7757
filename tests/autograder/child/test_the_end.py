"""When the grader ends, everything ends.

The `server` fixture asserts after each test that the fork server lives, that the next
submission works, and that no process is left.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from autograder.child import ChildLostError, ForkServer, SandboxTooWeakError, ServerLostError
from autograder.sandbox import Layer, Level, Policy, examine

from .conftest import PATIENT, SPIN, ask, refused


def test_the_children_end_with_the_server():
    """Closing the server ends submissions that are still open, busy or not."""
    with ForkServer() as server:
        child = server.start(Policy())
        child.run("busy", SPIN, deadline=PATIENT)
        family = psutil.Process(server.pid).children(recursive=True)
    gone, alive = psutil.wait_procs(family, timeout=PATIENT)
    assert gone
    assert not alive
    assert child.run("next", "1", deadline=PATIENT).loss is not None
    child.close()


LANDLOCK = frozenset({Layer.FILES, Layer.PORTS, Layer.SCOPE})

GRADER = """
import sys, time
from autograder.child import ChildLostError, ForkServer, SandboxTooWeakError, ServerLostError
from autograder.sandbox import Layer, Policy
without = frozenset(Layer(name) for name in sys.argv[1:])
server = ForkServer(without=without).__enter__()
child = server.start(Policy(processes=2))
child.run("busy", "import os, threading\\n"
    "def spin():\\n    while True: pass\\n"
    "for _ in range(2):\\n    if os.fork() == 0: spin()\\n"
    "threading.Thread(target=spin).start()", deadline=60)
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("without", [[], ["own process numbers", "own network", "own /dev/shm"]])
def test_everything_ends_when_the_grader_is_killed(without: list[str]):
    """SIGKILL to the grader ends the fork server, the submissions and what they started."""
    command = [sys.executable, "-c", GRADER, *without]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as grader:
        root = psutil.Process(int(grader.stdout.readline()))
        family = [root, *root.children(recursive=True)]
        grader.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=PATIENT)
    assert not alive
    assert len(family) >= 4


def test_a_lost_server_is_told_and_leaves_nothing():
    """When the fork server is killed its submissions end, and the next call says so."""
    with ForkServer() as server, server.submission(Policy()) as child:
        family = [psutil.Process(server.pid)]
        family += family[0].children(recursive=True)
        os.kill(server.pid, signal.SIGKILL)
        assert not psutil.wait_procs(family, timeout=PATIENT)[1]
        assert child.run("next", "1", deadline=PATIENT).loss is not None
        with pytest.raises(ServerLostError, match="The fork server has ended"):
            server.start(Policy())


def test_a_server_that_answers_late_is_not_listened_to_any_more():
    """Also where the kernel gives no descriptor to kill it by: its answer would be another's."""
    with ForkServer() as server:
        os.close(server._server)
        server._server = None
        family = psutil.Process(server.pid).children(recursive=True)
        for process in family:
            process.suspend()
        server._control.settimeout(0.2)
        with pytest.raises(ServerLostError):
            server.listener()
        for process in family:
            process.resume()
        with pytest.raises(ServerLostError):
            server.listener()
    assert not psutil.wait_procs(family, timeout=PATIENT)[1]


def test_a_submission_that_cannot_start_says_why(server: ForkServer, tmp_path: Path):
    """A working folder that is not there is told before anything runs."""
    missing = Policy(folder=tmp_path / "missing")
    with pytest.raises(ChildLostError, match="missing"), server.submission(missing):
        pass


def test_grading_refuses_a_weak_sandbox():
    """Without any layer that hides files, nothing runs unless told so by name."""
    without = LANDLOCK | {Layer.BUBBLEWRAP}
    with pytest.raises(SandboxTooWeakError, match="autograder doctor"):
        ForkServer(without=without)
    with ForkServer(unsafe=True) as server, server.submission(Policy()) as child:
        assert child.applied.level is server.level is Level.NONE
        assert child.run("a", "1", deadline=PATIENT).result == "1"


def test_without_landlock_files_are_hidden_by_bubblewrap_or_nothing_runs(tmp_path: Path):
    """Bubblewrap gives the level contained; where it is not installed, grading refuses."""
    (tmp_path / "solution.py").write_text("answer")
    if Layer.BUBBLEWRAP not in examine().holding:
        with pytest.raises(SandboxTooWeakError):
            ForkServer(without=LANDLOCK)
        return
    with ForkServer(without=LANDLOCK) as server, server.submission(Policy()) as child:
        assert child.applied.level is Level.CONTAINED
        assert refused(child, f"open({str(tmp_path / 'solution.py')!r})") == "FileNotFoundError"
        for path in ("/attack", "/proc/sys/kernel/hostname", "/dev/shm/attack"):  # noqa: S108
            act = f"open({path!r}, 'w')"
            assert refused(child, act) in {"FileNotFoundError", "OSError", "PermissionError"}
        child.run("t1", "from fastapi import FastAPI\napp = FastAPI()", deadline=PATIENT)
        assert ask(child, "/docs").status_code == 200
