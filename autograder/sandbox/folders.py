"""A submission's own folder: private, bounded, and gone with the submission.

Where the fork server has mounts of its own, a small file system in memory lies over the folder
(tmpfs(5)): the kernel then refuses to write past its size, and nothing of it reaches the disk.
Elsewhere the trusted side measures the folder from time to time (`autograder.child.client`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from autograder.sandbox import kernel
from autograder.sandbox.policy import Policy

_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_BLOCK = 512
"""Bytes that `st_blocks` counts in."""


def cover(policy: Policy) -> bool:
    """Lay a bounded file system with the same contents over the scratch folder.

    Needs mounts of this process's own; `uncover` undoes it.

    Returns:
        Whether it lies there now.
    """
    assert policy.scratch is not None, "there is a folder"
    with contextlib.ExitStack() as undo:
        below = os.open(policy.scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        undo.callback(os.close, below)
        try:
            kernel.mount(
                "tmpfs",
                str(policy.scratch),
                "tmpfs",
                flags=_MS_NOSUID | _MS_NODEV | _MS_NOEXEC,
                data=f"size={policy.scratch_size},nr_inodes={policy.scratch_files},mode=0700",
            )
        except OSError:
            return False
        try:
            shutil.copytree(
                f"/proc/self/fd/{below}",
                policy.scratch,
                symlinks=True,
                dirs_exist_ok=True,
                copy_function=_copied,
            )
        except OSError:
            uncover(policy.scratch)
            return False
    return True


def _copied(source: str, target: str) -> str:
    """Copy a file's bytes; a link stays a link, which leads nowhere that is not granted."""
    return shutil.copyfile(source, target, follow_symlinks=False)


def uncover(folder: Path) -> None:
    """Take away what `cover` has laid over a folder, and all that is in it."""
    kernel.unmount(str(folder))


def give(folder: Path, user: int) -> None:
    """Make a user the owner of a folder and of all that is in it."""
    for parent, folders, names in os.walk(folder):
        os.chown(parent, user, user)
        for name in (*folders, *names):
            os.chown(Path(parent, name), user, user, follow_symlinks=False)


def fits(folder: int, policy: Policy) -> bool:
    """Tell whether a folder holds no more than is granted.

    Args:
        folder: A descriptor of the folder; what is in it is foreign.
        policy: What is granted.
    """
    held = number = 0
    for _, folders, names, place in os.fwalk(".", dir_fd=folder, onerror=None):
        for name in (*folders, *names):
            number += 1
            try:
                held += os.stat(name, dir_fd=place, follow_symlinks=False).st_blocks * _BLOCK
            except OSError:  # it has just been removed
                continue
            if held > policy.scratch_size or number > policy.scratch_files:
                return False
    return True
