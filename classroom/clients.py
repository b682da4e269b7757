"""The HTTP clients of a served app.

They speak plain HTTP to this machine: `verify=False` saves 20 ms of TLS set-up each, and
`trust_env=False` keeps a proxy of the environment out of the way.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

import httpx2

TIMEOUT = 5.0
"""Seconds after which a request of a cell gives up, so that a deadlock ends with an error."""


class PerLoopTransport(httpx2.AsyncBaseTransport):
    """Lets one async client be used from several event loops.

    Connections belong to the loop that opened them, so each loop gets its own pool. Pools keep
    no idle connection, so nothing is left behind when a loop ends.
    """

    def __init__(self) -> None:
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncHTTPTransport] = (
            WeakKeyDictionary()
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send by the running loop's own pool."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            pool = httpx2.AsyncHTTPTransport(
                verify=False,
                limits=httpx2.Limits(max_keepalive_connections=0),
            )
            self._pools[loop] = pool
        return await pool.handle_async_request(request)


def sync_client(url: str) -> httpx2.Client:
    """Return a client for `url`."""
    return httpx2.Client(base_url=url, verify=False, trust_env=False, timeout=TIMEOUT)


def async_client(url: str) -> httpx2.AsyncClient:
    """Return an async client for `url` that works in any event loop, also in several."""
    return httpx2.AsyncClient(
        base_url=url, transport=PerLoopTransport(), trust_env=False, timeout=TIMEOUT
    )
