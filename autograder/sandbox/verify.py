"""Looks in a confined process whether the layers are there, after they were put on.

What a result says of its isolation is what was seen here, in the very process that then runs the
submission; a flag that was set on the way is no proof.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Collection
from typing import Final

from autograder.sandbox import kernel, privileges
from autograder.sandbox.layers import Layer
from autograder.sandbox.namespaces import World

_PR_GET_SECCOMP: Final = 21
_FILTERED: Final = 2


def missing(held: Collection[Layer], world: World, user: int | None) -> dict[Layer, str]:
    """Return which of some layers are not there, and why.

    Args:
        held: Layers that are said to be there.
        world: The namespaces that the process is said to be in.
        user: The user that it is said to be.
    """
    seen = {
        Layer.LIMITS: resource.getrlimit(resource.RLIMIT_DATA)[1] != resource.RLIM_INFINITY,
        Layer.NO_NEW_PRIVILEGES: privileges.new_privileges_refused(),
        Layer.FILES: _is_refused("/"),
        Layer.CALLS: kernel.prctl(_PR_GET_SECCOMP) == _FILTERED,
        Layer.CAPABILITIES: not privileges.held_capabilities() & ~privileges.MAY_BE_KEPT,
        Layer.USER: user is not None and os.getresuid() == (user,) * 3,
        Layer.PROCESSES: os.getpid() == 1 and not world.is_home("pid"),
        Layer.NETWORK: world.bubblewrap or not world.is_home("net"),
        Layer.MOUNTS: world.bubblewrap or not world.is_home("mnt"),
    }
    return {layer: "it was put on and is not there" for layer in held if not seen.get(layer, True)}


def _is_refused(folder: str) -> bool:
    try:
        os.listdir(folder)  # noqa: PTH208 - nothing but the call
    except OSError:
        return True
    return False
