"""A served app behind a real Jupyter server with a base URL, as on Binder and JupyterHub."""

import os
import re
import subprocess
import sys
from urllib.parse import urljoin

import httpx2
import pytest
from fastapi import FastAPI

from classroom import serve
from classroom.jupyter_address import browser_url, jupyter_base_url

APP = """
import asyncio
from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from classroom import serve

app = FastAPI(title="Agent Desk")
second_may_go = asyncio.Event()

@app.get("/stream")
async def stream():
    async def tokens():
        yield "data: one\\n\\n"
        await second_may_go.wait()
        yield "data: two\\n\\n"
    return StreamingResponse(tokens(), media_type="text/event-stream")

@app.post("/go")
async def go():
    second_may_go.set()

@app.websocket("/echo")
async def echo(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())

serve(app)
"""


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """A running Jupyter server at /user/ann/, as a client of it and its runtime folder."""
    home = tmp_path_factory.mktemp("home")
    runtime = home / "runtime"
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
        "--ServerApp.base_url=/user/ann/",
        "--IdentityProvider.token=secret",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        f"--ServerApp.root_dir={home}",
        "--ServerApp.jpserver_extensions=jupyter_server_proxy=True",
    ]
    env = {
        **{name: value for name, value in os.environ.items() if "JUPYTER" not in name},
        "HOME": str(home),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            log = iter(process.stderr.readline, "")
            address = next(found for line in log if (found := re.search(r"http://127[^/]+", line)))
            with httpx2.Client(
                base_url=address[0],
                headers={"Authorization": "token secret"},
                # It says its address before it listens.
                transport=httpx2.HTTPTransport(verify=False, retries=8),
                trust_env=False,
                timeout=20,
            ) as client:
                yield client, runtime
                for kernel in client.get("/user/ann/api/kernels").json():
                    client.delete(f"/user/ann/api/kernels/{kernel['id']}")
        finally:
            process.terminate()
            process.stderr.read()


@pytest.mark.notebook
def test_everything_works_through_the_proxy(jupyter, notebook_on):
    """The embedded page, its files, the schema, a WebSocket and a stream go through Jupyter."""
    client, runtime = jupyter
    started = client.post("/user/ann/api/kernels", json={"name": "python3"}).json()
    notebook = notebook_on(runtime / f"kernel-{started['id']}.json")
    ((_, shown),) = notebook.run_all(APP)[0]

    docs = re.search(r'<iframe[^>]* src="([^"]+)"', shown["text/html"])[1]
    base = re.fullmatch(r"(/user/ann/proxy/\d+)/docs", docs)[1]
    assert shown["text/plain"].endswith(f"(docs: {docs})")

    page = client.get(docs).text
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [client.get(urljoin(docs, file)).status_code for file in files] == [200] * 3
    schema = client.get(urljoin(docs, re.search(r"url: '([^']+)'", page)[1])).json()
    assert schema["info"]["title"] == "Agent Desk"
    assert schema["servers"] == [{"url": base}]

    address = str(client.base_url).replace("http", "ws") + base + "/echo"
    with client.websocket(address) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"

    with client.stream("GET", base + "/stream", headers={"Accept": "text/event-stream"}) as reply:
        lines = reply.iter_lines()
        assert next(lines) == "data: one"  # the second one is not even made yet
        assert client.post(base + "/go").status_code == 200
        assert "data: two" in list(lines)


def test_a_hub_names_its_base_url(monkeypatch):
    """On JupyterHub the link leads through the user's own server."""
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ann/")
    assert browser_url(41233) == "/user/ann/proxy/41233"
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/")
    assert browser_url(41233) == "/proxy/41233"


def test_without_a_jupyter_server_the_address_is_direct(monkeypatch, tmp_path):
    """A script, and a kernel whose parent is no Jupyter server, link to the port itself."""
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    assert browser_url(41233) == "http://127.0.0.1:41233"
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    assert jupyter_base_url() is None


def test_a_browser_elsewhere_gets_an_address_of_its_own(monkeypatch):
    """On JupyterHub and Binder the notebook's address leads nowhere in the reader's browser."""
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ann/")
    with serve(FastAPI(title="Agent Desk")) as server:
        shown = server._repr_mimebundle_()["text/html"]
        path = f"/user/ann/proxy/{server.port}/"
    assert f'<a href="{path}" target="_blank">{path}</a> for your browser' in shown
    assert f"<code>{server.url}</code> for this notebook" in shown
