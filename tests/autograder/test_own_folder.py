"""A folder is removed when nobody holds it, whatever number the process had that made it."""

import os
import signal
import subprocess
import sys

from autograder.own_folder import OwnFolder

HOLD = """
import sys, time
from pathlib import Path
from autograder.own_folder import OwnFolder
folder = OwnFolder("run-", Path(sys.argv[1]))
print(folder.path, flush=True)
time.sleep(600)
"""


def _holder(parent, *before):
    process = subprocess.Popen(
        [*before, sys.executable, "-c", HOLD, parent], stdout=subprocess.PIPE, text=True
    )
    with process.stdout as printed:
        return process, printed.readline().strip()


def test_what_another_holds_stays(tmp_path):
    """A second one leaves the first one's folder alone, and has another."""
    with OwnFolder("run-", tmp_path) as first, OwnFolder("run-", tmp_path) as second:
        assert first != second
        assert first.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_one_left_is_removed(tmp_path):
    """The next one removes it, and nothing of another name."""
    process, left = _holder(tmp_path)
    (tmp_path / "runner").mkdir()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert os.path.isdir(left)  # noqa: PTH112 - a text
    with OwnFolder("run-", tmp_path) as own:
        assert {path.name for path in tmp_path.iterdir()} == {"runner", own.name}


def test_one_in_another_world_is_safe(tmp_path):
    """A process that has no number here holds its folder as well."""
    apart = ["unshare", "--pid", "--fork", "--kill-child"]
    if os.geteuid():
        apart.insert(1, "--map-root-user")
    process, held = _holder(tmp_path, *apart)
    try:
        with OwnFolder("run-", tmp_path):
            assert os.path.isdir(held)  # noqa: PTH112 - a text
    finally:
        process.kill()
        process.wait()
