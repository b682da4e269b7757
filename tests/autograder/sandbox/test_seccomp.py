"""The filter of system calls, run step by step for both processors, without a kernel.

What the kernel does with it is tried by `autograder doctor` and by the attacks in
tests/autograder/child; the aarch64 filter is tried here alone.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from autograder.sandbox import Policy, seccomp, syscalls
from autograder.sandbox.bpf import Step

OWN = 4321
ALLOWED = "allowed"
KILLED = "killed"
MACHINES = ["x86_64", "aarch64"]


def verdict(steps: list[Step], machine: str, number: int, *arguments: int) -> str:
    """Run the filter on one call, as the kernel's interpreter does."""
    words = {0: number, 4: syscalls.AUDIT_ARCHITECTURES[machine]}
    for position, value in enumerate(arguments):
        words[16 + 8 * position] = value & 0xFFFFFFFF
    register, at = 0, 0
    while True:
        step = steps[at]
        at += 1
        match step.code:
            case 0x20:
                register = words.get(step.value, 0)
            case 0x54:
                register &= step.value
            case 0x06:
                return _named(step.value)
            case _:
                holds = {
                    0x15: register == step.value,
                    0x25: register > step.value,
                    0x35: register >= step.value,
                    0x45: bool(register & step.value),
                }[step.code]
                at += step.when_true if holds else step.when_false


def _named(value: int) -> str:
    if value == 0x7FFF0000:
        return ALLOWED
    if value == 0x80000000:
        return KILLED
    return errno.errorcode.get(value & 0xFFFF, "nothing done")


def ask(policy: Policy, machine: str, call: str, *arguments: int, bounded: bool = True) -> str:
    """Return what the filter says to a call by its name."""
    steps = seccomp.program(policy, own=OWN, signals_bounded=bounded, machine=machine)
    return verdict(steps, machine, syscalls.numbers(machine)[call], *arguments)


UPSTREAM = Policy(upstream_port=80)
WORKERS = Policy(processes=2)
PROGRAM = Policy(programs=(Path("/bin/echo"),))
SCRATCH = Policy(scratch=Path("/scratch"))

