"""Who a process is and what it may do beside that: user, capabilities, new privileges.

Sources: capabilities(7), prctl(2), credentials(7), and the kernel's
`Documentation/userspace-api/no_new_privs.rst`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from autograder.sandbox import kernel

FIRST_USER: Final = 61184
"""First of the user ids that systemd keeps for throw-away users; see its UIDS-GIDS page."""
USERS: Final = 4096

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_NO_NEW_PRIVS = 39
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4

_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_READ_SEARCH = 2
_CAP_LAST_POSSIBLE = 63
MAY_BE_KEPT: Final = 1 << _CAP_DAC_READ_SEARCH
"""The capability that `drop_capabilities` may keep, as a bit."""


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [
        (f"{kind}{half}", ctypes.c_uint32)
        for half in (0, 1)
        for kind in ("effective", "permitted", "inheritable")
    ]


def refuse_new_privileges() -> None:
    """Give up what a set-user-id program could win, for this process and all after it."""
    kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)


def new_privileges_refused() -> bool:
    """Return whether `refuse_new_privileges` holds."""
    return kernel.prctl(_PR_GET_NO_NEW_PRIVS) == 1


def close_memory() -> None:
    """Refuse other processes of the same user to read this one's memory or to trace it."""
    kernel.prctl(_PR_SET_DUMPABLE, 0)


def open_memory() -> None:
    """Undo `close_memory`: this process's files in /proc belong to root without it."""
    kernel.prctl(_PR_SET_DUMPABLE, 1)


def held_capabilities() -> int:
    """Return the capabilities that this process may use or take up, as bits."""
    sets = _Sets()
    kernel.syscall("capget", _Header(_CAPABILITY_VERSION_3, 0), sets)
    return int(sets.effective0 | sets.permitted0 | (sets.effective1 | sets.permitted1) << 32)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends."""
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; a change of user undoes it."""
    kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def drop_capabilities(*, keep_reading: bool = False) -> None:
    """Give up all capabilities, also those that a later program could regain.

    Args:
        keep_reading: Keep the one that reads past file permissions. Only for a process whose
            reading Landlock bounds: it lets a throw-away user read an interpreter in a home.
    """
    with contextlib.suppress(OSError):  # not ours to drop, or past the last that exists
        for capability in range(_CAP_LAST_POSSIBLE + 1):
            kernel.prctl(_PR_CAPBSET_DROP, capability)
    with contextlib.suppress(OSError):  # a kernel without ambient capabilities has none set
        kernel.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    kept = 1 << _CAP_DAC_READ_SEARCH if keep_reading else 0
    kernel.syscall("capset", _Header(_CAPABILITY_VERSION_3, 0), _Sets(kept, kept, 0, 0, 0, 0))


def become(user: int, *, keep_reading: bool = False) -> None:
    """Become an unprivileged user without further groups; `drop_capabilities` comes after.

    Args:
        user: User id, also taken as group id.
        keep_reading: Hold on to capabilities that `drop_capabilities` is to keep.
    """
    kernel.prctl(_PR_SET_KEEPCAPS, int(keep_reading))
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def can_read(user: int, paths: Iterable[Path]) -> bool:
    """Return whether a user could read some paths, by being that user for a moment.

    Args:
        user: User id; needs the right to change users.
        paths: Files and folders; those that do not exist are left out.
    """
    existing = [path for path in paths if path.exists()]
    own = os.geteuid()
    os.seteuid(user)
    try:
        return all(os.access(path, os.R_OK, effective_ids=True) for path in existing)
    finally:
        os.seteuid(own)
