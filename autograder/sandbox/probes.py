"""Whether each layer holds here: a throw-away child puts it on and tries the forbidden act.

Nothing is inferred from a version: containers switch parts of the kernel off, and some
kernels accept a call and do nothing. A probe answers with None when the act was refused as it
should be, and with a sentence when it was not.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.sandbox import (
    bubblewrap,
    landlock,
    limits,
    namespaces,
    privileges,
    readable,
    seccomp,
)
from autograder.sandbox.layers import Layer
from autograder.sandbox.policy import MIB, Policy

_SECONDS_A_PROBE_MAY_TAKE: Final = 10
_A_MESSAGE: Final = 2000
_PTRACE_SEIZE: Final = 0x4206
"""Traces without stopping, should it not be refused."""
_HOLDS: Final = "holds"
"""A word that must come: an act that was not refused may have ended the probe."""


@dataclass(frozen=True)
class Bait:
    """Files that only this process may read.

    Attributes:
        secret: In a folder of its own.
        shared: In shared memory.
    """

    secret: Path
    shared: Path


def probe_all() -> dict[Layer, str | None]:
    """Try every layer.

    Needs a process with one thread, because it forks.

    Returns:
        For each layer None when it holds, else why not.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.NamedTemporaryFile(dir="/dev/shm") as shared,
    ):
        secret = Path(folder, "secret")
        secret.write_text("secret", encoding="ascii")
        secret.chmod(0o600)
        bait = Bait(secret, Path(shared.name))
        return {layer: _in_a_child(attempt, bait) for layer, attempt in _ATTEMPTS.items()}


