"""A student's cell that takes too much of anything is bounded.

The `server` fixture asserts after each test that the fork server lives, that the next
submission works, and that no process is left.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from autograder.child import ForkServer, Submission
from autograder.sandbox import Policy

from .conftest import PATIENT, SOON, refused


def test_a_fork_bomb_is_bounded_where_processes_are_granted(server: ForkServer):
    """A lab that grants workers is not a lab that grants a bomb."""
    act = """
    import os, time
    made = 0
    try:
        while made < 5000:
            if os.fork() == 0:
                time.sleep(60)
            made += 1
    except OSError:
        pass
    made
    """
    with server.submission(Policy(processes=2, memory=512 << 20)) as child:
        ran = child.run("attack", textwrap.dedent(act), deadline=SOON)
        assert ran.loss is not None or int(ran.result) < 5000


def test_a_daemon_does_not_outlive_its_submission(server: ForkServer, tmp_path: Path):
    """What has forked twice and let go of its parent is gone when the submission is closed."""
    act = """
    import os, time
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()
    """
    with server.submission(Policy(processes=3)) as child:
        assert child.run("attack", textwrap.dedent(act), deadline=PATIENT).ok


@pytest.mark.parametrize(
    "act",
    [
        "x = bytearray(3 << 30)",
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
        "import mmap; [mmap.mmap(-1, 1 << 30) for _ in range(8)]",
        "x = 'a'\nwhile True: x += x",
    ],
)
def test_a_memory_bomb_is_bounded(child: Submission, act: str):
    """Memory past the grant is refused, in one piece or in many."""
    ran = child.run("attack", act, deadline=PATIENT)
    assert ran.loss is not None or ran.raised.type in {"MemoryError", "OSError"}


def test_a_thread_bomb_is_bounded(child: Submission):
    """Threads come to an end, and with them the cell."""
    act = "import threading as t, time\nwhile True: t.Thread(target=time.sleep, args=(60,)).start()"
    ran = child.run("attack", act, deadline=PATIENT)
    assert ran.loss is not None or ran.raised.type in {"RuntimeError", "MemoryError"}


def test_a_disk_bomb_is_bounded(server: ForkServer, tmp_path: Path):
    """A file past the grant is refused."""
    with server.submission(Policy(scratch=tmp_path, file_size=1 << 20)) as child:
        act = "with open('big', 'wb') as f:\n    while True: f.write(b'x' * 65536)"
        assert refused(child, act) == "OSError"
        size = child.run("size", "import os\nos.path.getsize('big')", deadline=PATIENT).result
    assert int(size) <= 1 << 20


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_an_output_bomb_is_cut_with_its_length(child: Submission, stream: str):
    """64 KiB of output come back, and how much there was; the cell is not failed for it."""
    act = f"import sys\nfor _ in range(100): sys.{stream}.write('x' * 100_000)"
    ran = child.run("attack", act, deadline=PATIENT)
    text = getattr(ran.printed, stream)
    assert ran.ok
    assert len(text) < 70_000
    assert "bytes)" in text[-40:]
    assert ran.dropped > 8_000_000


def test_an_output_bomb_below_python_is_bounded(child: Submission):
    """Writing to the descriptor itself ends at the size that a file may have."""
    act = "import os\nwhile True: os.write(1, b'x' * 65536)"
    ran = child.run("attack", act, deadline=PATIENT)
    assert ran.raised is not None
    assert ran.raised.type == "OSError"
    assert len(ran.printed.stdout) < 70_000


def test_output_that_is_no_text_is_shown_all_the_same(child: Submission):
    """Bytes that are no UTF-8, lone surrogates and nulls do no harm."""
    act = "import os\nos.write(1, bytes(range(256)))\nprint('\\ud800\\x00')\n'\\ud800'"
    ran = child.run("attack", act, deadline=PATIENT)
    assert ran.ok
    assert "\\ud800" in ran.printed.stdout


@pytest.mark.parametrize(
    "act",
    [
        "class R:\n    def __repr__(self): return 'x' * 10**7\nR()",
        "raise ValueError('x' * 10**7)",
        "raise type('E' * 10**6, (Exception,), {})",
        "class E(Exception):\n    def __str__(self): raise KeyError\nraise E",
        "def f(): f()\nf()",
        "raise ExceptionGroup('x' * 10**6, [ValueError('y' * 10**6)] * 100)",
        "raise SystemExit(3)",
        "raise KeyboardInterrupt",
        "raise GeneratorExit",
        "import asyncio; raise asyncio.CancelledError",
    ],
)
def test_large_and_odd_results_are_cut(child: Submission, act: str):
    """Whatever a cell shows or raises comes back as bounded text, and the process lives."""
    ran = child.run("attack", act, deadline=PATIENT)
    assert ran.loss is None
    assert len(ran.result) + len(str(ran.raised)) < 140_000
    assert child.run("next", "'alive'", deadline=PATIENT).ok