CASES = [
    (Policy(), "read", (), ALLOWED),
    (Policy(), "openat", (), ALLOWED),
    (Policy(), "futex", (), ALLOWED),
    (Policy(), "clone", (0x3D0F00,), ALLOWED),  # a thread, as libc makes it
    (Policy(), "clone", (17,), "EPERM"),  # a process
    (Policy(), "clone", (0x10000 | 0x10000000,), "EPERM"),  # a thread in new namespaces
    (WORKERS, "clone", (17,), ALLOWED),
    (WORKERS, "clone", (17 | 0x8000,), "EPERM"),  # a sibling of its own parent
    (WORKERS, "clone", (17 | 0x20000000,), "EPERM"),
    (Policy(), "clone3", (), "ENOSYS"),
    (WORKERS, "execve", (), "EPERM"),
    (PROGRAM, "execve", (), ALLOWED),
    (Policy(), "socket", (2, 1, 0), "EACCES"),
    (Policy(), "socket", (1, 1, 0), "EACCES"),
    (UPSTREAM, "socket", (2, 1, 0), ALLOWED),
    (UPSTREAM, "socket", (2, 1 | 0o2004000, 6), ALLOWED),  # non-blocking, closed on exec
    (UPSTREAM, "socket", (2, 2, 0), "EPERM"),  # UDP
    (UPSTREAM, "socket", (2, 3, 1), "EPERM"),  # raw
    (UPSTREAM, "socket", (2, 1, 262), "EPERM"),  # MPTCP
    (UPSTREAM, "socket", (10, 1, 0), "EACCES"),
    (UPSTREAM, "socket", (1, 1, 0), "EACCES"),
    (UPSTREAM, "socket", (16, 3, 0), "EACCES"),
    (PROGRAM, "socket", (1, 1, 0), ALLOWED),
    (Policy(), "socketpair", (1, 1, 0), ALLOWED),
    (Policy(), "socketpair", (1, 2, 0), "EPERM"),
    (Policy(), "connect", (), "EPERM"),
    (UPSTREAM, "connect", (), ALLOWED),
    (UPSTREAM, "bind", (), "EPERM"),
    (UPSTREAM, "sendto", (3, 0, 0, 0x20000000), "EPERM"),
    (UPSTREAM, "sendto", (3, 0, 0, 0x4000), ALLOWED),
    (UPSTREAM, "sendmsg", (3, 0, 0x20000000), "EPERM"),
    (UPSTREAM, "sendmmsg", (3, 0, 1, 0x20000000), "EPERM"),
    (UPSTREAM, "sendmmsg", (3, 0, 1, 0x4000), ALLOWED),
    (Policy(), "kill", (OWN, 9), ALLOWED),
    (Policy(), "kill", (OWN + 1, 9), "EPERM"),
    (Policy(), "kill", (-1, 9), "EPERM"),
    (Policy(), "tgkill", (OWN, 7, 9), ALLOWED),
    (Policy(), "tgkill", (1, 1, 9), "EPERM"),
    (WORKERS, "kill", (OWN + 1, 9), ALLOWED),
    (Policy(), "prctl", (15,), ALLOWED),
    (Policy(), "prctl", (1,), "EPERM"),
    (Policy(), "prctl", (36,), "EPERM"),
    (Policy(), "prlimit64", (0,), ALLOWED),
    (Policy(), "prlimit64", (1,), "EPERM"),
    (Policy(), "fcntl", (3, 8), "EPERM"),
    (Policy(), "fcntl", (3, 4), ALLOWED),
    (Policy(), "ioctl", (0, 0x5412), "EPERM"),
    (Policy(), "ioctl", (0, 0x5401), ALLOWED),
    (Policy(), "ioctl", (3, 0x40086602), "EPERM"),  # flags of a file that is only read
    (Policy(), "inotify_init1", (), "EPERM"),
    (Policy(), "mmap", (0, 4096, 3, 0x22), ALLOWED),  # private memory
    (Policy(), "mmap", (0, 4096, 3, 0x01, 5), ALLOWED),  # a shared file
    (Policy(), "mmap", (0, 4096, 3, 0x21), "ENOMEM"),
    (WORKERS, "mmap", (0, 4096, 3, 0x23), "ENOMEM"),  # MAP_SHARED_VALIDATE
    (Policy(), "fchmodat", (), "EPERM"),
    (SCRATCH, "fchmodat", (), "nothing done"),
    (SCRATCH, "utimensat", (), "nothing done"),
    (Policy(), "ptrace", (), "EPERM"),
    (Policy(), "process_vm_readv", (), "EPERM"),
    (Policy(), "setsid", (), "EPERM"),
    (Policy(), "unshare", (), "EPERM"),
    (Policy(), "setns", (), "EPERM"),
    (Policy(), "mount", (), "EPERM"),
    (Policy(), "bpf", (), "EPERM"),
    (Policy(), "keyctl", (), "EPERM"),
    (Policy(), "userfaultfd", (), "EPERM"),
    (Policy(), "perf_event_open", (), "EPERM"),
    (Policy(), "open_by_handle_at", (), "EPERM"),
    (Policy(), "memfd_create", (), "EPERM"),
    (Policy(), "io_uring_setup", (), "ENOSYS"),
    (Policy(), "pidfd_open", (), "ENOSYS"),
    (Policy(), "pidfd_send_signal", (), "ENOSYS"),
]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("policy", "call", "arguments", "expected"), CASES)
def test_a_call_is_judged(policy: Policy, call: str, arguments, expected: str, machine: str):
    """The grants decide what a call may do, on both processors alike."""
    assert ask(policy, machine, call, *arguments) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_workers_are_not_signalled_where_nothing_else_bounds_signals(machine: str):
    """Without Landlock's scope or own process numbers a signal could leave the sandbox."""
    assert ask(WORKERS, machine, "kill", OWN + 1, 9, bounded=False) == "EPERM"


@pytest.mark.parametrize("machine", MACHINES)
def test_a_call_that_is_not_known_yet_is_refused(machine: str):
    """A call of a newer kernel looks as it does on an older one: not there."""
    steps = seccomp.program(Policy(), own=OWN, signals_bounded=True, machine=machine)
    assert verdict(steps, machine, 999) == "ENOSYS"


def test_the_other_ways_into_the_kernel_are_closed():
    """A call by another processor's table, or by x32, ends the process."""
    steps = seccomp.program(Policy(), own=OWN, signals_bounded=True, machine="x86_64")
    assert verdict(steps, "aarch64", 0) == KILLED
    assert verdict(steps, "x86_64", 0x40000000) == KILLED


def test_an_unknown_processor_has_no_filter():
    """Where the numbers of calls are not known, the layer says so."""
    with pytest.raises(OSError, match="riscv64"):
        seccomp.program(Policy(), own=OWN, signals_bounded=True, machine="riscv64")
