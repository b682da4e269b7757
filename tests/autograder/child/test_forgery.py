"""A student's code that speaks on the control channel gains nothing by it.

The `server` fixture asserts after each test that the fork server lives, that the next
submission works, and that no process is left.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.child import ChildLostError, Submission, Trouble

from .conftest import PATIENT, SOON, trouble

CONTROL = """
import os, socket, stat, struct, json
def control():
    for fd in range(3, 512):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                s = socket.socket(fileno=os.dup(fd))
                s.getpeername()
                yield fd
        except OSError:
            pass
def say(text, length=None):
    body = text if isinstance(text, bytes) else text.encode()
    for fd in control():
        try: os.write(fd, struct.pack('!I', len(body) if length is None else length) + body)
        except OSError: pass
"""


@pytest.mark.parametrize(
    "act",
    [
        "say('{\"id\": 99}')",
        "say('not json')",
        "say('[' * 100_000)",
        "say('{\"id\": 2, \"value\": ' + '[' * 50_000 + ']' * 50_000 + '}')",
        "say('{\"id\": ' + '9' * 100_000 + '}')",
        'say(\'{"id": 2, "extra": 1}\')',
        "say('{\"id\": 2, \"result\": \"' + 'x' * 200_000 + '\"}')",
        "say(b'\\xff\\xfe')",
        "say('', length=2**32 - 1)",
        "say('', length=3_000_000)",
        "while True: say('x' * 60_000)",
    ],
)
def test_a_broken_message_ends_the_conversation(child: Submission, act: str):
    """What is not the answer that was asked for ends the submission, with one line."""
    child.run("tools", CONTROL, deadline=PATIENT)
    loss = child.run("attack", act, deadline=PATIENT).loss
    assert loss is not None
    assert loss.trouble in {Trouble.BROKEN, Trouble.DIED}
    assert "\n" not in loss.message
    assert len(loss.message) < 200


def test_a_half_message_costs_one_deadline(child: Submission):
    """Announcing a message and never sending it is a time-out."""
    child.run("tools", CONTROL, deadline=PATIENT)
    act = "import time\nsay('x', length=1000)\ntime.sleep(600)"
    assert trouble(child, act) is Trouble.ENDLESS


def test_a_forged_answer_is_found_out_by_the_next_order(child: Submission):
    """A forged answer ends one order early; the true one then breaks the conversation."""
    child.run("tools", CONTROL, deadline=PATIENT)
    forged = child.run("attack", 'say(\'{"id": 2, "result": "forged"}\')', deadline=PATIENT)
    assert forged.result == "forged"  # so nothing that earns points rests on it
    loss = child.run("next", "1", deadline=PATIENT).loss
    assert loss is not None
    assert loss.trouble is Trouble.BROKEN


def test_descriptors_sent_along_are_not_taken(child: Submission):
    """A submission cannot fill the grader's table of descriptors."""
    child.run("tools", CONTROL, deadline=PATIENT)
    before = len(list(Path("/proc/self/fd").iterdir()))
    act = (
        "for fd in list(control()):\n    s = socket.socket(fileno=os.dup(fd))\n"
        "    for _ in range(50): socket.send_fds(s, [b'\\0\\0\\0\\x02{}'], [0, 1, 2])"
    )
    assert trouble(child, act, PATIENT) is Trouble.BROKEN
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_closing_every_descriptor_ends_the_submission(child: Submission):
    """Without its connection a submission is dead, and told so."""
    ran = child.run("attack", "import os; os.closerange(0, 256)", deadline=PATIENT)
    assert ran.loss is not None
    assert ran.loss.trouble is Trouble.DIED


@pytest.mark.parametrize(
    "act",
    [
        "import json; json.dumps = json.loads = lambda *a, **k: 'forged'",
        "import os; os.write = os.read = os.fstat = lambda *a: 0",
        "import socket; socket.socket.recv = socket.socket.sendall = lambda *a: b''",
        "import builtins; builtins.len = builtins.print = lambda *a: 0",
        "import sys; sys.stdout = sys.stderr = None",
        "import sys; sys.modules.clear()",
        "get_ipython().run_cell_async = None",
        "get_ipython().run = lambda *a: 1 / 0",
        "import pydantic; pydantic.BaseModel.model_dump_json = lambda *a, **k: 'forged'",
        "import asyncio; asyncio.get_running_loop().stop()",
        "import asyncio; asyncio.get_running_loop().close()",
        "for t in __import__('asyncio').all_tasks(): t.cancel()",
        "import gc\nfor o in gc.get_objects():\n    if isinstance(o, dict): o.pop('loss', None)",
    ],
)
def test_a_patched_library_hurts_its_own_submission_alone(child: Submission, act: str):
    """Whatever is replaced inside, the grader sees an answer, an error or a lost process."""
    child.run("attack", act, deadline=SOON)
    try:
        child.run("next", "1", deadline=SOON)
        child.serve(deadline=SOON)
    except ChildLostError as lost:
        assert lost.loss.message  # noqa: PT017 - either way is right
