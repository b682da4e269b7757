"""`run_program`: a real program beside the notebook, that ends with it."""

from __future__ import annotations

import atexit
import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import psutil  # type: ignore[import-untyped]

from classroom import cells

_GUARD = Path(__file__).with_name("guard.py")
_LOOK = 0.01
"""Seconds between looks at a port."""

_live: list[Program] = []
_registry = threading.RLock()


class ProgramFailedError(RuntimeError):
    """A program ended before it was ready; the message holds what it wrote."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """A running program; see `run_program`.

    Attributes:
        command: What was started.
        port: The port that it listens on, or None.
        pid: Its process id.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int | None,
        folder: Path | None,
        environment: Mapping[str, str],
        cell: cells.CellRun | None,
        leaves: Path | None = None,
    ) -> None:
        self.command = tuple(command)
        self.port = port
        self._cell = cell
        self._leaves = leaves
        self._in_block = False
        self._code: int | None = None
        self._done = threading.Event()
        self._log = Path(tempfile.mkdtemp(prefix="program-")) / "log"
        receives, sends = os.pipe()
        with contextlib.ExitStack() as closing:
            closing.callback(os.close, sends)
            log = closing.enter_context(self._log.open("wb"))
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_GUARD), str(sends), *self.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[sends],
                start_new_session=True,
                cwd=folder,
                env={**os.environ, "PATH": _path_with_our_scripts(), **environment},
            )
        report = os.fdopen(receives)
        self.pid = int(report.readline() or 0)
        self._reader = threading.Thread(target=self._follow, args=(report,), daemon=True)
        self._reader.start()

    def _follow(self, report: IO[str]) -> None:
        with report:
            line = report.readline()
        self._guard.wait()
        self._code = int(line) if line.strip() else -int(signal.SIGKILL)
        self._done.set()

    @property
    def url(self) -> str:
        """Base URL without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the program runs."""
        return not self._done.is_set()

    @property
    def log(self) -> str:
        """What the program has written so far, to its output and its error output."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself, as an operator or a container's runtime does."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM: please end."""
        self.signal(signal.SIGTERM)

    def wait(self, timeout: float = 15.0) -> int:
        """Wait until the program has ended and return its exit code; negative: killed by a signal.

        Raises:
            TimeoutError: It has not ended in time.
        """
        if not self._done.wait(timeout):
            raise TimeoutError(f"{self} has not ended within {timeout:g} s.")
        assert self._code is not None
        return self._code

    def workers(self) -> list[psutil.Process]:
        """Return the processes that it has started, and theirs, oldest first.

        Python's own helper, which only counts resources, is left out.
        """
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    if not any("resource_tracker" in word for word in process.cmdline()):
                        found.append(process)
        return sorted(found, key=lambda one: one.pid)

    def stop(self) -> None:
        """Kill it with everything that it has started; twice is harmless."""
        with _registry:
            if self in _live:
                _live.remove(self)
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._done.wait(5)
        if self._leaves is not None:
            shutil.rmtree(self._leaves, ignore_errors=True)

    def __enter__(self) -> Self:
        self._in_block = True
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"pid {self.pid}" if self.running else f"ended with {self._code}"
        return f"<{Path(self.command[0]).name}, {state}>"

    def _is_replaced_by(self, command: Sequence[str], cell: cells.CellRun | None) -> bool:
        if self._in_block:
            return False
        again = cell is not None and self._cell is not None and cell.repeats(self._cell)
        return again or self.command == tuple(command)

    def _until_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while self.running and time.monotonic() < deadline:
            if self.port is None or _answers(self.port):
                return
            time.sleep(_LOOK)
        failed = not self.running
        wrote = self.log
        self.stop()
        if failed:
            raise ProgramFailedError(f"{shlex.join(self.command)} ended at once:\n{wrote}")
        raise TimeoutError(f"{shlex.join(self.command)} is not ready after {timeout:g} s:\n{wrote}")


def run_program(
    *command: str | int | Path,
    port: int | None = None,
    folder: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 30.0,
    leaves: Path | None = None,
) -> Program:
    """Start a program and return when it listens.

    It ends with the kernel, with all processes that it has started: also when the kernel is
    killed. Running the cell again replaces what the cell had started.

    Args:
        command: The program and its arguments, without a shell. Programs of this environment,
            such as `uvicorn`, are found first.
        port: The port on 127.0.0.1 that it opens; without one, it counts as ready at once.
        folder: Its working folder.
        environment: Variables beside those of this process.
        timeout: Seconds until it must be ready.
        leaves: A folder of its own, which is removed when it is stopped.

    Raises:
        ProgramFailedError: It ended before it was ready.
        TimeoutError: It is not ready in time.
    """
    words = [str(word) for word in command]
    watch = cells.watch()
    cell = watch.current if watch else None
    with _registry:
        replaced = [old for old in _live if old._is_replaced_by(words, cell)]  # noqa: SLF001
    for old in replaced:
        old.stop()
    program = Program(
        words,
        port=port,
        folder=Path(folder) if folder is not None else None,
        environment=environment or {},
        cell=cell,
        leaves=leaves,
    )
    with _registry:
        _live.append(program)
    program._until_ready(timeout)  # noqa: SLF001
    return program


@atexit.register
def stop_all() -> None:
    """Stop every program that `run_program` started and that still runs."""
    for program in _live.copy():
        program.stop()


def _path_with_our_scripts() -> str:
    scripts = str(Path(sys.executable).parent)
    return os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
        return True
    return False
