"""Real kernels for the tests of this folder."""

import threading

import pytest
from jupyter_client import BlockingKernelClient

from ..kernels import new_kernel


class Notebook:
    """Cells sent to a kernel as a front end sends them."""

    def __init__(self, client):
        self.client = client

    def run_all(self, *cells):
        """Queue all cells at once; return each one's outputs as (kind, content) pairs.

        A cell is its code, or a pair of its id and its code.
        """
        found = {}
        for cell in cells:
            cell_id, code = (None, cell) if isinstance(cell, str) else cell
            found[self._queue(code, cell_id)] = []
        running = set(found)
        while running:
            answer = self.client.get_iopub_msg(timeout=60)
            message, content = answer["parent_header"].get("msg_id"), answer["content"]
            if message not in found:
                continue
            match answer["msg_type"]:
                case "stream":
                    found[message].append((content["name"], content["text"]))
                case "execute_result" | "display_data":
                    found[message].append(("data", content["data"]))
                case "error":
                    found[message].append(("error", f"{content['ename']}: {content['evalue']}"))
                case "status" if content["execution_state"] == "idle":
                    running.discard(message)
        return list(found.values())

    def _queue(self, code, cell_id):
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        message = self.client.session.msg("execute_request", content)
        if cell_id is not None:
            message["metadata"]["cellId"] = cell_id
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]


@pytest.fixture
def ends_its_threads():
    """Fail a test that leaves a thread; one that is just ending may do so."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive(), thread


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A notebook with a fresh kernel."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    with new_kernel() as (_, client):
        yield Notebook(client)


@pytest.fixture
def notebook_on():
    """Open a notebook on the kernel of a connection file."""
    clients = []

    def connect(connection_file):
        client = BlockingKernelClient(connection_file=str(connection_file))
        client.load_connection_file()
        client.start_channels()
        clients.append(client)
        client.wait_for_ready(timeout=60)
        return Notebook(client)

    yield connect
    for client in clients:
        client.stop_channels()
