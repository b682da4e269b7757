"""The filter of system calls: threads but no processes, no sockets but those of the grants.

Source: the kernel's `Documentation/userspace-api/seccomp_filter.rst` and seccomp(2); the
program is in classic BPF, see `include/uapi/linux/filter.h`. What is not on the list of
allowed calls is refused, so that a call which a newer kernel adds is refused too.

A filter sees numbers only, never what a pointer leads to. So a Unix socket, whose address
would name a file, is allowed in connected pairs alone, and TCP ports are left to Landlock and
the network namespace.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from typing import Final

from autograder.sandbox import bpf, kernel, syscalls
from autograder.sandbox.policy import Policy

ALLOWED: Final = frozenset(
    """
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close
    close_range open openat openat2 creat stat fstat lstat newfstatat statx statfs fstatfs
    access faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd chdir fchdir
    umask mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink
    symlinkat truncate ftruncate fallocate fadvise64 fsync fdatasync sync_file_range flock
    getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
    dup dup2 dup3 pipe pipe2 sendfile splice tee copy_file_range
    eventfd eventfd2 timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4
    poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
    epoll_pwait2
    munmap mprotect mremap madvise mincore msync mlock mlock2 munlock brk membarrier
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend
    sigaltstack pause alarm getitimer setitimer timer_create timer_settime timer_gettime
    timer_getoverrun timer_delete nanosleep clock_nanosleep clock_gettime clock_getres
    gettimeofday time times getrusage
    getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp
    getpgid getsid sysinfo uname getrandom getcpu getpriority capget getrlimit setrlimit
    sched_yield sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max
    sched_get_priority_min sched_rr_get_interval
    futex futex_waitv futex_wake futex_wait futex_requeue set_robust_list get_robust_list
    set_tid_address rseq arch_prctl exit exit_group restart_syscall wait4 waitid
    getsockname getpeername getsockopt setsockopt listen accept accept4 recvfrom recvmsg
    recvmmsg shutdown
    """.split()  # noqa: SIM905 - a list of 180 strings would be read by nobody
)
"""Calls that are harmless whatever their arguments, because other layers bound them."""

FIRST_NEW_CALL: Final = 424
"""From here on numbers are the same on all processors, and callers expect old kernels."""

_SECCOMP_SET_MODE_FILTER = 1

_X32_BIT = 0x40000000

_CLONE_THREAD = 0x00010000
_CLONE_STRANGE = 0x7E02A080
"""All CLONE_NEW* flags, CLONE_PARENT and CLONE_PTRACE."""
_MSG_FASTOPEN = 0x20000000
"""Connects without the hook that Landlock listens on."""
_SOCKET_TYPE = 0xF
_AF_UNIX, _AF_INET = 1, 2
_SOCK_STREAM = 1
_IPPROTO_TCP = 6
_OWNERS_OF_SIGNALS = (8, 10, 15, 1024, 1026)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY: signals by another road."""
_IOCTLS_ALLOWED = (0x5401, 0x802C542A, 0x5411, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TCGETS2, TIOCOUTQ, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: what programs ask
of streams. Others type into a terminal, send signals, or set flags on a file that is only read."""
_SHARED_ANONYMOUS = 0x21
"""MAP_SHARED and MAP_ANONYMOUS: memory that no limit of a process counts."""
_PRCTLS_ALLOWED = (3, 15, 16, 21, 23, 29, 30, 39, 0x53564D41)
"""Reading flags, names of threads, timer slack, names of memory areas."""


def restrict(policy: Policy, *, signals_bounded: bool) -> None:
    """Filter the calls of this process and of all after it, for good.

    Needs `refuse_new_privileges` before.

    Args:
        policy: What is granted.
        signals_bounded: Another layer keeps signals inside; then workers may be signalled.

    Raises:
        OSError: This kernel, or this processor's table, does not offer it.
    """
    steps = program(policy, own=os.getpid(), signals_bounded=signals_bounded)
    instructions = (bpf.Instruction * len(steps))(
        *(bpf.Instruction(step.code, step.when_true, step.when_false, step.value) for step in steps)
    )
    filter_ = bpf.Program(len(steps), ctypes.cast(instructions, ctypes.c_void_p))
    kernel.syscall("seccomp", _SECCOMP_SET_MODE_FILTER, 0, filter_)


def program(
    policy: Policy, *, own: int, signals_bounded: bool, machine: str | None = None
) -> list[bpf.Step]:
    """Assemble the filter.

    Args:
        policy: What is granted.
        own: Process id that may be signalled.
        signals_bounded: See `restrict`.
        machine: Processor as `uname -m` says it; None for this machine's.

    Raises:
        OSError: The processor is not in the tables.
    """
    machine = machine or platform.machine()
    numbers = syscalls.numbers(machine)
    if not numbers:
        raise OSError(errno.ENOSYS, f"no table of system calls for {machine}")
    steps = [
        bpf.Step(bpf.LOAD, bpf.ARCHITECTURE_AT),
        bpf.Step(bpf.EQUAL, syscalls.AUDIT_ARCHITECTURES[machine], 1, 0),
        bpf.Step(bpf.END, bpf.KILL_PROCESS),
        bpf.Step(bpf.LOAD, bpf.NUMBER_AT),
    ]
    if machine == "x86_64":
        steps += [bpf.Step(bpf.AT_LEAST, _X32_BIT, 0, 1), bpf.Step(bpf.END, bpf.KILL_PROCESS)]
    for name, block in _examined(policy, own=own, signals_bounded=signals_bounded).items():
        if (number := numbers.get(name)) is not None:
            steps += [bpf.Step(bpf.EQUAL, number, 0, len(block)), *block]
    for first, last in bpf.ranges(sorted(numbers[name] for name in ALLOWED if name in numbers)):
        steps += [
            bpf.Step(bpf.AT_LEAST, first, 0, 2),
            bpf.Step(bpf.ABOVE, last, 1, 0),
            bpf.Step(bpf.END, bpf.ALLOW),
        ]
    return [
        *steps,
        bpf.Step(bpf.AT_LEAST, FIRST_NEW_CALL, 0, 1),
        bpf.refuse(errno.ENOSYS),
        bpf.refuse(),
    ]


def _examined(policy: Policy, *, own: int, signals_bounded: bool) -> dict[str, list[bpf.Step]]:
    """Return the calls that depend on the grants or on their arguments."""
    sockets = bool(policy.programs)
    connects = sockets or policy.upstream_port is not None
    own_only = [*bpf.argument(0), *bpf.allow_if(own), bpf.refuse()]
    signals = [bpf.allow()] if policy.allows_processes and signals_bounded else own_only
    new_process = [bpf.allow() if policy.allows_processes else bpf.refuse()]
    new_program = [bpf.allow() if policy.programs else bpf.refuse()]
    # A right program that copies a file with its mode and times must not fail here, so where
    # writing is granted these do nothing and say that they did.
    touch = [bpf.refuse(0) if policy.scratch else bpf.refuse()]
    return {
        "clone3": [bpf.refuse(errno.ENOSYS)],  # its flags lie behind a pointer; libc falls back
        "clone": _clone(processes=policy.allows_processes),
        **dict.fromkeys(("fork", "vfork"), new_process),
        **dict.fromkeys(("execve", "execveat"), new_program),
        **dict.fromkeys(("kill", "tgkill"), signals),
        "prlimit64": [*bpf.argument(0), *bpf.allow_if(0, own), bpf.refuse()],
        "prctl": [*bpf.argument(0), *bpf.allow_if(*_PRCTLS_ALLOWED), bpf.refuse()],
        "fcntl": [*bpf.argument(1), *bpf.refuse_if(*_OWNERS_OF_SIGNALS), bpf.allow()],
        "ioctl": [*bpf.argument(1), *bpf.allow_if(*_IOCTLS_ALLOWED), bpf.refuse()],
        "mmap": [
            *bpf.argument(3),
            bpf.Step(bpf.AND, _SHARED_ANONYMOUS),
            bpf.Step(bpf.EQUAL, _SHARED_ANONYMOUS, 0, 1),
            bpf.refuse(errno.ENOMEM),
            bpf.allow(),
        ],
        "socketpair": _sockets(_AF_UNIX),
        "socket": _socket(tcp=policy.upstream_port is not None, unix=sockets),
        "connect": [bpf.allow() if connects else bpf.refuse()],
        "bind": [bpf.allow() if sockets else bpf.refuse()],
        "sendto": _without_flag(3, _MSG_FASTOPEN),
        "sendmsg": _without_flag(2, _MSG_FASTOPEN),
        "sendmmsg": _without_flag(3, _MSG_FASTOPEN),
        **dict.fromkeys(("chmod", "fchmod", "fchmodat", "fchmodat2"), touch),
        **dict.fromkeys(("utime", "utimes", "utimensat", "futimesat"), touch),
    }


def _clone(*, processes: bool) -> list[bpf.Step]:
    refuse_strange = [bpf.Step(bpf.ANY_BIT, _CLONE_STRANGE, 0, 1), bpf.refuse()]
    if processes:
        return [*bpf.argument(0), *refuse_strange, bpf.allow()]
    return [
        *bpf.argument(0),
        *refuse_strange,
        bpf.Step(bpf.ANY_BIT, _CLONE_THREAD, 0, 1),
        bpf.allow(),
        bpf.refuse(),
    ]


def _socket(*, tcp: bool, unix: bool) -> list[bpf.Step]:
    steps: list[bpf.Step] = []
    if unix:
        steps += _when_family(_AF_UNIX, _sockets(_AF_UNIX))
    if tcp:
        steps += _when_family(
            _AF_INET,
            [*_stream_only(), *bpf.argument(2), *bpf.allow_if(0, _IPPROTO_TCP), bpf.refuse()],
        )
    return [*steps, bpf.refuse(errno.EACCES)]


def _sockets(family: int) -> list[bpf.Step]:
    return [
        *bpf.argument(0),
        bpf.Step(bpf.EQUAL, family, 1, 0),
        bpf.refuse(),
        *_stream_only(),
        bpf.allow(),
    ]


def _when_family(family: int, block: list[bpf.Step]) -> list[bpf.Step]:
    return [*bpf.argument(0), bpf.Step(bpf.EQUAL, family, 0, len(block)), *block]


def _stream_only() -> list[bpf.Step]:
    return [
        *bpf.argument(1),
        bpf.Step(bpf.AND, _SOCKET_TYPE),
        bpf.Step(bpf.EQUAL, _SOCK_STREAM, 1, 0),
        bpf.refuse(),
    ]


def _without_flag(position: int, flag: int) -> list[bpf.Step]:
    return [*bpf.argument(position), bpf.Step(bpf.ANY_BIT, flag, 0, 1), bpf.refuse(), bpf.allow()]
