"""One submission's process, seen from the trusted side."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, JsonValue, ValidationError

from autograder.child import rich
from autograder.child.measured import Measured
from autograder.child.messages import (
    LONGEST_TEXT,
    Answer,
    Call,
    Raised,
    Ready,
    Run,
    Serve,
    TakeErrors,
    Unserve,
)
from autograder.child.patience import Patience, number_of
from autograder.child.results import (
    Called,
    CellRun,
    ChildLostError,
    Loss,
    Printed,
    Served,
)
from autograder.child.wire import LARGEST, Channel, ConversationOverError, Trouble
from autograder.sandbox.layers import Applied, Layer
from autograder.sandbox.policy import Policy

_BEGIN_SECONDS: Final = 30
_BACKLOG: Final = 128


class Submission:
    """A process that does what it is told, until it is lost or closed.

    Made by `ForkServer.submission`. After the first loss every call raises `ChildLostError`
    at once, so that one endless loop costs one deadline.
    """

    def __init__(
        self,
        *,
        connection: socket.socket,
        watch: int | None,
        outputs: tuple[int, int],
        folder: int | None = None,
        end: Callable[[], int | None],
        socket_path: Callable[[], Path],
        undo: contextlib.ExitStack,
    ) -> None:
        self._channel = Channel(connection, watch)
        self._watch = watch
        self._outputs = outputs
        self._end = end
        self._socket_path = socket_path
        self._undo = undo
        self._undo.callback(self._channel.close)
        if watch is not None:
            self._undo.callback(os.close, watch)
        self.folder = folder
        """Descriptor of its working folder, if it has one of its own."""
        if folder is not None:
            self._undo.callback(os.close, folder)
        self._excess = ""
        self._room = rich.MAX_SUBMISSION
        self._asked = 0
        self._ended = False
        self.loss: Loss | None = None
        """Why the process is gone, if it is."""
        self.applied = Applied()
        """The layers that were put around it."""

    def begin(self) -> Applied:
        """Wait until the sandbox is on; nothing of the student's has run before."""
        until = time.monotonic() + _BEGIN_SECONDS
        try:
            ready = Ready.model_validate_json(self._channel.receive(until))
        except ConversationOverError as error:
            raise ChildLostError(self._lose(error.trouble, "The start", str(error))) from error
        if ready.problem:
            raise ChildLostError(Loss(Trouble.DIED, f"The start failed: {ready.problem}"))
        self.applied = Applied(
            frozenset(Layer(name) for name in ready.held),
            {Layer(name): why for name, why in ready.missing.items()},
        )
        return self.applied

    @property
    def process(self) -> int | None:
        """The number of its process, where that can be seen."""
        return number_of(self._watch)

    def run(
        self, cell: str, source: str, *, deadline: float, waiting: float | None = None
    ) -> CellRun:
        """Run one cell as a notebook's kernel would.

        Args:
            cell: Its id.
            source: Its text.
            deadline: Seconds of computing after which it counts as endless.
            waiting: Seconds by the clock after which it does; as many if None.

        Returns:
            How it went, also when the process did not survive it.

        Raises:
            ChildLostError: The process was gone before.
        """
        self._raise_if_lost()
        started = time.monotonic()
        self.printed()
        answer, loss = Answer(id=0), None
        try:
            answer = self._ask(
                lambda number: Run(id=number, cell=cell, source=source),
                deadline,
                f"Cell {cell}",
                waiting=waiting,
            )
        except ChildLostError as lost:
            loss = lost.loss
        return CellRun(
            cell=cell,
            raised=answer.raised,
            loss=loss,
            result=answer.result or "",
            rich=self._looked_at([answer.rich])[0] if answer.rich else {},
            shown=self._looked_at(answer.shown),
            printed=self.printed(),
            dropped=answer.dropped,
            seconds=time.monotonic() - started,
        )

    def serve(
        self,
        entry: str = "app",
        *,
        environment: Mapping[str, str] | None = None,
        deadline: float,
    ) -> Served:
        """Serve the app that the cells have made so far, by uvicorn, lifespan included.

        What was served before is stopped.

        Args:
            entry: The variable that holds the app, or `create_app`.
            environment: Environment variables until serving stops.
            deadline: Seconds until starting up counts as endless.

        Returns:
            Where to talk to it, or what kept it from starting.

        Raises:
            ChildLostError: The process is gone.
        """
        path = self._socket_path()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            self._undo.callback(path.unlink, missing_ok=True)
            listening.listen(_BACKLOG)
            answer = self._ask(
                lambda number: Serve(id=number, entry=entry, environment=dict(environment or {})),
                deadline,
                "The start of the app",
                [listening.fileno()],
            )
        return Served(path, answer.raised)

    def unserve(self, *, deadline: float) -> None:
        """Stop serving: open requests get a second, then the app's shutdown runs.

        Args:
            deadline: Seconds until that counts as endless.

        Raises:
            ChildLostError: The process is gone.
        """
        self._ask(lambda number: Unserve(id=number), deadline, "The shutdown of the app")

    def errors(self, *, since: float = 0.0, deadline: float) -> list[Raised]:
        """Return what requests raised and nothing caught since the last time, the last 20.

        Args:
            since: What was raised before that, as `time.monotonic` counts, is left out.
            deadline: Seconds to wait.

        Raises:
            ChildLostError: The process is gone.
        """
        return self._ask(
            lambda number: TakeErrors(id=number, since=since), deadline, "The app"
        ).errors

    def call(self, name: str, *arguments: JsonValue, deadline: float) -> Called:
        """Call a function of the notebook; an async one is awaited.

        Args:
            name: Its name.
            arguments: JSON values.
            deadline: Seconds until it counts as endless.

        Raises:
            ChildLostError: The process is gone.
        """
        answer = self._ask(
            lambda number: Call(id=number, name=name, arguments=list(arguments)),
            deadline,
            f"{name}()",
        )
        return Called(answer.value, answer.raised)

    def printed(self) -> Printed:
        """Return what was written since the last time; works also when the process is gone."""
        return Printed(*(_take(output) for output in self._outputs))

    def _looked_at(self, shown: list[rich.Shown]) -> list[rich.Shown]:
        """Return what is sound of what a cell shows, as long as there is room."""
        found = [rich.sound(one) for one in shown]
        if rich.size(found) > self._room:
            found = [{} for _ in found]
        self._room -= rich.size(found)
        return found

    def measure(self, policy: Policy) -> None:
        """End the process when its folder holds more than is granted."""
        assert self.folder is not None, "it has a folder"
        self._undo.callback(Measured(self.folder, policy, self.exceed).close)

    def exceed(self, what: str) -> None:
        """End the process because it has used more than is granted; from any thread.

        Args:
            what: How a line about it ends, such as `wrote too much`.
        """
        self._excess = what
        self._end()

    def close(self) -> None:
        """End the process and all that it has started; harmless when done twice."""
        self._stop()
        self._undo.close()

    def _ask(
        self,
        order: Callable[[int], BaseModel],
        deadline: float,
        what: str,
        descriptors: Sequence[int] = (),
        *,
        waiting: float | None = None,
    ) -> Answer:
        self._raise_if_lost()
        self._asked += 1
        until = time.monotonic() + (waiting or deadline)
        patience = Patience(self._watch, deadline, waiting) if waiting else None
        message = order(self._asked).model_dump_json().encode()
        try:
            if len(message) > LARGEST:
                raise _too_long()
            self._channel.send(message, until, descriptors)
            answer = Answer.model_validate_json(self._channel.receive(patience or until))
            if answer.id != self._asked:
                raise _not_asked_for()
        except ConversationOverError as error:
            computed = patience is not None and patience.used_up
            reason = _reason(error, deadline if computed or not waiting else waiting, computed)
            by_clock = error.trouble is Trouble.ENDLESS and not computed
            loss = self._lose(error.trouble, what, reason, by_clock=by_clock)
            raise ChildLostError(loss) from error
        except ValidationError as error:
            reason = "sent an answer that cannot be read"
            raise ChildLostError(self._lose(Trouble.BROKEN, what, reason)) from error
        return answer

    def _raise_if_lost(self) -> None:
        if self.loss is not None:
            raise ChildLostError(self.loss)

    def _lose(self, trouble: Trouble, what: str, reason: str, *, by_clock: bool = False) -> Loss:
        """End the process, and keep why."""
        status = self._stop()
        if self._excess:
            reason = self._excess
        elif trouble is Trouble.DIED:
            reason = f"ended the process{_how(status)}"
        self.loss = Loss(trouble, f"{what} {reason}.", by_clock)
        return self.loss

    def _stop(self) -> int | None:
        if self._ended:
            return None
        self._ended = True
        return self._end()


