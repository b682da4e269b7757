"""Namespaces: a world with its own process numbers, network, mounts and message queues.

Sources: namespaces(7), user_namespaces(7), pid_namespaces(7).

The fork server goes into a world of its own once, when it starts: what it starts there ends
with it. Each submission then gets its own process numbers inside (`fork_alone`): when its
first process ends, the kernel kills all others, daemons too. The world's network has nothing
but a loop-back device, and a socket that listens there (`autograder.child.client` hands it
to the trusted side) is the only thing that can be reached.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from autograder.sandbox import kernel, privileges

_NEWNS = 0x00020000
_NEWUTS = 0x04000000
_NEWIPC = 0x08000000
_NEWUSER = 0x10000000
_NEWPID = 0x20000000
_NEWNET = 0x40000000

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_MS_BIND, _MS_REC, _MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - hidden behind an empty one, not used
_SHARED_MEMORY_SIZE: Final = "64m"
_SHARED_FILES: Final = 1_000

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


@dataclass(frozen=True)
class World:
    """Which namespaces of its own a process is in.

    Attributes:
        user: A user namespace, in which the process is all-powerful and outside not.
        processes: Process numbers; also for each process that `fork_alone` makes.
        network: Network devices, message queues and host name.
        mounts: Mounts, with an empty `/dev/shm`.
        bubblewrap: Bubblewrap made this world, and shows it only the files of Python.
        home: Where the process came from: the kernel's names of those namespaces.
    """

    user: bool = False
    processes: bool = False
    network: bool = False
    mounts: bool = False
    bubblewrap: bool = False
    home: Mapping[str, str] = field(default_factory=dict)

    def is_home(self, kind: str) -> bool:
        """Tell whether this process is still where it came from, or nobody knows."""
        return self.home.get(kind, _place(kind)) == _place(kind)


def _place(kind: str) -> str:
    """Return the kernel's name of the namespace that this process is in."""
    try:
        return str(Path(f"/proc/self/ns/{kind}").readlink())
    except OSError:
        return ""


def leave(*, processes: bool = True, network: bool = True, mounts: bool = True) -> World:
    """Leave for a world of its own, as far as the kernel lets this process.

    Process numbers are new only for children: fork once, and go on in the child.

    Args:
        processes: Leave for other process numbers.
        network: Leave for another network.
        mounts: Leave for other mounts.

    Returns:
        What could be left.
    """
    home = {kind: _place(kind) for kind in ("pid", "net", "mnt")}
    user = False
    if not (processes or network or mounts):
        return World()
    if not _try(_NEWUTS):
        user = _leave_users()
        if not user or not _try(_NEWUTS):
            return World()
    network = network and _try(_NEWNET | _NEWIPC)
    if network:
        _raise_loopback()
    mounts = mounts and hide_shared_memory()
    processes = processes and _try(_NEWPID)
    return World(user=user, processes=processes, network=network, mounts=mounts, home=home)


def fork_alone(world: World) -> int:
    """Fork; in a world with process numbers of its own, the child gets new ones again.

    Returns:
        As `os.fork`: 0 in the child, its process id in the parent.
    """
    if not world.processes:
        return os.fork()
    home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel.unshare(_NEWPID)
        try:
            child = os.fork()
        except OSError:
            kernel.setns(home, _NEWPID)
            raise
        if child:
            kernel.setns(home, _NEWPID)
        return child
    finally:
        os.close(home)


def listener() -> socket.socket:
    """Listen on a free port of 127.0.0.1 in this network."""
    return socket.create_server(("127.0.0.1", 0), backlog=128)


def _try(flags: int) -> bool:
    try:
        kernel.unshare(flags)
    except OSError:
        return False
    return True


def _leave_users() -> bool:
    """Make a user namespace in which this user keeps its number."""
    user, group = os.getuid(), os.getgid()
    privileges.open_memory()  # else the files below would be root's; whoever calls closes it
    if not _try(_NEWUSER):
        return False
    own = Path("/proc/self")
    try:
        (own / "setgroups").write_text("deny", encoding="ascii")
        (own / "uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        (own / "gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    except OSError:  # some distributions let a program make the namespace and not use it
        return False
    return True


def _raise_loopback() -> None:
    """Switch the loop-back device on: a new network begins with it switched off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


def hide(paths: Iterable[Path], *, keep: Iterable[Path]) -> None:
    """Put something empty over files and folders, for this world only.

    Where reading is refused, names, sizes and times can still be asked for; of what is hidden,
    they cannot.

    Args:
        paths: What to hide, as far as it is there.
        keep: What stays to be seen, although it lies in one of these folders.

    Raises:
        OSError: It cannot be hidden.
    """
    kept = sorted({one.resolve() for one in keep if one.exists()})
    hidden: list[Path] = []
    for path in sorted({one.resolve() for one in paths if one.exists()}):
        if any(path.is_relative_to(one) for one in hidden):
            continue
        if any(path.is_relative_to(one) for one in kept):
            continue  # it is granted
        hidden.append(path)
        if path.is_dir():
            _empty(path, [one for one in kept if one.is_relative_to(path)])
        else:
            kernel.mount("/dev/null", str(path), flags=_MS_BIND)


def _empty(folder: Path, kept: list[Path]) -> None:
    """Put an empty folder over another, in which some paths can still be seen."""
    with contextlib.ExitStack() as undo:
        before: list[tuple[Path, int]] = []
        for path in kept:
            if any(path.is_relative_to(one) for one, _ in before):
                continue
            before.append((path, os.open(path, os.O_PATH | os.O_CLOEXEC)))
            undo.callback(os.close, before[-1][1])
        flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
        kernel.mount("tmpfs", str(folder), "tmpfs", flags=flags, data="size=1m,mode=755")
        for path, descriptor in before:
            source = Path(f"/proc/self/fd/{descriptor}")
            if source.is_dir():
                path.mkdir(parents=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            kernel.mount(str(source), str(path), flags=_MS_BIND | _MS_REC)
        kernel.mount("none", str(folder), flags=flags | _MS_REMOUNT | _MS_RDONLY)


def hide_shared_memory() -> bool:
    """Put an empty, small file system over `/dev/shm`, for this process and its own only."""
    try:
        kernel.unshare(_NEWNS)
        kernel.mount("none", "/", flags=_MS_REC | _MS_PRIVATE)
        kernel.mount(
            "tmpfs",
            _SHARED_MEMORY,
            "tmpfs",
            flags=_MS_NOSUID | _MS_NODEV | _MS_NOEXEC,
            data=f"size={_SHARED_MEMORY_SIZE},nr_inodes={_SHARED_FILES},mode=1777",
        )
    except OSError:
        return False
    return True
