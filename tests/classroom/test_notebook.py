"""The package in real kernels, all cells queued at once as Run All does."""

import pytest

pytestmark = pytest.mark.notebook

MAKE = """
from fastapi import FastAPI
from classroom import serve
import threading
threads = threading.active_count()
app = FastAPI(title="Agent Desk")
"""
ROUTE = """
@app.get("/ping")
async def ping():
    return {answer!r}
"""
SERVE = "server = serve(app)\nserver"
BOTH = """
replies = [server.client.get("/ping"), await server.async_client.get("/ping")]
print([reply.json() for reply in replies])
"""


def printed(outputs):
    return "".join(text for kind, text in outputs if kind == "stdout")


def shown(outputs):
    return [content for kind, content in outputs if kind == "data"]


@pytest.mark.parametrize("first", ["import nest_asyncio; nest_asyncio.apply()", "import asyncio"])
def test_run_all_with_cells_run_again(notebook, first):
    """Served once, edited, run again: the newest code answers both clients in queued cells."""
    results = notebook.run_all(
        ("first", first),
        ("make", MAKE),
        ("route", ROUTE.format(answer="one")),
        ("serve", SERVE),
        ("ask", BOTH),
        ("route", ROUTE.format(answer="two")),
        ("ask", BOTH),
        ("serve", SERVE),
        ("ask", BOTH),
        ("serve", "pass"),
        ("left", "print(server.running, threading.active_count() - threads <= 3)"),
    )
    assert [kind for cell in results for kind, _ in cell if kind in ("error", "stderr")] == []
    assert [printed(results[number]) for number in (4, 6, 8)] == [
        "['one', 'one']\n",
        "['two', 'two']\n",
        "['two', 'two']\n",
    ]
    before, after = shown(results[3])[0], shown(results[7])[0]
    assert before["text/plain"].startswith("Serving 'Agent Desk' at http://127.0.0.1:")
    assert "/docs" in before["text/html"]
    assert before["text/plain"] != after["text/plain"]
    assert printed(results[10]) == "False True\n"


def test_fifty_servers_of_one_cell(notebook):
    """A loop of fifty in a cell, and fifty runs of a cell, leave one server each."""
    count = """
import psutil
def listening():
    found = psutil.Process().net_connections("tcp")
    return {c.laddr.port for c in found if c.status == "LISTEN"}
before = listening()
"""
    results = notebook.run_all(
        ("make", MAKE),
        ("count", count),
        ("loop", "for _ in range(50): server = serve(FastAPI())"),
        *[("again", f"again = serve(FastAPI(title='{number}'))") for number in range(50)],
        ("left", "print(listening() - before == {server.port, again.port}, again.name)"),
        ("gone", "server.stop(); again.stop()"),
        ("none", "print(listening() == before, threading.active_count() == threads)"),
    )
    assert [content for cell in results for kind, content in cell if kind != "stdout"] == []
    assert printed(results[-3]) == "True 49\n"
    assert printed(results[-1]) == "True True\n"


def test_a_cell_without_an_id_and_a_failing_app(notebook):
    """Where the front end sends no ids the route is replaced too; errors of the app are silent."""
    broken = """
@app.get("/ping")
def ping():
    raise ValueError("no")
"""
    results = notebook.run_all(
        MAKE,
        ROUTE.format(answer="one"),
        "server = serve(app)",
        broken,
        "print(server.client.get('/ping').status_code, server.take_errors())",
    )
    assert [content for cell in results for kind, content in cell if kind != "stdout"] == []
    assert printed(results[-1]) == "500 [ValueError('no')]\n"


def test_the_cell_that_imports_the_package_may_run_again(notebook):
    """The very first cell began before anything watched it, and is known all the same."""
    results = notebook.run_all(
        ("first", MAKE + ROUTE.format(answer="one") + "server = serve(app)"),
        ("first", "print(server.running, server.name)"),
    )
    assert printed(results[1]) == "False Agent Desk\n"


def test_a_start_up_error_is_the_students_own(notebook):
    """A lifespan that raises shows the student's exception, and the kernel goes on."""
    lifespan = """
async def lifespan(app):
    raise FileNotFoundError("model.bin")
    yield
serve(FastAPI(lifespan=lifespan))
"""
    results = notebook.run_all(MAKE, ("serve", lifespan), "print('alive')")
    assert results[1] == [("error", "FileNotFoundError: model.bin")]
    assert printed(results[2]) == "alive\n"