def replay(
    child: Submission, cells: Iterable[tuple[str, str]], *, deadline: float
) -> Iterator[CellRun]:
    """Run cells in order, up to and with the first that the process does not survive.

    Args:
        child: A fresh process.
        cells: Pairs of id and text.
        deadline: Seconds for each.

    Yields:
        How each went.
    """
    for cell, source in cells:
        ran = child.run(cell, source, deadline=deadline)
        yield ran
        if ran.loss is not None:
            return


def _take(output: int) -> str:
    """Read a file that the submission writes, cut it, and begin it anew."""
    size = os.fstat(output).st_size
    data = os.pread(output, LONGEST_TEXT, 0)
    os.ftruncate(output, 0)
    os.lseek(output, 0, os.SEEK_SET)
    text = data.decode("utf-8", "replace")
    return text if size <= LONGEST_TEXT else f"{text}\n… ({size} bytes)"


def _too_long() -> ConversationOverError:
    return ConversationOverError(Trouble.BROKEN, f"is longer than {LARGEST} bytes")


def _not_asked_for() -> ConversationOverError:
    return ConversationOverError(Trouble.BROKEN, "sent an answer that was not asked for")


def _reason(error: ConversationOverError, deadline: float, computed: bool) -> str:  # noqa: FBT001
    if error.trouble is Trouble.ENDLESS:
        return f"had no end after {deadline:g} s{' of computing' if computed else ''}"
    return str(error)


def _how(status: int | None) -> str:
    if status is None:
        return ""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f" with exit code {code}"
    try:
        return f" by {signal.Signals(-code).name}"
    except ValueError:
        return f" by signal {-code}"
