"""What a row says of its isolation was seen in that child, whoever grades."""

import json
import sys

import pytest

from .neighbours import USERS, full_marks, neighbours

SCRIPT = """
import json
from autograder.child import ForkServer
from autograder.sandbox import Policy
from autograder.sandbox.report import held_here
look = '''
import os, socket
def seen():
    return [os.getpid(), os.listdir("/dev/shm"), [n for _, n in socket.if_nameindex()]]
def named(kind):
    return os.readlink(f"/proc/self/ns/{kind}")
print(os.getpid(), *(named(kind) for kind in ("net", "mnt", "pid")))
'''
found = held_here()
with ForkServer() as server, server.submission(Policy(processes=1)) as child:
    here = [__import__("os").readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt", "pid")]
    ran = child.run("a", look, deadline=10)
    print(json.dumps({"doctor": [name for name, problem in found.items() if problem is None],
          "child": sorted(child.applied.held), "printed": ran.printed.stdout, "here": here,
          "missing": {str(k): v for k, v in child.applied.missing.items()},
          "raised": str(ran.raised)}))
"""


@pytest.mark.parametrize("user", USERS)
def test_what_doctor_promises_every_child_has(user):
    """Namespaces too: the child is in others than the grader, and is number 1 there."""
    with neighbours("lab01", user) as course:
        ran = course.run(sys.executable, "-c", SCRIPT, cwd=course.path)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert set(told["child"]) == set(told["doctor"]) - {"bubblewrap"}
    assert "own process numbers" in told["child"] or "own process numbers" in told["missing"]
    if "own network" in told["doctor"]:
        number, *places = told["printed"].split()
        assert number == "1"
        assert not set(places) & set(told["here"])


SHARED = """
import os
from multiprocessing import shared_memory, resource_tracker
resource_tracker.register = lambda *a: None
try:
    print("FOUND", bytes(shared_memory.SharedMemory("note").buf[:9]))
except FileNotFoundError:
    note = shared_memory.SharedMemory("note", create=True, size=100)
    note.buf[:9] = b"LEFT-HERE"
"""
FULL = """
import os
try:
    for number in range(100):
        with open(f"/dev/shm/full{number}", "wb") as file:
            file.write(bytes(15_000_000))
except OSError as error:
    print("STOPPED", number, error)
"""
READ = "import os\nprint('LEFT', os.listdir('/dev/shm'))"


@pytest.mark.parametrize("user", USERS)
def test_shared_memory_is_ones_own_and_ends(user):
    """Nobody finds there what another has left, and nobody fills it for another."""
    with neighbours("lab04", user, tasks=["t1"]) as course:
        course.hand_in_all({"1": SHARED, "2": SHARED, "3": FULL, "4": READ})
        lines = course.grade()
        full_marks(course, lines)
        texts = {name: course.printed(name) for name in ("b-1", "b-2", "b-3", "b-4")}
    assert "FOUND" not in texts["b-1"] + texts["b-2"]
    assert "STOPPED" in texts["b-3"]
    assert "LEFT []" in texts["b-4"]
    assert len({line["seed"] for line in lines.values()}) == len(lines), "one seed for several"
