"""A submission's own folder: what works in a student's, within bounds, and nothing stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.child import ForkServer, Trouble
from autograder.sandbox import Policy
from autograder.sandbox.policy import MIB

from .conftest import PATIENT

ANSWERS = {
    "sqlite": """
import sqlite3
db = sqlite3.connect("agents.db")
db.execute("pragma journal_mode = wal")
db.execute("create table if not exists seen (x)")
db.execute("insert into seen values (1)")
db.commit()
assert sqlite3.connect("agents.db").execute("select x from seen").fetchone() == (1,)
""",
    "json": """
from pathlib import Path
Path("state").mkdir()
Path("state/agents.json").write_text("{}")
Path("state/agents.json").rename("state/old.json")
""",
    "log": """
import logging, logging.handlers
logging.basicConfig(filename="desk.log", force=True)
logging.getLogger().addHandler(logging.handlers.RotatingFileHandler("turning.log"))
logging.warning("written")
""",
    "temporary": """
import tempfile
with tempfile.NamedTemporaryFile() as one, tempfile.TemporaryDirectory() as other:
    one.write(b"x")
    open(f"{other}/two", "w").close()
store = tempfile.TemporaryFile()
""",
    "lock": """
import fcntl, threading
with open("desk.lock", "w") as file, threading.Lock():
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(file, fcntl.LOCK_UN)
""",
    "who": """
import getpass
from pathlib import Path
assert getpass.getuser()
(Path.home() / ".desk").write_text("x")
""",
    "module": "%%writefile helper.py\nLIMIT = 1",
    "settings": """
from pathlib import Path
from pydantic_settings import BaseSettings
Path(".env").write_text("NAME=desk")
class Settings(BaseSettings, env_file=".env"):
    name: str
assert Settings().name == "desk"
""",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_what_an_answer_may_do_in_its_folder(server: ForkServer, tmp_path: Path, answer: str):
    """Databases, files, logs, temporary files, locks and modules work as in a kernel."""
    with server.submission(Policy(scratch=tmp_path)) as child:
        ran = child.run("a", answer, deadline=PATIENT)
        assert ran.ok, ran
        assert child.run("b", "import sys, os\nsys.path[0]", deadline=PATIENT).result == "''"


def test_all_files_together_are_bounded(server: ForkServer, tmp_path: Path):
    """Many files, each as large as it may be, end with an error of the cell or with its process."""
    policy = Policy(scratch=tmp_path, scratch_size=4 * MIB, file_size=2 * MIB)
    act = """
import time
for number in range(20):
    with open(f"{number}", "wb") as file:
        file.write(b"x" * (1 << 20))
time.sleep(10)
"""
    with server.submission(policy) as child:
        ran = child.run("fills", act, deadline=PATIENT)
    if ran.loss is None:
        assert ran.raised is not None
        assert "No space left" in ran.raised.message
    else:
        assert "wrote more than 4 MB" in ran.loss.message
        assert ran.loss.trouble is Trouble.DIED


def test_the_number_of_files_is_bounded(server: ForkServer, tmp_path: Path):
    """Empty files cost a disk something too."""
    act = "import time\nfor n in range(5000): open(f'{n}', 'w').close()\ntime.sleep(10)"
    with server.submission(Policy(scratch=tmp_path, scratch_files=200)) as child:
        ran = child.run("fills", act, deadline=PATIENT)
    assert ran.loss or "No space left" in ran.raised.message


def test_files_that_were_handed_in_may_be_changed(server: ForkServer, tmp_path: Path):
    """What lies in the folder before the start belongs to the submission's user."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "agents.json").write_text("{}")
    act = "from pathlib import Path\nfile = Path('state/agents.json')\nfile.write_text('[1]')"
    with server.submission(Policy(scratch=tmp_path)) as child:
        assert child.run("a", act, deadline=PATIENT).ok
        assert child.run("b", "file.read_text()", deadline=PATIENT).result == "'[1]'"


def test_nothing_in_the_folder_can_be_run(server: ForkServer, tmp_path: Path):
    """A program that a submission writes, or that lies there already, is not started."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho hello")
    program.chmod(0o755)
    act = "import subprocess\nsubprocess.run(['./program'], check=True)"
    granted = Policy(scratch=tmp_path, processes=1, programs=(Path("/bin/echo"),))
    with server.submission(granted) as child:
        ran = child.run("a", act, deadline=PATIENT)
    assert ran.raised is not None
    assert ran.raised.type == "PermissionError"


def test_a_fresh_process_finds_a_fresh_folder(everything: ForkServer, tmp_path: Path):
    """What one process wrote, the next one of the same submission does not see."""
    for _ in range(2):
        with everything.submission(Policy(scratch=tmp_path)) as child:
            ran = child.run("a", "open('once', 'x').close()", deadline=PATIENT)
            assert ran.ok, ran
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - short


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give each child another user")
def test_children_that_follow_each_other_are_different_users(everything: ForkServer):
    """What one leaves behind by mistake is not the next one's."""
    users = set()
    for _ in range(3):
        with everything.submission(Policy()) as child:
            users.add(child.run("a", "import os\nos.getuid()", deadline=PATIENT).result)
    assert len(users) == 3
    assert str(os.getuid()) not in users


def test_what_is_written_is_for_nobody_else(everything: ForkServer, tmp_path: Path):
    """Files have no rights for other users, whatever the program asks for (umask)."""
    act = "import os\nos.close(os.open('mine', os.O_CREAT, 0o666))\noct(os.stat('mine').st_mode)"
    with everything.submission(Policy(scratch=tmp_path)) as child:
        assert child.run("a", act, deadline=PATIENT).result.endswith("600'")
