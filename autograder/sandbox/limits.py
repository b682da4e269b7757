"""Resource limits: memory, processor time, sizes of files, descriptors, processes.

Source: getrlimit(2). `RLIMIT_DATA` counts private writable memory, which is what a memory bomb
fills; `RLIMIT_AS` comes on top for shared mappings, with room for stacks and arenas that are
reserved and never touched.
"""

from __future__ import annotations

import resource

from autograder.sandbox.policy import MIB, Policy

_RESERVED = 2048 * MIB
_STACK = 8 * MIB


def limit(policy: Policy, *, count_processes: bool) -> None:
    """Lower the limits of this process, for good.

    Args:
        policy: What is granted.
        count_processes: Also limit processes and threads. The kernel counts them per user, so
            this makes sense only for a user, or a user namespace, that nobody else is in.
    """
    share = policy.memory // (1 + policy.processes)
    for kind, most in (
        (resource.RLIMIT_DATA, share),
        (resource.RLIMIT_AS, share + _RESERVED),
        (resource.RLIMIT_CPU, policy.cpu_seconds),
        (resource.RLIMIT_FSIZE, policy.file_size),
        (resource.RLIMIT_NOFILE, policy.open_files),
        (resource.RLIMIT_STACK, _STACK),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        _lower(kind, most)
    if count_processes:
        _lower(resource.RLIMIT_NPROC, policy.threads + policy.processes)


def _lower(kind: int, most: int) -> None:
    """Set both limits, never above what the process already has."""
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(kind, (most, most))
