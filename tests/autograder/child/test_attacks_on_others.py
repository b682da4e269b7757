"""A student's cell reaches no network, no other process, and none of the kernel's back doors.

The `server` fixture asserts after each test that the fork server lives, that the next
submission works, and that no process is left.
"""

from __future__ import annotations

import os
import select
import socket
import textwrap
from pathlib import Path

import pytest

from autograder.child import ForkServer, Submission
from autograder.sandbox import Policy

from .conftest import PATIENT, refused, running


@pytest.mark.parametrize(
    "act",
    [
        "socket.create_connection(('127.0.0.1', port), 1)",
        "socket.create_connection(('192.0.2.1', 80), 1)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', port))",
        "socket.socket(socket.AF_INET6, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "socket.create_server(('127.0.0.1', 0))",
        "socket.socket(socket.AF_UNIX)",
        "socket.socketpair(type=socket.SOCK_DGRAM)",
        "s = socket.socket(); s.sendto(b'x', 0x20000000, ('127.0.0.1', port))",
    ],
)
@pytest.mark.parametrize("granted", [None, 9])
def test_the_network_is_closed(server: ForkServer, act: str, granted: int | None):
    """No TCP elsewhere, no UDP, no other family, no listening, with an upstream or without."""
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        server.submission(Policy(upstream_port=granted)) as child,
    ):
        port = other.getsockname()[1]
        kind = refused(child, f"import socket; port = {port}; {act}")
        assert kind in {"PermissionError", "OSError"}
        assert not select.select([other], [], [], 0)[0]


def test_the_apps_own_socket_cannot_be_turned_on_others(child: Submission, tmp_path: Path):
    """A Unix socket of another service cannot be reached through those that the child has."""
    path = str(tmp_path / "service")
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(path)
        service.listen()
        act = f"""
        import os, socket
        done = []
        for fd in range(512):
            try:
                s = socket.socket(fileno=os.dup(fd))
                s.connect({path!r})
                done.append(fd)
            except OSError:
                pass
        a, b = socket.socketpair()
        try: a.connect({path!r}); done.append('pair')
        except OSError: pass
        done
        """
        assert child.run("attack", textwrap.dedent(act), deadline=PATIENT).result == "[]"
        assert not select.select([service], [], [], 0)[0]


@pytest.mark.parametrize("processes", [0, 2])
def test_the_grader_cannot_be_signalled(server: ForkServer, processes: int):
    """No signal reaches the grader, the fork server or another submission, by any number."""
    with server.submission(Policy()) as other:
        victims = {os.getpid(), server.pid, *running(server)}
        with server.submission(Policy(processes=processes)) as child:
            for victim in victims:
                act = f"import os, signal; os.kill({victim}, signal.SIGTERM)"
                assert refused(child, act) in {"PermissionError", "ProcessLookupError"}
            child.run("all", "import os; os.kill(-1, 9)", deadline=PATIENT)
        assert other.run("next", "'alive'", deadline=PATIENT).ok


def test_signals_cannot_be_sent_by_descriptor(child: Submission):
    """The ownership of a descriptor, which sends signals too, cannot be given away."""
    act = f"import fcntl, os; r, w = os.pipe(); fcntl.fcntl(r, fcntl.F_SETOWN, {os.getpid()})"
    assert refused(child, act) == "PermissionError"


@pytest.mark.parametrize(
    "act",
    [
        "import os; os.fork()",
        "import subprocess; subprocess.run(['/bin/true'])",
        "import os; os.system('true') and (_ for _ in ()).throw(PermissionError)",
        "import os; os.execv('/bin/true', ['true'])",
        "import os; os.posix_spawn('/bin/true', ['true'], {})",
        "import multiprocessing as m; p = m.Process(target=print); p.start()",
        "import os; os.setsid()",
    ],
)
def test_no_process_and_no_program_is_started(child: Submission, act: str):
    """Where a lab grants no processes there are none."""
    assert refused(child, act) == "PermissionError"


@pytest.mark.parametrize(
    "call",
    ["unshare(0x10000000)", "setns(0, 0)", "mount(0, b'/', 0, 0, 0)", "chroot(b'/')",
     "setuid(0)", "syscall(425, 8, 0)", "syscall(321, 0, 0, 0)", "syscall(323, 0)",
     "personality(0x0040000)", "prctl(1, 0)", "prctl(36, 0)", "setpriority(0, 0, -5)",
     "memfd_create(b'x', 0)", "shmget(1, 4096, 0o1600)", "mq_open(b'/x', 0o100, 0o600, 0)"],
)  # fmt: skip
def test_the_kernels_back_doors_are_closed(child: Submission, call: str):
    """Namespaces, mounts, users, io_uring, bpf, userfaultfd, shared memory: all refused."""
    act = f"import ctypes; ctypes.CDLL(None, use_errno=True).{call}"
    assert child.run("attack", act, deadline=PATIENT).result == "-1"
