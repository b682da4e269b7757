"""Bubblewrap: hides files by a mount namespace where the kernel has no Landlock.

Source: bwrap(1). The fork server is started inside, once, so that it costs nothing per
submission; what a lab's policy grants must therefore be known when the server starts.
"""

from __future__ import annotations

from typing import Final

from autograder.sandbox import landlock, readable
from autograder.sandbox.policy import MIB, Policy

_SHARED_MEMORY: Final = 64 * MIB


def command(program: str, policy: Policy | None = None) -> list[str]:
    """Return the beginning of a command line that runs a program among Python's files only.

    Args:
        program: Path of `bwrap`.
        policy: What the lab grants; only its files and folders matter here.
    """
    words = [program, "--unshare-all", "--die-with-parent", "--tmpfs", "/", "--proc", "/proc"]
    # Root outside owns the kernel's settings in /proc, even here; so it is read only.
    words += ["--remount-ro", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    policy = policy or Policy()
    if policy.processes:
        words += ["--size", str(_SHARED_MEMORY), "--tmpfs", "/dev/shm"]  # noqa: S108 - a mount
    for path, rights in readable.grants(policy):
        if path.is_relative_to("/dev"):
            continue
        bind = "--bind-try" if rights == landlock.SCRATCH else "--ro-bind-try"
        words += [bind, str(path), str(path)]
    return [*words, "--remount-ro", "/", "--"]
