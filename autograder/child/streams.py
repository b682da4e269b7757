"""Bounds what a submission writes to its standard streams.

The two descriptors lead to files in memory that the trusted side reads, so output survives
the process. Python's streams write there up to a bound and count the rest; what goes around
them is bounded by the file size that the policy grants.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, BinaryIO, Final, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

KEPT: Final = 1024 * 1024
"""Bytes of one stream between two orders; more than is shown, so that a cut can be stated."""


class BoundedFile(io.RawIOBase):
    """A descriptor that swallows what is written past a bound."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.written = 0
        self.dropped = 0

    def writable(self) -> bool:
        """Return that it may be written."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def write(self, data: Buffer, /) -> int:
        """Write what fits, and say that all was written."""
        view = memoryview(data).cast("B")
        fits = max(0, KEPT - self.written)
        with contextlib.suppress(OSError):  # the file is full, or the submission closed it
            os.write(self._descriptor, view[:fits])
        self.written += len(view)
        self.dropped += max(0, len(view) - fits)
        return len(view)


def _text(file: BoundedFile) -> io.TextIOWrapper:
    buffer = cast("BinaryIO", file)
    return io.TextIOWrapper(buffer, "utf-8", "backslashreplace", line_buffering=True)


class Streams:
    """Standard output and standard error of a submission."""

    def __init__(self) -> None:
        self._files = BoundedFile(1), BoundedFile(2)
        sys.stdout, sys.stderr = map(_text, self._files)

    def begin(self) -> None:
        """Count from zero again."""
        for file in self._files:
            file.written = file.dropped = 0

    def end(self) -> int:
        """Return how many bytes were lost since `begin`."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # by now it may be anything
                stream.flush()
        return sum(file.dropped for file in self._files)
