"""An app that is asked without sockets, where a grader's sandbox allows none.

A student's cell that serves the app and asks it then works there as in a notebook, so that
the rest of the cell still counts. Checks do not use it.
"""

from __future__ import annotations

from typing import Self

import httpx2
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from classroom.recorder import Recorder

URL = "http://127.0.0.1"


class SocketlessServer:
    """Has the face of a `BackgroundServer` and, in place of a port, two clients of its own.

    Args:
        app: Any ASGI 3 application.
    """

    url = URL
    port = 0

    def __init__(self, app: ASGIApp) -> None:
        self._recorder = Recorder(app)
        self.running = False
        self.client: httpx2.Client = TestClient(
            self._recorder, base_url=URL, raise_server_exceptions=False
        )
        self.async_client = httpx2.AsyncClient(
            base_url=URL,
            transport=httpx2.ASGITransport(app=self._recorder, raise_app_exceptions=False),
        )

    def start(self) -> Self:
        """Run the app's start-up; whatever it raises is raised here."""
        self.client.__enter__()
        self.running = True
        return self

    def stop(self) -> None:
        """Run the app's shut-down code; harmless when done before."""
        if self.running:
            self.running = False
            self.client.__exit__()

    def take_errors(self) -> list[BaseException]:
        """Return the exceptions that requests raised since the last call, oldest first."""
        return self._recorder.take()
