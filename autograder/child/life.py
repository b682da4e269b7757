"""The life of a child: put the sandbox on, then do as it is told until it is killed."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import JsonValue, TypeAdapter
from pydantic_core import to_jsonable_python

from autograder.child import rich, wire
from autograder.child.faults import clean, describe
from autograder.child.messages import (
    LONGEST_TEXT,
    Answer,
    Call,
    Order,
    Ready,
    Run,
    Serve,
    TakeErrors,
    Unserve,
)
from autograder.child.serving import NotServable, Serving, find_app
from autograder.child.streams import Streams
from autograder.sandbox.layers import Applied
from autograder.sandbox.surroundings import close_descriptors
from classroom.environment import environment_with

if TYPE_CHECKING:
    from autograder.child.shell import Shell

_orders: TypeAdapter[Any] = TypeAdapter(Order)


def live(
    shell: Shell, confine: Callable[[], Applied], connection: int, streams: tuple[int, int]
) -> NoReturn:
    """Be a child, right after the fork, and never return.

    Args:
        shell: The notebook's shell, made before the fork.
        confine: Puts the sandbox on.
        connection: Descriptor of the connection to the trusted side.
        streams: Descriptors that become standard output and standard error.
    """
    try:
        os.setsid()
        _wire_up(streams)
        close_descriptors({connection})
        sys.path.insert(0, "")  # a notebook imports from its own folder
        trusted = socket.socket(fileno=connection)
        if _begin(trusted, confine):
            Child(shell, trusted).live()
    except BaseException:  # noqa: BLE001, S110 - nobody is left to tell; the end itself is noticed
        pass
    finally:
        os._exit(0)


def _wire_up(streams: tuple[int, int]) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, number in zip((nothing, *streams), range(3), strict=True):
        os.dup2(descriptor, number)


def _begin(trusted: socket.socket, confine: Callable[[], Applied]) -> bool:
    try:
        applied = confine()
    except Exception as error:  # noqa: BLE001 - told to the trusted side
        wire.write(
            trusted, Ready(held=[], missing={}, problem=str(error)).model_dump_json().encode()
        )
        return False
    ready = Ready(
        held=sorted(applied.held),
        missing={str(layer): reason for layer, reason in applied.missing.items()},
    )
    wire.write(trusted, ready.model_dump_json().encode())
    return True


class Child:
    """Does what the trusted side orders, one order after the other.

    Args:
        shell: The notebook's shell.
        trusted: Connection to the trusted side.
    """

    def __init__(self, shell: Shell, trusted: socket.socket) -> None:
        self._shell = shell
        self._trusted = trusted
        self._streams = Streams()
        self._serving: Serving | None = None
        self._undo = contextlib.ExitStack()
        self._over = False

    def live(self) -> None:
        """Answer orders until the other side hangs up, whatever becomes of the loop.

        A cell may stop the loop, cancel every task or raise `SystemExit` in a callback. A
        kernel survives most of that, so this does too: the loop is started again.
        """
        loop, obeying = asyncio.new_event_loop(), None
        while not self._over:
            if loop.is_closed():
                loop, obeying = asyncio.new_event_loop(), None
            asyncio.set_event_loop(loop)
            if obeying is None or obeying.done():
                obeying = loop.create_task(self._obey())
            with contextlib.suppress(BaseException):  # the submission's, whatever it is
                loop.run_until_complete(obeying)

    async def _obey(self) -> None:
        """Answer orders until the other side hangs up.

        The loop runs on between orders, as a kernel's does, and tasks that a cell has started
        with it.
        """
        while True:
            await self._readable()
            try:
                message, descriptors = wire.read(self._trusted)
            except (EOFError, OSError):
                self._over = True
                return
            order = _orders.validate_json(message)
            self._streams.begin()
            answer = await self._answer(order, descriptors)
            answer = answer.model_copy(update={"dropped": self._streams.end()})
            wire.write(self._trusted, _packed(answer))

    async def _readable(self) -> None:
        """Wait until there is something to read, and watch for it no longer.

        Before an order is obeyed, nothing of this may be left in the loop: a cell may run the
        loop inside itself (nest_asyncio), which would take what is left there for its own.
        """
        loop = asyncio.get_running_loop()
        readable = loop.create_future()

        def settle() -> None:
            loop.remove_reader(self._trusted)
            if not readable.done():
                readable.set_result(None)

        loop.add_reader(self._trusted, settle)
        await readable

    async def _answer(self, order: Any, descriptors: list[int]) -> Answer:
        try:
            match order:
                case Run():
                    return await self._run(order)
                case Serve():
                    return await self._serve(order, descriptors)
                case Unserve():
                    await self._unserve()
                case TakeErrors() if self._serving is not None:
                    return Answer(id=order.id, errors=await self._serving.take_errors(order.since))
                case Call():
                    return Answer(id=order.id, value=await self._call(order))
            return Answer(id=order.id)
        except BaseException as error:  # noqa: BLE001 - the submission's, whatever it is
            return Answer(id=order.id, raised=describe(error))

    async def _run(self, order: Run) -> Answer:
        shown, error = await self._shell.run(order.cell, order.source)
        return Answer(
            id=order.id,
            raised=describe(error) if error else None,
            result=clean(shown.result, LONGEST_TEXT),
            shown=[_readable(one) for one in shown.shown],
            rich=_readable(*rich.within([shown.rich])),
        )

    async def _serve(self, order: Serve, descriptors: list[int]) -> Answer:
        await self._unserve()
        self._undo.enter_context(environment_with(order.environment))
        listening = socket.socket(fileno=descriptors[0])
        try:
            serving = Serving(find_app(self._shell.user_ns, order.entry), listening)
        except BaseException:
            listening.close()
            raise
        problem = await serving.start()
        if problem is None:
            self._serving = serving
        return Answer(id=order.id, raised=problem)

    async def _unserve(self) -> None:
        serving, self._serving = self._serving, None
        if serving is not None:
            await serving.stop()
        self._undo.close()

    async def _call(self, order: Call) -> JsonValue:
        function = self._shell.user_ns.get(order.name)
        if not callable(function):
            raise NotServable(f"The notebook has no function `{order.name}`.")
        value = function(*order.arguments)
        if inspect.isawaitable(value):
            value = await value
        plain: JsonValue = to_jsonable_python(value, inf_nan_mode="strings")
        return plain


def _readable(shown: rich.Shown | None = None) -> rich.Shown:
    """Return what JSON can carry."""
    return {kind: clean(text, rich.MAX_CELL) for kind, text in (shown or {}).items()}


def _packed(answer: Answer) -> bytes:
    """Return the answer's bytes; what is too long to send becomes an error that says so."""
    message = answer.model_dump_json().encode()
    if len(message) <= wire.LARGEST:
        return message
    if answer.shown or answer.rich:
        return _packed(answer.model_copy(update={"shown": [], "rich": {}}))
    return _packed(
        Answer(
            id=answer.id,
            raised=describe(ValueError(f"the returned value has {len(message)} bytes as JSON")),
        )
    )
