"""How a fork server is started; known to both sides, so it imports little."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.sandbox.layers import Layer

LARGEST: Final = 1 << 16
"""Bytes of one message between the trusted side and the server."""
USERS_OF_A_SERVER: Final = 16
"""User ids that a server's children take in turn."""


@dataclass(frozen=True)
class Options:
    """How the server was started.

    Attributes:
        without: Layers that children leave out.
        first_user: First of the user ids for children, or None to keep the user.
        confine: Whether children are confined at all.
        bubblewrap: Whether the server itself runs inside bubblewrap.
        hidden: Files and folders of which children see nothing, not even names.
        kept: What they see, although it lies there.
    """

    without: frozenset[Layer]
    first_user: int | None
    confine: bool = True
    bubblewrap: bool = False
    hidden: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()
