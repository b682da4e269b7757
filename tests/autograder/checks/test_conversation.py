"""The client that tests use, against servers that behave as real ones do."""

import asyncio

from autograder.checks.conversation import Line
from autograder.checks.subject import Endpoint

FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


class HangsUp(asyncio.Protocol):
    """Answers 500 as if the connection would stay, and hangs up when the next request has come."""

    def __init__(self, lost):
        self.over = asyncio.get_running_loop().create_future()
        lost.append(self.over)

    def connection_made(self, transport):
        self.transport, self.answered = transport, False

    def data_received(self, _data):
        if self.answered:
            self.transport.close()
        self.answered = True
        self.transport.write(FAILED)

    def connection_lost(self, _error):
        self.over.set_result(None)


def test_a_server_that_hangs_up_after_a_500_breaks_nothing_off():
    """The request after a failed one has a connection of its own."""

    async def statuses():
        lost = []
        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: HangsUp(lost), "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            line = Line(Endpoint(f"http://127.0.0.1:{port}"))
            client = line.client(wait=5)
            found = [(await client.get("/")).status_code for _ in range(2)]
            await line.aclose()
            await asyncio.gather(*lost)
        return found

    assert asyncio.run(statuses()) == [500, 500]
