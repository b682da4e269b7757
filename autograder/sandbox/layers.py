"""The names of the sandbox's layers, and how strong they are together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final


class Layer(StrEnum):
    """One means of the operating system."""

    LIMITS = "limits"
    NO_NEW_PRIVILEGES = "no new privileges"
    FILES = "landlock: files"
    PORTS = "landlock: TCP ports"
    SCOPE = "landlock: signals and abstract sockets"
    CALLS = "seccomp"
    CAPABILITIES = "no capabilities"
    USER = "another user"
    PROCESSES = "own process numbers"
    NETWORK = "own network"
    MOUNTS = "own /dev/shm"
    BUBBLEWRAP = "bubblewrap"


class Level(IntEnum):
    """How strong the layers that hold are together."""

    NONE = 0
    WEAK = 1
    CONTAINED = 2
    STRONG = 3


_BASE: Final = {Layer.LIMITS, Layer.NO_NEW_PRIVILEGES, Layer.CALLS}
_STRONG: Final = _BASE | {Layer.FILES, Layer.PORTS, Layer.SCOPE}


def level(held: Collection[Layer]) -> Level:
    """Return how strong some layers are together.

    Strong needs all of Landlock, seccomp and limits. Contained needs the files out of reach,
    by bubblewrap or by an older Landlock, beside seccomp and limits. Everything else is weak.
    """
    layers = set(held)
    if layers >= _STRONG:
        return Level.STRONG
    if layers >= _BASE and layers & {Layer.FILES, Layer.BUBBLEWRAP}:
        return Level.CONTAINED
    return Level.WEAK if layers & {Layer.CALLS, Layer.FILES, Layer.USER} else Level.NONE


@dataclass(frozen=True)
class Applied:
    """What was done to one process before it ran a submission.

    Attributes:
        held: Layers that hold.
        missing: Layers that do not, and why.
    """

    held: frozenset[Layer] = frozenset()
    missing: Mapping[Layer, str] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """How strong what holds is together."""
        return level(self.held)
