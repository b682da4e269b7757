"""`serve(app)`: a running app for lessons and for trying things out in a cell."""

from __future__ import annotations

import atexit
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from classroom import cells, clients, display
from classroom.docs_page import DocsPage
from classroom.serving import BackgroundServer, NoSocketsError
from classroom.socketless import SocketlessServer

if TYPE_CHECKING:
    import httpx2
    from starlette.types import ASGIApp

_live: list[Server] = []
_registry = threading.RLock()


@dataclass(frozen=True)
class CallSite:
    """The place in the code that called `serve`."""

    place: str
    """The cell's id where the front end sends one, else the file."""
    function: str
    line: int
    instruction: int
    """Tells two calls on one line apart."""
    name: str | None
    """The name given to `serve`: a loop that serves several apps names them."""


def _started(app: ASGIApp) -> BackgroundServer | SocketlessServer:
    """Serve on a port, or without sockets where a sandbox allows none."""
    try:
        return BackgroundServer(app).start()
    except NoSocketsError:
        return SocketlessServer(app).start()


class Server:
    """An app that is being served; see `serve`.

    Attributes:
        app: The app as it was given.
        name: What it is called in the notebook.
        url: Base URL without a slash at its end, such as `http://127.0.0.1:41233`.
        client: An `httpx2.Client` with that base URL. Requests give up after 5 s.
        async_client: The same as an `httpx2.AsyncClient`, for any event loop, also for several.
    """

    def __init__(
        self, app: ASGIApp, *, name: str, site: CallSite, cell: cells.CellRun | None
    ) -> None:
        self.app = app
        self.name = name
        self._site = site
        self._cell = cell
        self._in_block = False
        self._background = _started(DocsPage(app))
        self.url = self._background.url
        if isinstance(self._background, SocketlessServer):
            self.client: httpx2.Client = self._background.client
            self.async_client: httpx2.AsyncClient = self._background.async_client
        else:
            self.client = clients.sync_client(self.url)
            self.async_client = clients.async_client(self.url)

    @property
    def running(self) -> bool:
        """Whether the app is still served."""
        return self._background.running

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; 0 in a grader's sandbox, where there are none."""
        return self._background.port or 0

    def stop(self) -> None:
        """Stop serving, run the app's shut-down code and close the client; twice is harmless."""
        with _registry:
            if self in _live:
                _live.remove(self)
        self._background.stop()
        self.client.close()

    def take_errors(self) -> list[BaseException]:
        """Return the exceptions that requests raised since the last call, oldest first."""
        return self._background.take_errors()

    def __enter__(self) -> Self:
        # A server in a `with` block ends with the block, and never by being replaced.
        self._in_block = True
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_error: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return display.as_text(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": display.as_text(self), "text/html": display.as_html(self)}

    def _belongs_to_earlier_run_of(self, cell: cells.CellRun | None) -> bool:
        if self._in_block or cell is None or self._cell is None:
            return False
        return cell.repeats(self._cell)

    def _gives_way_to(self, app: ASGIApp, site: CallSite) -> bool:
        return not self._in_block and (self.app is app or self._site == site)


def serve(app: ASGIApp, *, name: str | None = None) -> Server:
    """Serve `app` on a free port of this machine until it is stopped or replaced.

    Running the same cell again replaces its server, and so does serving the same app again; a
    loop that serves several apps at once gives each its own `name`. A server opened by `with` or
    `async with` ends with its block instead. All servers end with the kernel.

    Args:
        app: A FastAPI app, or any other ASGI app.
        name: What to call it; the app's title by default.

    Returns:
        The running server, with `url`, `client`, `async_client` and `stop()`.

    Raises:
        BaseException: whatever the app itself raised while it started.

    Example:
        >>> server = serve(app)
        >>> server.client.get("/ping").json()
        {'ping': 'pong'}
    """
    watch = cells.watch()
    cell = watch.current if watch else None
    site = _call_site(cell, name)
    with _registry:
        for old in _live.copy():
            if old._gives_way_to(app, site) or old._belongs_to_earlier_run_of(cell):  # noqa: SLF001
                old.stop()
    title = name or getattr(app, "title", None) or type(app).__name__
    server = Server(app, name=title, site=site, cell=cell)
    with _registry:
        _live.append(server)
    return server


@atexit.register
def stop_all() -> None:
    """Stop every server that `serve` started and that still runs."""
    for server in _live.copy():
        server.stop()


def follow(shell: Any) -> None:
    """Let every cell of `shell`, when it begins, stop what its earlier runs serve."""
    watch = cells.watch(shell)
    if watch is not None:
        watch.listen(start=_stop_servers_of_earlier_runs)


def _stop_servers_of_earlier_runs(cell: cells.CellRun) -> None:
    for server in _live.copy():
        if server._belongs_to_earlier_run_of(cell):  # noqa: SLF001
            server.stop()


def _call_site(cell: cells.CellRun | None, name: str | None) -> CallSite:
    frame = sys._getframe(2)  # noqa: SLF001 - the caller of `serve`
    code = frame.f_code
    place = cell.id if cell is not None and cell.id is not None else code.co_filename
    return CallSite(place, code.co_qualname, frame.f_lineno, frame.f_lasti, name)
