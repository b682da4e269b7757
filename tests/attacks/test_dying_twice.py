"""A cell that is harmless at first and deadly when it is run again costs only itself."""

from autograder.checks.cell import CheckCell
from autograder.checks.runner import run
from autograder.child import ForkServer
from autograder.judge.judge import judge
from autograder.judge.steps import Step
from autograder.sandbox import Layer, Policy

APP = "from fastapi import FastAPI\napp = FastAPI()"
ROUTE = "@app.get('/')\ndef get(): return 'yes'"
DEADLY_AGAIN = (
    "import os\nnumber = len(os.listdir('.'))\nopen(str(number), 'w').close()\n"
    "if number:\n    os._exit(4)"
)
DEADLY = "import os\nos._exit(3)"
CHECK = '''\
async def test_it_answers(client):
    """It answers."""
    assert (await client.get("/")).json() == "yes"
'''


def test_what_is_honest_is_run_again_whole(tmp_path):
    """Cells before and after the deadly one are all there in the last process."""
    cell = CheckCell(lab="lab91", task="t1", points=2, body=CHECK)
    sources = [APP, DEADLY_AGAIN, ROUTE, DEADLY]
    steps = [Step(f"c{number}", source) for number, source in enumerate(sources)]
    steps.append(Step("check", "", cell))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    came = []

    def jobs(server):
        came.append(
            (yield from judge(steps, server=server, policy=Policy(scratch=scratch), seed=1))
        )

    # The folder on disk outlives a process, where no file system of its own lies over it.
    with ForkServer(without=frozenset({Layer.MOUNTS})) as server:
        run([cell], jobs(server))
    (judged,) = came
    assert judged.score == 2
    assert judged.losses == (
        "Cell c3 ended the process with exit code 3.",
        "Cell c1 ended the process with exit code 4.",
    )
    assert {name for name, ran in judged.cells.items() if ran.loss} == {"c1", "c3"}
