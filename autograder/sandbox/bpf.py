"""Instructions of classic BPF, as far as a filter of system calls needs them.

Source: the kernel's `include/uapi/linux/filter.h` and `include/uapi/linux/seccomp.h`. A
program looks at the number of the call, the processor's table and the arguments, and ends
with a verdict.
"""

from __future__ import annotations

import ctypes
import errno
from dataclasses import dataclass

KILL_PROCESS = 0x80000000
FAIL_WITH = 0x00050000
ALLOW = 0x7FFF0000

LOAD = 0x20
AND = 0x54
EQUAL = 0x15
AT_LEAST = 0x35
ABOVE = 0x25
ANY_BIT = 0x45
END = 0x06

NUMBER_AT = 0
ARCHITECTURE_AT = 4
ARGUMENTS_AT = 16


@dataclass(frozen=True)
class Step:
    """One instruction of the program."""

    code: int
    value: int
    when_true: int = 0
    when_false: int = 0


def argument(position: int) -> list[Step]:
    """Load the lower half of an argument: the kernel reads these as 32-bit numbers."""
    return [Step(LOAD, ARGUMENTS_AT + 8 * position)]


def allow_if(*values: int) -> list[Step]:
    """Allow when the loaded value is one of these."""
    return [step for value in values for step in (Step(EQUAL, value, 0, 1), allow())]


def refuse_if(*values: int) -> list[Step]:
    """Refuse when the loaded value is one of these."""
    return [step for value in values for step in (Step(EQUAL, value, 0, 1), refuse())]


def allow() -> Step:
    """End: the call is made."""
    return Step(END, ALLOW)


def refuse(number: int = errno.EPERM) -> Step:
    """End: the call fails with an error number, or with 0 seems to have worked."""
    return Step(END, FAIL_WITH | number)


def ranges(values: list[int]) -> list[tuple[int, int]]:
    """Join numbers that follow each other, so that the program stays short."""
    joined: list[tuple[int, int]] = []
    for value in values:
        if joined and joined[-1][1] == value - 1:
            joined[-1] = (joined[-1][0], value)
        else:
            joined.append((value, value))
    return joined


class Instruction(ctypes.Structure):
    """`struct sock_filter`."""

    _fields_ = [
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    ]


class Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = [("len", ctypes.c_uint16), ("filter", ctypes.c_void_p)]
