"""Calls to the Linux kernel for which Python has no function of its own.

Every wrapper raises `OSError` with the kernel's errno. Numbers of system calls are in
`syscalls`; the constants stand beside the code that uses them.
"""

from __future__ import annotations

import ctypes
import os

from autograder.sandbox import syscalls

_libc = ctypes.CDLL(None, use_errno=True)
_MNT_DETACH = 2


def syscall(name: str, *arguments: int | ctypes.Array[ctypes.c_char] | ctypes.Structure) -> int:
    """Make one system call.

    Args:
        name: Name as in the kernel, such as `seccomp`.
        arguments: Numbers by value, structures and buffers by address.

    Returns:
        What the kernel answered, never negative.
    """
    number = syscalls.numbers().get(name)
    if number is None:
        raise OSError(38, f"{name} has no number on this processor")
    converted = [
        ctypes.c_long(value) if isinstance(value, int) else ctypes.byref(value)
        for value in arguments
    ]
    return _checked(_libc.syscall(ctypes.c_long(number), *converted), name)


def prctl(option: int, *arguments: int | ctypes.Structure) -> int:
    """Change or ask one property of this process, by its number."""
    padded = (*arguments, *([0] * (4 - len(arguments))))
    converted = [
        ctypes.c_ulong(value) if isinstance(value, int) else ctypes.byref(value) for value in padded
    ]
    return _checked(_libc.prctl(ctypes.c_int(option), *converted), f"prctl({option})")


def unshare(flags: int) -> None:
    """Exchange some namespaces for fresh ones."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Enter a namespace, or have children start in it."""
    _checked(_libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)), "setns")


def mount(
    source: str, target: str, kind: str | None = None, *, flags: int = 0, data: str = ""
) -> None:
    """Make a file system appear at a folder of this world."""
    _checked(
        _libc.mount(
            source.encode(),
            target.encode(),
            kind.encode() if kind else None,
            ctypes.c_ulong(flags),
            data.encode() if data else None,
        ),
        f"mount {target}",
    )


def unmount(target: str) -> None:
    """Take a file system away from a folder, also while it is in use."""
    _checked(_libc.umount2(target.encode(), ctypes.c_int(_MNT_DETACH)), f"umount {target}")


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return int(result)
