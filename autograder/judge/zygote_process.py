"""The process that has imported all that a worker needs, and from which workers are forked.

Started by `autograder.judge.zygote` as `python -m autograder.judge.zygote_process ORDERS HUB`: the
connection on which it is told what to do, and the one to the nursery. It knows of no lab and
judges nothing, so each worker starts as new. When the coordinator ends, so does it, and its
workers with it.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Final, NoReturn

from autograder.checks.cell import CheckCell
from autograder.checks.runner import run
from autograder.judge import worker
from autograder.judge.zygote import END, LONGEST, START
from autograder.sandbox.privileges import die_with_parent

_AT_FIRST_USE: Final = (
    "anyio._backends._asyncio",
    "concurrent.futures.thread",
    "httpcore2",
    "pydantic.v1",  # FastAPI, when a check's own app has a parameter
    "truststore",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
_CHECK: Final = """\
async def test_nothing(client):
    \"\"\"It is collected and not run.\"\"\"
    assert client
"""


def main() -> None:
    """Fork and end workers until the coordinator hangs up."""
    orders, hub = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    die_with_parent()
    _import_the_rest()
    gc.collect()
    gc.freeze()  # so that a worker's collector leaves the memory alone that all of them share
    workers: set[int] = set()
    while True:
        order, descriptors, _, _ = socket.recv_fds(orders, LONGEST, 1)
        if order == START:
            (descriptor,) = descriptors
            pid = _fork(descriptor, orders, hub)
            os.close(descriptor)
            workers.add(pid)
            orders.send(b"%d" % pid)
        elif order.startswith(END):
            pid = int(order.removeprefix(END))
            workers.remove(pid)
            _end(pid)
            orders.send(END)
        else:
            break
    for pid in workers:
        _end(pid)


def _import_the_rest() -> None:
    """Import what is otherwise imported as the first check is collected, or its first test run."""
    for name in _AT_FIRST_USE:
        importlib.import_module(name)
    run([CheckCell(lab="any", task="any", points=1, body=_CHECK)], [])


def _fork(descriptor: int, orders: socket.socket, hub: socket.socket) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        orders.close()
        _become_a_worker(parent, Connection(descriptor), hub)
    return pid


def _become_a_worker(parent: int, connection: Connection, hub: socket.socket) -> NoReturn:
    try:
        die_with_parent()
        if os.getppid() == parent:  # else it ended before the kernel knew what to do then
            worker.work(connection, hub)
    except BaseException:  # noqa: BLE001 - nobody is above it
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _end(pid: int) -> None:
    """Kill a worker, which may have ended; its fork server takes the children with it."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