def _in_a_child(attempt: Callable[[Bait], str | None], bait: Bait) -> str | None:
    """Run one probe in a child of its own; dying counts as not holding."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(_SECONDS_A_PROBE_MAY_TAKE)
        try:
            answer = attempt(bait)
            text = _HOLDS if answer is None else answer or "it does not hold"
        except BaseException as error:  # noqa: BLE001 - the child must end here, whatever happened
            text = str(error) or type(error).__name__
        os.write(writing, text.encode()[:_A_MESSAGE])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        text = answers.read(_A_MESSAGE).decode(errors="replace")
    _, status = os.waitpid(child, 0)
    if text == _HOLDS:
        return None
    return text or f"the probe ended without an answer, with status {status}"


def _refused(act: Callable[[], object], what: str) -> str | None:
    """Try a forbidden act."""
    try:
        act()
    except (OSError, MemoryError):
        return None
    return f"{what} was not refused"


def _all_refused(*acts: tuple[Callable[[], object], str]) -> str | None:
    """Try forbidden acts up to the first that is not refused."""
    answers = (_refused(act, what) for act, what in acts)
    return next((answer for answer in answers if answer), None)


def _limits(_: Bait) -> str | None:
    limits.limit(Policy(memory=256 * MIB, file_size=MIB), count_processes=False)
    with tempfile.TemporaryFile() as file:
        return _all_refused(
            (lambda: bytearray(512 * MIB), "filling memory"),
            (lambda: mmap.mmap(-1, 4096 * MIB), "filling shared memory"),
            (lambda: file.truncate(2 * MIB), "a large file"),
        )


def _no_new_privileges(_: Bait) -> str | None:
    privileges.refuse_new_privileges()
    return None if privileges.new_privileges_refused() else "the kernel forgot the flag"


def _landlocked(*, ports: tuple[int, ...] = ()) -> None:
    privileges.refuse_new_privileges()
    with landlock.ruleset(files=readable.grants(Policy()), ports=ports) as rules:
        landlock.restrict(rules)


def _files(bait: Bait) -> str | None:
    path = bait.secret
    _landlocked()
    Path(os.__file__).read_bytes()
    return _all_refused(
        (path.read_bytes, "reading a file outside"),
        (lambda: path.write_bytes(b""), "writing a file outside"),
        (path.unlink, "removing a file outside"),
        (lambda: os.truncate(path, 1), "cutting a file outside"),
        (lambda: list(path.parent.iterdir()), "listing a folder outside"),
        (Path("/proc/1/environ").read_bytes, "reading another process's environment"),
    )


def _ports(_: Bait) -> str | None:
    with (
        socket.create_server(("127.0.0.1", 0)) as granted,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        _landlocked(ports=(granted.getsockname()[1],))
        socket.create_connection(granted.getsockname()).close()
        return _all_refused(
            (lambda: socket.create_connection(other.getsockname()), "another TCP port"),
            (lambda: socket.create_server(("127.0.0.1", 0)), "listening on a TCP port"),
        )


def _scope(_: Bait) -> str | None:
    with socket.socket(socket.AF_UNIX) as outside, socket.socket(socket.AF_UNIX) as inside:
        outside.bind("")  # the kernel chooses an abstract name
        outside.listen()
        _landlocked()
        return _all_refused(
            (lambda: os.kill(os.getppid(), 0), "a signal to the parent"),
            (lambda: inside.connect(outside.getsockname()), "an abstract socket"),
        )


def _calls(bait: Bait) -> str | None:
    privileges.refuse_new_privileges()
    seccomp.restrict(Policy(upstream_port=1), signals_bounded=False)
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    socket.socketpair()[0].close()
    libc = ctypes.CDLL(None, use_errno=True)

    def trace() -> None:
        if libc.ptrace(_PTRACE_SEIZE, os.getppid(), 0, 0) < 0:
            raise PermissionError

    return _all_refused(
        (_fork_and_end, "a new process"),
        (lambda: socket.socket(socket.AF_UNIX), "a Unix socket"),
        (lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "UDP"),
        (lambda: os.kill(os.getppid(), 0), "a signal to the parent"),
        (lambda: bait.secret.chmod(0o600), "a change of permissions"),
        (trace, "tracing the parent"),
        (lambda: os.execv("/bin/true", ["true"]), "a new program"),  # noqa: S606 - the test
    )


def _fork_and_end() -> None:
    if os.fork() == 0:
        os._exit(0)


def _capabilities(_: Bait) -> str | None:
    privileges.drop_capabilities()
    return _refused(lambda: os.chroot("/"), "a change of the root folder")


def _user(bait: Bait) -> str | None:
    privileges.become(privileges.FIRST_USER)
    return _all_refused(
        (bait.secret.read_bytes, "reading the grader's own file"),
        (lambda: os.kill(os.getppid(), 0), "a signal to the parent"),
    )


def _processes(_: Bait) -> str | None:
    if not namespaces.leave().processes:
        return "the kernel refuses a namespace"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            os.setsid()
            signal.pause()  # a daemon; it holds the pipe open until the kernel kills it
        os._exit(0 if os.getpid() == 1 else 1)
    os.close(writing)
    status = os.waitpid(child, 0)[1]
    os.read(reading, 1)
    return None if status == 0 else "process numbers are shared"


def _network(_: Bait) -> str | None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        if not namespaces.leave().network:
            return "the kernel refuses a namespace"
        with namespaces.listener() as inside:
            socket.create_connection(inside.getsockname()).close()
        return _refused(lambda: socket.create_connection(outside.getsockname()), "TCP outside")


def _mounts(bait: Bait) -> str | None:
    if not namespaces.leave().mounts:
        return "the kernel refuses a namespace"
    return _refused(bait.shared.read_bytes, "reading shared memory of others")


def _bubblewrap(bait: Bait) -> str | None:
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed (package bubblewrap)"
    attempt = (
        "import os, sys\n"
        "try: os.open('/proc/sys/kernel/hostname', os.O_WRONLY)\n"
        "except OSError: sys.exit(os.path.exists(sys.argv[1]))\n"
        "sys.exit('the settings of the kernel can be written')"
    )
    inside = [sys.executable, "-I", "-c", attempt, str(bait.secret)]
    done = subprocess.run(
        [*bubblewrap.command(program), *inside], capture_output=True, text=True, check=False
    )
    return None if done.returncode == 0 else done.stderr.strip() or "a file outside was seen"


_ATTEMPTS: Final[dict[Layer, Callable[[Bait], str | None]]] = {
    Layer.LIMITS: _limits,
    Layer.NO_NEW_PRIVILEGES: _no_new_privileges,
    Layer.FILES: _files,
    Layer.PORTS: _ports,
    Layer.SCOPE: _scope,
    Layer.CALLS: _calls,
    Layer.CAPABILITIES: _capabilities,
    Layer.USER: _user,
    Layer.PROCESSES: _processes,
    Layer.NETWORK: _network,
    Layer.MOUNTS: _mounts,
    Layer.BUBBLEWRAP: _bubblewrap,
}
