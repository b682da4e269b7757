"""A body that ends: neither its bytes nor what they unpack to are more than a test can need."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final

import httpx2

from autograder.checks.subject import NoAnswer

MAX_BODY: Final = 4 * 2**20
"""Bytes of one answer that are read; no lab asks for more, and a hostile one never ends."""
ENCODINGS: Final = ("gzip", "deflate")
"""What bodies may be packed by: what can be unpacked piece by piece, with a bound on each."""
_STEP: Final = 2**16


class Bounded(httpx2.AsyncByteStream):
    """Passes a body on as it comes, and stops when it is too long.

    Args:
        stream: The body.
        encoding: The value of its header `Content-Encoding`.

    Raises:
        NoAnswer: The encoding is none of `ENCODINGS`.
    """

    def __init__(self, stream: httpx2.AsyncByteStream, encoding: str) -> None:
        self._stream = stream
        self._packed = _packing(encoding.strip().lower())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = unpacked = 0
        async with aclosing(_chunks(self._stream)) as chunks:
            async for chunk in chunks:
                received += len(chunk)
                if self._packed is not None:
                    unpacked += self._packed.size(chunk)
                if max(received, unpacked) > MAX_BODY:
                    raise NoAnswer(
                        f"The answer's body is longer than {MAX_BODY // 2**20} MB: reading stopped."
                    )
                yield chunk

    async def aclose(self) -> None:
        """Read no more."""
        await self._stream.aclose()


class _Packed:
    """Measures what a body unpacks to, a bounded piece at a time, and keeps none of it.

    Args:
        formats: The values of `zlib`'s `wbits` to try, as httpx2's own decoders do.
    """

    def __init__(self, *formats: int) -> None:
        self._formats = list(formats)
        self._unpack = zlib.decompressobj(self._formats.pop(0))

    def size(self, chunk: bytes) -> int:
        """Return how long the next chunk becomes; counting stops beyond `MAX_BODY`."""
        size, rest = 0, chunk
        while rest and size <= MAX_BODY:
            try:
                size += len(self._unpack.decompress(rest, _STEP))
            except zlib.error as error:
                if not self._formats:
                    raise NoAnswer(f"The answer's body cannot be unpacked: {error}.") from None
                self._unpack = zlib.decompressobj(self._formats.pop(0))
                continue
            rest = self._unpack.unconsumed_tail
        self._formats.clear()
        return size


def _packing(encoding: str) -> _Packed | None:
    match encoding:
        case "" | "identity":
            return None
        case "gzip":
            return _Packed(zlib.MAX_WBITS | 16)
        case "deflate":
            return _Packed(zlib.MAX_WBITS, -zlib.MAX_WBITS)
    raise NoAnswer(
        f"The answer's Content-Encoding is {encoding[:40]!r}; the request accepts "
        f"{' and '.join(ENCODINGS)}."
    )


async def _chunks(stream: httpx2.AsyncByteStream) -> AsyncGenerator[bytes]:
    async for chunk in stream:
        yield chunk
