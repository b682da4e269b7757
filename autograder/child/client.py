r"""The trusted side: starts a fork server, and submissions in it.

```python
with ForkServer() as server:
    upstream = server.listener()                     # serve the fake outside world on it
    port = upstream.getsockname()[1]
    policy = Policy(upstream_port=port, environment=(("UPSTREAM_URL", f"http://127.0.0.1:{port}"),))
    with server.submission(policy) as child:
        ran = child.run("t1", "from fastapi import FastAPI\napp = FastAPI()", deadline=10)
        served = child.serve(deadline=10)            # then talk HTTP to served.socket
```

Everything is synchronous and may be called from any thread; one submission belongs to one
thread at a time, a server to as many as like.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

from pydantic import TypeAdapter

from autograder.child.nursery import Nursery
from autograder.child.options import LARGEST, USERS_OF_A_SERVER, Options
from autograder.child.submission import Submission
from autograder.sandbox import bubblewrap, layers, readable
from autograder.sandbox.layers import Layer, Level
from autograder.sandbox.policy import Policy
from autograder.sandbox.privileges import FIRST_USER, USERS
from autograder.sandbox.report import MINIMUM, held_here

_BOOT_SECONDS: Final = 60
_ANSWER_SECONDS: Final = 30
_BASE: Final = frozenset({Layer.LIMITS, Layer.NO_NEW_PRIVILEGES, Layer.CALLS, Layer.CAPABILITIES})
_PROMISED: Final = frozenset(Layer) - {Layer.BUBBLEWRAP}
"""Layers that every child has, if they hold here: no result says more than was seen in it."""
_LONGEST_FOLDER: Final = 90
"""Bytes of the path of a folder in which a socket still fits."""


class SandboxTooWeakError(RuntimeError):
    """The layers that hold here are less than grading asks for."""


class ServerLostError(RuntimeError):
    """The fork server has ended or does not answer; start another one."""


class ForkServer:
    """A process that is ready to become any number of submissions.

    Attributes:
        own_folders: Where its submissions' own folders are to lie.

    Args:
        minimum: Refuse to start below this level.
        unsafe: Run without any sandbox; the level is then `Level.NONE`.
        secrets: Files and folders that no submission may be able to read; a policy that
            exposes one is refused.
        without: Layers to leave out although they hold, for tests.
        found: Which layers hold here, and what keeps the others from it; probed if None.
        policy: Only for a machine without Landlock, where files are hidden when the server
            starts: the grants of the lab.
        hidden: Files and folders of which submissions see nothing, not even names, where they
            have mounts of their own; for what is secret already.
        hub: Where a nursery is asked for the server; it gets one of its own if None.

    Raises:
        SandboxTooWeakError: The level is below the minimum.
        ServerLostError: The server did not start.
    """

    def __init__(
        self,
        *,
        minimum: Level = MINIMUM,
        unsafe: bool = False,
        secrets: Sequence[Path] = (),
        without: frozenset[Layer] = frozenset(),
        found: Mapping[Layer, str | None] | None = None,
        policy: Policy | None = None,
        hidden: Sequence[Path] = (),
        hub: socket.socket | None = None,
    ) -> None:
        self._secrets = list(secrets)
        self._hidden = list(hidden)
        self._unsafe = unsafe
        self._policy = policy
        held, self._without = _layers_to_use(without, held_here() if found is None else found)
        self.level = Level.NONE if unsafe else layers.level(held)
        """How strong the sandbox of its submissions is."""
        self.minimum = Level.NONE if unsafe else minimum
        if self.level < self.minimum:
            raise SandboxTooWeakError(
                f"The sandbox here is only {self.level.name.lower()}; grading asks for "
                f"{minimum.name.lower()}. Run `autograder doctor` to see what is missing, or "
                "give --unsafe-no-sandbox to run students' code without it."
            )
        self._promised = held & _PROMISED if Layer.FILES in held else held & _BASE
        self._bubblewrap = Layer.FILES not in held and Layer.BUBBLEWRAP in held and not unsafe
        self._hub = None if self._bubblewrap else hub  # there, files are hidden from its start
        self._nursery: Nursery | None = None
        self._server: int | None = None
        self._lock = threading.Lock()
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            self._folder = Path(undo.enter_context(_short_folder()))
            self.own_folders = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="own-")))
            self.own_folders.chmod(0o711)  # another user goes through it, and cannot list it
            if self._hub is None:
                self._nursery = undo.enter_context(Nursery(self._bubblewrap_command()))
            self._control, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.callback(self._end)
            with its:
                self._ask_for_server(its)
            self._control.settimeout(_BOOT_SECONDS)
            _, descriptors = self._receive()
            self._server = descriptors[0] if descriptors else None
            self._control.settimeout(_ANSWER_SECONDS)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the server and every submission that is left."""
        self._undo.close()

    @property
    def alive(self) -> bool:
        """Whether the server still runs, as far as the kernel tells."""
        if self._control.fileno() < 0:
            return False
        return self._server is None or not select.select([self._server], [], [], 0)[0]

    @property
    def pid(self) -> int | None:
        """The process that everything descends from, if it was started for this server alone."""
        return self._nursery.pid if self._nursery else None

    def listener(self) -> socket.socket:
        """Return a socket that listens on 127.0.0.1 where submissions can reach it.

        It lies in their network, which may not be this process's; whoever accepts from it
        talks to submissions without being there. Its port is `getsockname()[1]`.
        """
        with self._lock:
            _, descriptors = self._ask({"do": "listen"})
        return socket.socket(fileno=descriptors[0])

    @contextlib.contextmanager
    def submission(self, policy: Policy) -> Iterator[Submission]:
        """Start a process for one submission, and leave nothing of it behind.

        Args:
            policy: What the lab grants.

        Raises:
            PermissionError: The policy would expose a secret.
            SandboxTooWeakError: A layer failed in this process.
            ServerLostError: No process could be made.
        """
        child = self.start(policy)
        try:
            yield child
        finally:
            child.close()

    def start(self, policy: Policy) -> Submission:
        """Do as `submission`; the caller closes it."""
        if exposed := readable.exposed(policy, self._secrets):
            names = ", ".join(map(str, exposed))
            raise PermissionError(f"The lab's policy would let submissions read {names}.")
        with contextlib.ExitStack() as undo:
            own, its = socket.socketpair()
            undo.callback(own.close)
            outputs = [os.memfd_create(name) for name in ("stdout", "stderr")]
            for output in outputs:
                undo.callback(os.close, output)
            with its:
                request = {
                    "do": "start",
                    "policy": TypeAdapter(Policy).dump_python(policy, mode="json"),
                }
                with self._lock:
                    answer, descriptors = self._ask(request, [its.fileno(), *outputs])
            if "child" not in answer:
                raise ServerLostError(f"A submission could not be started: {answer['problem']}.")
            watched = descriptors.pop(0) if answer["watched"] else None
            child = Submission(
                connection=own,
                watch=watched,
                outputs=(outputs[0], outputs[1]),
                folder=descriptors[0] if descriptors else None,
                end=lambda: self._end_child(answer["child"]),
                socket_path=lambda: self._folder / secrets.token_hex(6),
                undo=undo.pop_all(),
            )
        if child.folder is not None and not answer["bounded"]:
            child.measure(policy)
        try:
            self._check(child)
        except BaseException:
            child.close()
            raise
        return child

    def _check(self, child: Submission) -> None:
        applied = child.begin()
        lost = set() if self._unsafe or self._bubblewrap else self._promised - applied.held
        if lost or applied.level < self.minimum:
            reasons = "; ".join(f"{layer}: {why}" for layer, why in applied.missing.items())
            raise SandboxTooWeakError(f"A layer of the sandbox failed ({reasons}).")

    def _end_child(self, child: int) -> int | None:
        with self._lock:
            try:
                status: int | None = self._ask({"do": "end", "child": child})[0]["status"]
            except ServerLostError:  # and its children with it
                return None
        return status

    def _ask_for_server(self, control: socket.socket) -> None:
        """Ask the nursery for a server that talks to the other end of `control`."""
        first = (
            None
            if os.geteuid()
            else FIRST_USER + secrets.randbelow(USERS // USERS_OF_A_SERVER) * USERS_OF_A_SERVER
        )
        options = Options(
            without=self._without,
            first_user=first,
            confine=not self._unsafe,
            bubblewrap=self._bubblewrap,
            hidden=tuple(self._hidden),
            kept=(Path(tempfile.gettempdir()),),
        )
        hub = self._nursery.hub if self._nursery else self._hub
        assert hub is not None, "one of the two is there"
        with contextlib.ExitStack() as undo:
            descriptors = [control.fileno()]
            with contextlib.suppress(OSError):  # an old kernel
                descriptors.append(os.pidfd_open(os.getpid()))
                undo.callback(os.close, descriptors[-1])
            try:
                socket.send_fds(hub, [TypeAdapter(Options).dump_json(options)], descriptors)
            except OSError as error:
                raise self._lost() from error

    def _bubblewrap_command(self) -> Sequence[str]:
        if not self._bubblewrap:
            return ()
        policy = replace(self._policy or Policy(), scratch=self.own_folders)
        return bubblewrap.command(shutil.which("bwrap") or "bwrap", policy)

    def _end(self) -> None:
        """Hang up, and wait until the server and its children are gone."""
        self._control.close()
        server, self._server = self._server, None
        if server is None:
            return
        if not select.select([server], [], [], _ANSWER_SECONDS)[0]:
            _kill(server)
        os.close(server)

    def _ask(
        self, request: dict[str, Any], descriptors: Iterable[int] = ()
    ) -> tuple[dict[str, Any], list[int]]:
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], list(descriptors))
        except OSError as error:
            raise self._lost() from error
        return self._receive()

    def _receive(self) -> tuple[dict[str, Any], list[int]]:
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, LARGEST, 3)
        except OSError as error:
            raise self._lost() from error
        if not message:
            raise self._lost()
        answer: dict[str, Any] = json.loads(message)
        return answer, descriptors

    def _lost(self) -> ServerLostError:
        """End a server that does not answer as agreed, so that it cannot answer late."""
        self._control.close()
        if self._server is not None:
            _kill(self._server)
        said = self._nursery.complaints() if self._nursery else ""
        return ServerLostError(f"The fork server has ended or was closed. {said}".strip())


def _kill(process: int) -> None:
    """Kill what a descriptor stands for."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGKILL)


def _short_folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder for sockets, whose paths the kernel limits to 107 bytes (unix(7))."""
    folder = tempfile.TemporaryDirectory(prefix="ag-")
    if len(os.fsencode(folder.name)) <= _LONGEST_FOLDER:
        return folder
    folder.cleanup()
    return tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp")


def _layers_to_use(
    without: frozenset[Layer], found: Mapping[Layer, str | None]
) -> tuple[set[Layer], frozenset[Layer]]:
    held = {layer for layer, problem in found.items() if problem is None} - without
    return held, frozenset(Layer) - held
