"""The nursery imports everything once and forks fork servers, which fork a child per submission.

Started by `autograder.child.nursery` as a fresh interpreter, so that it holds nothing of tests,
solutions or the grader's environment. A fork server talks to the trusted side alone, never to a
child, and has one thread. When the trusted side ends, so does it, and its children with it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import psutil  # type: ignore[import-untyped]
from pydantic import TypeAdapter

from autograder.child import families, life, preload
from autograder.child.options import LARGEST, USERS_OF_A_SERVER, Options
from autograder.child.shell import Shell, make
from autograder.sandbox import folders, namespaces, privileges, readable
from autograder.sandbox.apply import apply
from autograder.sandbox.layers import Applied, Layer
from autograder.sandbox.namespaces import World
from autograder.sandbox.policy import Policy
from autograder.sandbox.surroundings import environment, replace_environment

_REAP_EVERY: Final = 0.002
_LOOK_EVERY: Final = 0.1
_OFTEN: Final = 5
_FAR: Final = 3
_policies: TypeAdapter[Policy] = TypeAdapter(Policy)
_options: TypeAdapter[Options] = TypeAdapter(Options)


@dataclass
class Bound:
    """How many processes a child may have.

    Attributes:
        most: The first included.
        over: How many times in a row there were more.
    """

    most: int
    over: int = 0

    def is_broken(self, number: int) -> bool:
        """Take note of a count: a pool that follows another may overlap with it for a moment."""
        self.over = self.over + 1 if number > self.most else 0
        return self.over >= _OFTEN or number > _FAR * self.most


@dataclass
class Server:
    """Answers the trusted side's requests.

    Attributes:
        control: Connection to the trusted side, one packet per message.
        parent: Descriptor that becomes readable when the trusted side has ended, or None.
        shell: What children inherit.
        world: The namespaces that the server is in.
        options: How it was started.
    """

    control: socket.socket
    parent: int | None
    shell: Shell
    world: World
    options: Options
    _children: set[int] = field(default_factory=set)
    _ended: dict[int, int] = field(default_factory=dict)
    _users: dict[int, int | None] = field(default_factory=dict)
    _bounds: dict[int, Bound] = field(default_factory=dict)
    _covered: dict[int, Path] = field(default_factory=dict)
    _started: int = 0

    def answer_all(self) -> None:
        """Answer until the trusted side ends; then end every child."""
        watched: list[socket.socket | int] = [self.control]
        if self.parent is not None:
            watched.append(self.parent)
        while self.parent not in (
            ready := select.select(watched, [], [], self._until_next_look)[0]
        ):
            if not ready:
                self._look_at_processes()
                continue
            message, descriptors, _, _ = socket.recv_fds(self.control, LARGEST, 3)
            if not message:
                break
            self._answer(json.loads(message), descriptors)
        for child in tuple(self._children):
            self._end(child)

    def _answer(self, request: dict[str, Any], descriptors: list[int]) -> None:
        match request["do"]:
            case "start":
                self._start(_policies.validate_python(request["policy"]), descriptors)
            case "end":
                self._send({"status": self._end(request["child"])})
            case "listen":
                with namespaces.listener() as listening:
                    self._send({"port": listening.getsockname()[1]}, [listening.fileno()])

    @property
    def _until_next_look(self) -> float | None:
        """Seconds until processes are counted; None where no child may have any."""
        return _LOOK_EVERY if self._bounds else None

    def _look_at_processes(self) -> None:
        """Kill a child that has more processes than it was granted, for longer than a moment."""
        for child, number in families.sizes(set(self._bounds)).items():
            if self._bounds[child].is_broken(number):
                _kill(os.kill, child)
                _kill(os.killpg, child)
                self._bounds.pop(child)

    def tell_ready(self) -> None:
        """Say that children can be made, and hand over a descriptor of this process."""
        with _descriptor_of(os.getpid()) as own:
            self._send({"ready": True}, own)

    def _send(self, answer: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        socket.send_fds(self.control, [json.dumps(answer).encode()], list(descriptors))

    def _start(self, policy: Policy, descriptors: list[int]) -> None:
        connection, out, err = descriptors
        user = self._next_user()
        covered = self._cover(policy)
        try:
            child = namespaces.fork_alone(self.world)
        except OSError as error:
            self._uncover(covered)
            self._send({"problem": f"no process could be made: {error}"})
            return
        if child == 0:
            life.live(self.shell, lambda: self._confine(policy, user), connection, (out, err))
        for descriptor in descriptors:
            os.close(descriptor)
        self._children.add(child)
        self._users[child] = user
        if policy.allows_processes and self.options.confine:
            self._bounds[child] = Bound(1 + max(policy.processes, len(policy.programs)))
        if covered is not None:
            self._covered[child] = covered
        with _descriptor_of(child) as watch, _opened(policy) as folder:
            answer = {"child": child, "watched": bool(watch), "bounded": covered is not None}
            self._send(answer, [*watch, *folder])

    def _cover(self, policy: Policy) -> Path | None:
        """Lay a bounded file system over a child's folder, where that is possible."""
        if policy.scratch is None or not self.world.mounts or self.world.bubblewrap:
            return None
        return policy.scratch if folders.cover(policy) else None

    def _uncover(self, folder: Path | None) -> None:
        if folder is not None:
            with contextlib.suppress(OSError):
                folders.uncover(folder)

    def _next_user(self) -> int | None:
        self._started += 1
        first = self.options.first_user
        return None if first is None else first + self._started % USERS_OF_A_SERVER

    def _confine(self, policy: Policy, user: int | None) -> Applied:
        if not self.options.confine:
            replace_environment(environment(policy))
            os.chdir(policy.working_folder)
            return Applied()
        if policy.processes and self.world.mounts and not namespaces.hide_shared_memory():
            raise OSError("no /dev/shm of its own could be had")
        if policy.processes:
            _show_processors(policy.processes)
        return apply(policy, world=self.world, user=user, without=self.options.without)

    def _end(self, child: int) -> int | None:
        """Kill a child and all that it has started; return how it had ended."""
        if child not in self._children:
            return None
        self._children.discard(child)
        user = self._users.pop(child, None)
        self._bounds.pop(child, None)
        if child not in self._ended:
            _kill(os.kill, child)
        _kill(os.killpg, child)  # its session: the filter lets nothing leave it
        while child not in self._ended and self._reap(block=True):
            pass
        if not self.world.processes:
            self._end_orphans()
        if user is not None and not self.world.mounts:
            _remove_shared_files(user)
        self._uncover(self._covered.pop(child, None))
        return self._ended.pop(child, None)

    def _end_orphans(self) -> None:
        """Kill what has lost its parent and was handed to this process by the kernel."""
        while orphans := [
            process for process in psutil.Process().children() if process.pid not in self._children
        ]:
            for orphan in orphans:
                _kill(os.kill, orphan.pid)
            self._reap(block=False)
            time.sleep(_REAP_EVERY)

    def _reap(self, *, block: bool) -> bool:
        """Note how a child has ended; return whether there are children at all."""
        try:
            child, status = os.waitpid(-1, 0 if block else os.WNOHANG)
        except ChildProcessError:
            return False
        if child:
            self._ended[child] = status
        return True


