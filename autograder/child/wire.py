"""Messages on a stream socket: a length, then JSON; for both sides.

The side that runs a submission blocks (`read`, `write`); the trusted side has `Channel`,
which never waits past a deadline and never believes a length.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

LARGEST: Final = 2 * 1024 * 1024
"""Bytes of one message, in both directions."""

_LENGTH: Final = struct.Struct("!I")
_CHUNK: Final = 1 << 16
_DESCRIPTORS: Final = 3


class Trouble(StrEnum):
    """Why a conversation is over."""

    DIED = "died"
    """The process ended."""
    ENDLESS = "endless"
    """No answer before the deadline."""
    BROKEN = "broken"
    """Something came that is not an answer."""


class ConversationOverError(Exception):
    """No further message can be had from the other side.

    Attributes:
        trouble: What kind of end it was.
    """

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


def read(connection: socket.socket) -> tuple[bytes, list[int]]:
    """Wait for one message.

    Returns:
        Its bytes, and the file descriptors that came with it.

    Raises:
        EOFError: The other side has closed.
    """
    first, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, _DESCRIPTORS)
    length = _LENGTH.unpack(first + _exactly(connection, _LENGTH.size - len(first)))[0]
    return _exactly(connection, length), descriptors


def write(connection: socket.socket, message: bytes) -> None:
    """Send one message, however long that takes."""
    connection.sendall(_LENGTH.pack(len(message)) + message)


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = connection.recv(min(size, _CHUNK))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


Until = float | Callable[[], float]


class Channel:
    """The trusted end of a conversation.

    Args:
        connection: Connected stream socket; the channel closes it.
        process: Descriptor that becomes readable when the other process ends (see
            pidfd_open(2)), or None where the kernel has none.
    """

    def __init__(self, connection: socket.socket, process: int | None) -> None:
        self._connection = connection
        self._connection.settimeout(0)
        self._process = process

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def send(self, message: bytes, until: float, descriptors: Sequence[int] = ()) -> None:
        """Send one message.

        Args:
            message: At most `LARGEST` bytes.
            until: Deadline, as `time.monotonic` counts.
            descriptors: File descriptors to send along.

        Raises:
            ConversationOverError: The other side has ended or does not listen.
        """
        rest = memoryview(_LENGTH.pack(len(message)) + message)
        while rest:
            self._wait(select.POLLOUT, until)
            with contextlib.suppress(BlockingIOError):
                try:
                    sent = socket.send_fds(self._connection, [rest[:_CHUNK]], list(descriptors))
                except OSError as error:
                    raise _died() from error
                rest = rest[sent:]
                descriptors = ()

    def receive(self, until: Until) -> bytes:
        """Return the next message.

        Args:
            until: Deadline, as `time.monotonic` counts, or what says so each time it is reached.

        Raises:
            ConversationOverError: It ended, did not come in time, or is too long.
        """
        length = _LENGTH.unpack(self._exactly(_LENGTH.size, until))[0]
        if length > LARGEST:
            raise ConversationOverError(
                Trouble.BROKEN, f"sent a message of {length} bytes; {LARGEST} are allowed"
            )
        return self._exactly(length, until)

    def _exactly(self, size: int, until: Until) -> bytes:
        received = bytearray()
        while len(received) < size:
            self._wait(select.POLLIN, until)
            try:
                part = self._connection.recv(min(size - len(received), _CHUNK))
            except BlockingIOError:
                continue
            except OSError as error:
                raise _died() from error
            if not part:
                raise _died()
            received += part
        return bytes(received)

    def _wait(self, event: int, until: Until) -> None:
        poll = select.poll()
        poll.register(self._connection, event)
        if self._process is not None:
            poll.register(self._process, select.POLLIN)
        ready: dict[int, int] = {}
        while not ready and (left := _now(until) - time.monotonic()) > 0:
            ready = dict(poll.poll(left * 1000))
        if ready.get(self._connection.fileno(), 0) & (event | select.POLLHUP | select.POLLERR):
            return
        if ready:
            raise _died()
        raise ConversationOverError(Trouble.ENDLESS, "gave no answer in time")


def _now(until: Until) -> float:
    return until() if callable(until) else until


def _died() -> ConversationOverError:
    return ConversationOverError(Trouble.DIED, "ended")
