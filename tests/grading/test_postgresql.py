"""The gradebook may be a PostgreSQL database."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@pytest.fixture
def database(tmp_path):
    """A server of one's own, that is reached by a socket in a folder."""
    if not SERVERS:
        pytest.skip("PostgreSQL is not installed (package postgresql)")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("The driver for PostgreSQL is not installed (pip install 'psycopg[binary]')")
    programs = SERVERS[-1].parent
    # The server refuses to run as root, and a socket's path must be short.
    user = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    folder = Path(subprocess.check_output([*user, "mktemp", "-d"], text=True).strip())
    data, log = folder / "data", folder / "log"
    try:
        call([*user, programs / "initdb", "-D", data, "-A", "trust", "-U", "course"], folder)
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        control = [*user, programs / "pg_ctl", "-D", data, "-w", "-l", log]
        call([*control, "-o", options, "start"], folder)
        yield f"postgresql+psycopg://course@/postgres?host={folder}"
        call([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def call(command, folder):
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)


def test_a_class_is_graded_into_postgresql(small, database):
    """The same rows as in SQLite; a second run takes them over, two at once share the work."""
    for number in range(4):
        small.hand_in(f"s{number}", *(["pass"] if number == 3 else []))
    small.grade("--seed", "1")
    rows = small.rows()
    shutil.rmtree(small.path / ".autograder")
    with (small.path / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.CourseDirectory.db_url = {database!r}\n")
    processes = [small.start("--seed", "1", "--jobs", "1") for _ in range(2)]
    for process in processes:
        _, complaints = process.communicate()
        assert process.returncode == 0, complaints
    assert small.rows(url=database) == rows
    assert small.grade().statuses() == {"cached"}
