"""Names, sizes and times of what is secret are out of sight; grants bind in number and in sum."""

import pytest

from .neighbours import USERS, full_marks, neighbours

LOOK = """
import ctypes, os, pathlib
libc = ctypes.CDLL(None, use_errno=True)
for path in {paths}:
    for what in (os.stat, os.listdir, os.open):
        try:
            what(path, 0) if what is os.open else what(path)
            print("SEEN", what.__name__, path)
        except OSError as error:
            print("no", what.__name__, type(error).__name__)
    if os.access(path, os.F_OK):
        print("SEEN access", path)
watch = libc.inotify_init1(0)
print("SEEN inotify" if watch >= 0 else "no inotify")
here = os.open(os.__file__, os.O_RDONLY)
flags = ctypes.c_long(0)
for request in (0x40086602, 0x401C5820, 0x40806685):
    if libc.ioctl(here, ctypes.c_ulong(request), ctypes.byref(flags)) >= 0:
        print("SEEN flags", hex(request))
    elif ctypes.get_errno() != 1:
        print("SEEN flags reach the kernel", hex(request), ctypes.get_errno())
import mmap
try:
    mmap.mmap(-1, 1 << 20)
    print("SEEN shared memory beside the limits")
except OSError:
    print("LOOKED")
"""


@pytest.mark.parametrize("user", USERS)
def test_nothing_secret_is_seen(user):
    """Neither the gradebook nor the solution nor a classmate's work can be asked for."""
    with neighbours("lab01", user) as course:
        secret = [course.path / name for name in (
            "gradebook.db", "submitted", "submitted/a-honest", "solutions", "autograded",
            f"submitted/a-honest/{course.lab}/{course.file}", ".autograder", "nbgrader_config.py",
            f"solutions/{course.lab}/{course.file}", f"autograded/a-honest/{course.lab}",
        )]  # fmt: skip
        course.hand_in_all({"look": LOOK.format(paths=[str(path) for path in secret])})
        course.grade("--student", "a-honest")
        lines = course.grade("--no-cache")
        full_marks(course, lines)
        text = course.printed("b-look")
    assert "LOOKED" in text
    assert "SEEN" not in text


MANY = """
import os, time
for _ in range(60):
    if os.fork() == 0:
        time.sleep(30)
        os._exit(0)
time.sleep(2)
print("STILL HERE")
"""
LARGE = """
import mmap, os, time
for _ in range(8):
    if os.fork() == 0:
        kept = bytearray(700 << 20)
        time.sleep(30)
        os._exit(0)
time.sleep(3)
print("STILL HERE")
"""
FEW = """
import concurrent.futures, os
with concurrent.futures.ProcessPoolExecutor() as pool:
    print("ALL", sorted(pool.map(abs, range(-8, 0))), os.cpu_count())
with concurrent.futures.ProcessPoolExecutor(4) as pool:
    print("FOUR", sorted(pool.map(abs, range(-8, 0))))
"""


@pytest.mark.parametrize("user", USERS)
def test_processes_are_bounded_by_their_grant(user):
    """Four are four; the default of a pool is no more than that."""
    with neighbours("lab04", user, tasks=["t1"]) as course:
        course.hand_in_all({"few": FEW, "large": LARGE, "many": MANY})
        lines = course.grade()
        full_marks(course, lines)
        assert lines["b-few"]["score"] == 4
        texts = {name: course.printed(f"b-{name}") for name in ("few", "large", "many")}
    assert "ALL [1, 2" in texts["few"]
    assert "FOUR [1, 2" in texts["few"]
    for name in ("large", "many"):
        assert "STILL HERE" not in texts[name]
        assert "ended the process by SIGKILL" in texts[name]