@contextlib.contextmanager
def _descriptor_of(process: int) -> Iterator[list[int]]:
    """Give a descriptor that becomes readable when a process has ended, where there are any."""
    try:
        descriptor = os.pidfd_open(process)
    except OSError:  # an old kernel, or one that does not show processes in this way
        yield []
        return
    try:
        yield [descriptor]
    finally:
        os.close(descriptor)


def _show_processors(granted: int) -> None:
    """Let pools be as large as the lab's grant, by default, and not as this machine."""
    number = min(os.cpu_count() or 1, granted)
    for name in ("cpu_count", "process_cpu_count"):
        if hasattr(os, name):
            setattr(os, name, lambda: number)


def _remove_shared_files(user: int) -> None:
    """Remove what a throw-away user has left in shared memory, where that is everybody's."""
    with os.scandir("/dev/shm") as entries:  # noqa: S108 - swept, not used
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.stat(follow_symlinks=False).st_uid == user:
                    os.unlink(entry.path)  # noqa: PTH108 - a path as it was found


@contextlib.contextmanager
def _opened(policy: Policy) -> Iterator[list[int]]:
    """Give a descriptor of a child's own folder, if it has one: others cannot see into it."""
    if policy.scratch is None:
        yield []
        return
    descriptor = os.open(policy.working_folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield [descriptor]
    finally:
        os.close(descriptor)


def _kill(how: Any, process: int) -> None:
    try:
        how(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def main() -> None:
    """Start the nursery: `python -m autograder.child.server DESCRIPTOR`."""
    hub = socket.socket(fileno=int(sys.argv[1]))
    if os.geteuid() == 0:
        # Once, for all: to be another user for a moment undoes `die_with_parent`.
        readable.by_anybody()
    privileges.close_memory()
    preload.import_all()
    preload.fork_by_default()
    shell = make()
    preload.warm(shell)
    tempfile.tempdir = None  # a child finds its own
    if threading.active_count() > 1:
        raise SystemExit("A module that is imported ahead has started a thread.")
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, _reap_servers)
    _open_servers(hub, shell)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    os._exit(0)


def _reap_servers(*_: object) -> None:
    """Leave no zombies. To ignore the signal would do so too, but lose count of their time."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _open_servers(hub: socket.socket, shell: Shell) -> None:
    """Fork a server for everybody who asks, until nobody is left who could."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(hub, LARGEST, 2)
        if not message:
            return
        if os.fork() == 0:
            hub.close()
            _serve(shell, message, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _serve(shell: Shell, told: bytes, connection: int, parent: int | None = None) -> NoReturn:
    """Be a fork server, and never return.

    Args:
        shell: What children inherit.
        told: The `Options`, as JSON.
        connection: Descriptor of the connection to the trusted side.
        parent: Descriptor that becomes readable when the trusted side has ended.
    """
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        privileges.die_with_parent()
        options = _options.validate_json(told)
        control = socket.socket(fileno=connection)
        world = _enter_world(options, control)
        privileges.adopt_orphans()
        server = Server(control, parent, shell, world, options)
        server.tell_ready()
        server.answer_all()
    except BaseException:  # noqa: BLE001 - the trusted side reads why
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _enter_world(options: Options, control: socket.socket) -> World:
    """Go into namespaces of its own, where process 1 is this server."""
    if options.bubblewrap:
        return World(network=True, mounts=True, bubblewrap=True)
    if not options.confine:
        return World()
    world = namespaces.leave(
        processes=Layer.PROCESSES not in options.without,
        network=Layer.NETWORK not in options.without,
        mounts=Layer.MOUNTS not in options.without,
    )
    if world.mounts:
        namespaces.hide(options.hidden, keep=(*readable.python_folders(), *options.kept))
    privileges.close_memory()
    if not world.processes:
        return world
    inside = os.fork()
    if inside:
        control.close()
        os._exit(os.waitstatus_to_exitcode(os.waitpid(inside, 0)[1]) & 0xFF)
    privileges.die_with_parent()
    return world


if __name__ == "__main__":
    main()
