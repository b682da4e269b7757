"""Whatever a cell does to the event loop, the submission lives on, as in a notebook's kernel."""

from __future__ import annotations

import pytest

from autograder.child import ForkServer, Submission
from autograder.sandbox import Policy

from .conftest import PATIENT, ask

APP = """
import asyncio
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def root() -> int:
    await asyncio.sleep(0.001)
    return 5
"""
NEST = "import asyncio, nest_asyncio\nnest_asyncio.apply()\n"
PASTED = {
    "nested run": f"{NEST}asyncio.run(asyncio.sleep(0))",
    "one line": "import nest_asyncio; nest_asyncio.apply()",
    "the loop given": """
import asyncio, nest_asyncio
nest_asyncio.apply(asyncio.get_event_loop())
asyncio.get_event_loop().run_until_complete(asyncio.sleep(0.01))
""",
    "a task run to its end": f"""{NEST}
task = asyncio.get_event_loop().create_task(asyncio.sleep(0.01))
asyncio.get_event_loop().run_until_complete(task)
""",
    "nested twice, with a thread": f"""{NEST}
async def main():
    await asyncio.to_thread(sum, [1])
    return asyncio.run(asyncio.sleep(0, 7))
assert asyncio.run(main()) == 7
""",
    "run without nest_asyncio": """
import asyncio
try:
    asyncio.run(asyncio.sleep(0))
except RuntimeError as error:
    print(error)
""",
    "a loop in a thread": """
import asyncio, threading
thread = threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0)))
thread.start()
thread.join()
""",
    "another loop set": "import asyncio\nasyncio.set_event_loop(asyncio.new_event_loop())",
    "another policy": "import asyncio, uvloop\n"
    "asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())",
    "the loop stopped": "import asyncio\nasyncio.get_event_loop().stop()",
    "the loop stopped later": """
import asyncio
loop = asyncio.get_event_loop()
loop.call_soon(loop.stop)
""",
    "the loop closed by a thread": """
import asyncio, threading
loop = asyncio.get_event_loop()
loop.stop()
threading.Timer(0.01, loop.close).start()
""",
    "other tasks cancelled": """
import asyncio
for task in asyncio.all_tasks():
    if task is not asyncio.current_task():
        task.cancel()
""",
    "all tasks cancelled": """
import asyncio
for task in asyncio.all_tasks():
    asyncio.get_running_loop().call_soon(task.cancel)
""",
    "an exit in a callback": "import asyncio, sys\nasyncio.get_running_loop().call_soon(sys.exit)",
    "a task that runs on": """
import asyncio
async def forever():
    while True:
        await asyncio.sleep(0.001)
task = asyncio.create_task(forever())
""",
    "debug": "import asyncio\nasyncio.get_running_loop().set_debug(True)",
}


@pytest.mark.parametrize("lines", PASTED.values(), ids=PASTED.keys())
@pytest.mark.parametrize("served_before", [False, True], ids=["first", "after a check"])
def test_pasted_lines_cost_nothing(everything: ForkServer, lines: str, *, served_before: bool):
    """Lines about the loop, before or after the app was served, leave cells and app working."""
    with everything.submission(Policy()) as child:
        if served_before:
            _works(child)
        pasted = child.run("pasted", lines, deadline=PATIENT)
        assert pasted.ok, pasted
        _works(child)
        assert child.run("next", "await asyncio.sleep(0, 3)", deadline=PATIENT).loss is None


def test_a_cell_of_which_all_tasks_are_cancelled_says_so(child: Submission):
    """A cell that is cancelled while it waits has failed, and the next one runs."""
    cancels = """
import asyncio
loop = asyncio.get_running_loop()
loop.call_later(0.01, lambda: [task.cancel() for task in asyncio.all_tasks()])
await asyncio.sleep(10)
"""
    ran = child.run("cancels", cancels, deadline=PATIENT)
    assert ran.raised is not None
    assert ran.raised.type == "CancelledError"
    assert child.run("next", "await asyncio.sleep(0, 3)", deadline=PATIENT).result == "3"


def _works(child: Submission) -> None:
    assert child.run("app", APP, deadline=PATIENT).ok
    assert ask(child).json() == 5
    child.unserve(deadline=PATIENT)
