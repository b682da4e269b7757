"""The outside world of submissions in their sandbox, whose network is not this process's.

The fork server hands out a socket that listens where its children can connect to it. What they
say there is passed on, byte for byte, to the `Upstream` that runs here.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Iterable
from typing import Self

from autograder.checks.cell import CheckCell
from classroom.upstream import Upstream

_CHUNK = 1 << 16
_ASKED_FOR = re.compile(r"\b(upstream|override|student_tests)\b")


def is_wanted(cells: Iterable[CheckCell]) -> bool:
    """Tell whether any check asks for the outside world."""
    return any(_ASKED_FOR.search(cell.body) for cell in cells)


class Outside(Upstream):
    """An upstream that submissions find at a listening socket of theirs.

    Args:
        listening: Where they connect; it is closed at the end.
    """

    def __init__(self, listening: socket.socket) -> None:
        super().__init__()
        self._listening = listening
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 at which submissions find it."""
        return int(self._listening.getsockname()[1])

    @property
    def url(self) -> str:
        """The address by which submissions know it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Serve; returns when it answers."""
        super().start()
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._accept(), self._loop).result()
        return self

    def stop(self) -> None:
        """End the server and the passing on."""
        super().stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._listening.close()

    async def _accept(self) -> None:
        await asyncio.start_server(self._pass_on, sock=self._listening)

    async def _pass_on(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Pass bytes on in both directions until either side leaves."""
        assert self._server is not None, "it is started before anybody can connect"
        try:
            there, forth = await asyncio.open_connection("127.0.0.1", self._server.port)
        except OSError:
            back.close()
            return
        ways = [
            asyncio.ensure_future(_pump(here, forth)),
            asyncio.ensure_future(_pump(there, back)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for writer in (forth, back):
            writer.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
