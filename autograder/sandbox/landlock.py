"""Landlock: which files, TCP ports, sockets and processes a process may touch.

Source: the kernel's `Documentation/userspace-api/landlock.rst` and `include/uapi/linux/landlock.h`.
Every version (ABI) of Landlock knows more rights; a right that the running kernel does not
know is left out of the rule set, and `abi()` tells what that means.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from autograder.sandbox import kernel

TRUNCATE_ABI: Final = 3
TCP_ABI: Final = 4
SCOPE_ABI: Final = 6

_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_RULE_NET_PORT = 2

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_MAKE_CHAR = 1 << 6
_MAKE_SOCK = 1 << 9
_MAKE_BLOCK = 1 << 11
_TRUNCATE = 1 << 14
_FILES_KNOWN_BY = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights on files that a version knows; versions between have those of the one before."""
_ON_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE

_BIND_TCP = 1
_CONNECT_TCP = 2
_SCOPE_ABSTRACT_SOCKETS = 1
_SCOPE_SIGNALS = 2

READ: Final = _READ_FILE | _READ_DIR
READ_WRITE_FILE: Final = _READ_FILE | _WRITE_FILE | _TRUNCATE
RUN: Final = READ | _EXECUTE
EVERYTHING: Final = (1 << 16) - 1
SCRATCH: Final = EVERYTHING & ~(_EXECUTE | _MAKE_CHAR | _MAKE_BLOCK)


class _Ruleset(ctypes.Structure):
    _fields_ = [
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    ]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


class _NetPort(ctypes.Structure):
    _fields_ = [("allowed_access", ctypes.c_uint64), ("port", ctypes.c_uint64)]


def abi() -> int:
    """Return the version that the running kernel offers, 0 when there is none."""
    try:
        return kernel.syscall("landlock_create_ruleset", 0, 0, _CREATE_RULESET_VERSION)
    except OSError:
        return 0


@contextlib.contextmanager
def ruleset(*, files: Iterable[tuple[Path, int]], ports: Iterable[int]) -> Iterator[int]:
    """Make a set of rules; nothing is refused until `restrict`.

    Args:
        files: Paths and what may be done there and below; what does not exist is left out.
        ports: TCP ports that may be connected to; none may be bound.

    Yields:
        The descriptor of the set.

    Raises:
        OSError: There is no Landlock here.
    """
    version = abi()
    if not version:
        raise OSError(errno.ENOSYS, "this kernel offers no Landlock")
    handled = _FILES_KNOWN_BY[max(known for known in _FILES_KNOWN_BY if known <= version)]
    rules = _Ruleset(
        handled,
        _BIND_TCP | _CONNECT_TCP if version >= TCP_ABI else 0,
        _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS if version >= SCOPE_ABI else 0,
    )
    size = 8 if version < TCP_ABI else 16 if version < SCOPE_ABI else 24
    descriptor = kernel.syscall("landlock_create_ruleset", rules, size, 0)
    try:
        for path, rights in files:
            _allow_path(descriptor, path, rights & handled)
        if version >= TCP_ABI:
            for port in ports:
                rule = _NetPort(_CONNECT_TCP, port)
                kernel.syscall("landlock_add_rule", descriptor, _RULE_NET_PORT, rule, 0)
        yield descriptor
    finally:
        os.close(descriptor)


def restrict(descriptor: int) -> None:
    """Hold this process to a set of rules, for good; needs `refuse_new_privileges` before."""
    kernel.syscall("landlock_restrict_self", descriptor, 0)


def _allow_path(descriptor: int, path: Path, rights: int) -> None:
    try:
        target = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(target).st_mode):
            rights &= _ON_A_FILE
        rule = _PathBeneath(rights, target)
        kernel.syscall("landlock_add_rule", descriptor, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(target)
