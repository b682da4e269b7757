"""The workers: a class is streamed through them, and one that is lost is replaced."""

import os
import signal

import psutil
import pytest

from autograder.checks.cell import CheckCell
from autograder.judge import pool as module
from autograder.judge.messages import SetUp, Task
from autograder.judge.pool import CannotGradeError, Pool
from autograder.judge.steps import Step

BODY = '''\
async def test_it_answers(client):
    """It answers."""
    reply = await client.get("/")
    while reply.json() == "for ever":
        pass
    assert reply.json() == "yes"
'''


def check(body=BODY):
    return CheckCell(lab="lab91", task="t1", points=2, body=body)


def task(name, answer="yes"):
    route = f"@app.get('/')\ndef get():\n    return {answer!r}"
    app = f"from fastapi import FastAPI\napp = FastAPI()\n{route}"
    return Task(name=name, steps=(Step("app", app), Step("check", "")), seed=1)


def judged(pool, tasks):
    """Judge all tasks and return the answers by name."""
    waiting, found = list(tasks), {}
    while waiting or pool.is_busy:
        while waiting and pool.has_room:
            pool.give(waiting.pop(0))
        for answer in pool.answers():
            assert answer.name not in found
            found[answer.name] = answer
    return found


def descendants():
    """Return the processes that descend from this one, those of other tests included."""
    return set(psutil.Process().children(recursive=True))


def test_every_task_gets_its_answer():
    """Two workers, nine submissions, right and wrong ones."""
    with Pool(SetUp(checks={"check": check()}), jobs=2) as pool:
        answers = judged(pool, [task(f"s{n}", "yes" if n % 2 else "no") for n in range(9)])
    assert {name: answer.judged.score for name, answer in answers.items()} == {
        f"s{n}": 2 * (n % 2) for n in range(9)
    }


def test_a_worker_that_is_killed_is_replaced():
    """Its submissions are judged by the next one, and nothing is left running at the end."""
    strangers = descendants()
    with Pool(SetUp(checks={"check": check()}), jobs=1) as pool:
        judged(pool, [task("first")])
        (worker,) = pool.pids
        family = descendants() - strangers
        pool.give(task("second"))
        os.kill(worker, signal.SIGKILL)
        answers = judged(pool, [task("third")])
        assert {name: answer.judged.score for name, answer in answers.items()} == {
            "second": 2, "third": 2,
        }  # fmt: skip
        assert pool.pids != [worker]
        family |= descendants() - strangers
    assert len(family) > 3
    assert not psutil.wait_procs(family, timeout=20)[1]


def test_a_nursery_that_is_killed_is_done_without():
    """Fork servers end with it; the next worker starts one of its own."""
    strangers = descendants()
    with Pool(SetUp(checks={"check": check()}), jobs=1) as pool:
        judged(pool, [task("first")])
        own = set(psutil.Process().children()) - strangers
        (nursery,) = [child for child in own if "autograder.child.server" in child.cmdline()]
        nursery.kill()
        answers = judged(pool, [task("second"), task("third")])
        family = descendants() - strangers
    assert {name: answer.judged.score for name, answer in answers.items()} == {
        "second": 2, "third": 2,
    }  # fmt: skip
    assert not psutil.wait_procs(family, timeout=20)[1]


def test_a_fork_server_that_dies_costs_the_submission_nothing(tmp_path):
    """What a check saw of an app that went down with its fork server is not held against it."""
    seen = tmp_path / "seen"
    app = f"""
import os, pathlib
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
def get():
    if not pathlib.Path({str(seen)!r}).exists():
        pathlib.Path({str(seen)!r}).touch()
        os.kill(os.getppid(), 9)
        os.kill(os.getpid(), 9)
    return "yes"
"""
    victim = Task(name="victim", steps=(Step("app", app), Step("check", "")), seed=1)
    with Pool(SetUp(checks={"check": check()}, unsafe=True), jobs=1) as pool:
        answers = judged(pool, [victim, task("next")])
    assert seen.exists()
    assert {name: answer.judged.score for name, answer in answers.items()} == {
        "victim": 2, "next": 2,
    }  # fmt: skip


def test_a_zygote_that_is_killed_is_replaced():
    """Its workers die with it; those of another one judge what they had."""
    strangers = descendants()
    with Pool(SetUp(checks={"check": check()}), jobs=2) as pool:
        judged(pool, [task("first"), task("second")])
        own = set(psutil.Process().children()) - strangers
        (zygote,) = [one for one in own if "autograder.judge.zygote_process" in one.cmdline()]
        before = pool.pids
        assert before == [one.pid for one in zygote.children()]
        pool.give(task("third"))
        pool.give(task("fourth"))
        zygote.kill()
        answers = judged(pool, [])
        assert set(pool.pids).isdisjoint(before)
        family = descendants() - strangers
    assert [answers[name].judged.score for name in ("third", "fourth")] == [2, 2]
    assert not psutil.wait_procs(family, timeout=20)[1]


def test_a_check_that_never_ends_is_given_up(monkeypatch):
    """The worker counts as hung, twice, and the answer says so; the others are judged."""
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    with Pool(SetUp(checks={"check": check()}, seconds=2), jobs=1) as pool:
        answers = judged(pool, [task("endless", "for ever"), task("other")])
    assert answers["endless"].judged is None
    assert answers["endless"].problem == "The grader's worker did not come to an end in 2 attempts."
    assert answers["other"].judged.score == 2


def test_a_worker_that_never_starts_is_not_hired_for_ever(monkeypatch):
    """After a few deaths at the start the pool gives up and says so."""
    monkeypatch.setattr(module, "BOOT_SECONDS", 0.0)
    with (
        Pool(SetUp(checks={"check": check()}), jobs=1) as pool,
        pytest.raises(CannotGradeError, match="while it started"),
    ):
        judged(pool, [task("any")])


def test_a_submission_that_kills_its_worker_is_tried_twice(monkeypatch):
    """Then it is answered without a verdict; a pool that tried for ever would hang."""
    monkeypatch.setattr(module, "TRIES", 2)
    kills = check(
        BODY.replace(
            'while reply.json() == "for ever":\n        pass',
            "import os\n    os.kill(os.getpid(), 9)",
        )
    )
    with Pool(SetUp(checks={"check": kills}), jobs=1) as pool:
        hired = []
        hire = pool._hire
        monkeypatch.setattr(pool, "_hire", lambda: (hired.append(1), hire()))
        answers = judged(pool, [task("deadly")])
    assert "in 2 attempts" in answers["deadly"].problem
    assert len(hired) <= 2


LATE_ONCE = """\
from pathlib import Path
from autograder.checks.subject import NoAnswer

async def test_it_answers(client):
    \"\"\"It answers.\"\"\"
    if (await client.get("/")).json() != "late":
        return
    with Path("{log}").open("a") as log:
        print("late", file=log)
    if Path("{log}").read_text().count("late") <= {times}:
        raise NoAnswer("Your app had not answered.", stood_still=True)
"""


@pytest.mark.parametrize(("times", "score"), [(1, 2), (2, 0)])
def test_a_verdict_that_hangs_on_a_deadline_is_judged_again_alone(tmp_path, times, score):
    """What the second run says counts, the record says why, and a change is for a person."""
    log = tmp_path / "log"
    body = LATE_ONCE.format(log=log, times=times)
    with Pool(SetUp(checks={"check": check(body)}, enough=-1), jobs=2) as pool:
        answers = judged(pool, [task("late", "late"), *[task(f"s{n}") for n in range(4)]])
    late = answers["late"].judged
    assert log.read_text().split() == ["late", "late"]
    assert late.score == score
    assert "judged again" in late.checks["check"].deadline
    assert bool(late.doubt) == (times == 1)
    assert all(answers[f"s{n}"].judged.checks["check"].deadline == "" for n in range(4))


def test_an_app_that_stood_still_while_there_was_time_is_judged_once(tmp_path):
    """Where nobody waited for a processor, the machine is not to blame, and once is enough."""
    log = tmp_path / "log"
    body = LATE_ONCE.format(log=log, times=1)
    with Pool(SetUp(checks={"check": check(body)}, enough=1e9), jobs=1) as pool:
        late = judged(pool, [task("late", "late")])["late"].judged
    assert log.read_text().split() == ["late"]
    assert late.score == 0
    assert late.checks["check"].deadline == ""


def test_a_worker_that_fails_to_start_is_started_again(monkeypatch):
    """Twice in a row is no end of the class's run."""
    staff_hire, failures = module.Staff.hire, []

    def hire(self):
        hired = staff_hire(self)
        if len(failures) < 2:
            failures.append(hired.pid)
            os.kill(hired.pid, signal.SIGKILL)
        return hired

    monkeypatch.setattr(module.Staff, "hire", hire)
    with Pool(SetUp(checks={"check": check()}), jobs=1) as pool:
        assert judged(pool, [task("any")])["any"].judged.score == 2
    assert len(failures) == 2


def test_a_lab_whose_checks_are_broken_stops_at_once():
    """The message names the fault and not the test's text."""
    broken = check("import nowhere_to_be_found\nSECRET = 'only here'\n")
    with (
        Pool(SetUp(checks={"check": broken}), jobs=1) as pool,
        pytest.raises(CannotGradeError, match="nowhere_to_be_found") as caught,
    ):
        judged(pool, [task("any")])
    assert "only here" not in str(caught.value)


OUTSIDE = """\
import pytest


async def test_it_asks_outside(client, upstream):
    \"\"\"It asks the outside world, at the moment of the request.\"\"\"
    assert (await client.get("/")).json() == 200
    assert len(upstream.calls) == 1
"""
ASKS = """\
import os
import httpx
from fastapi import FastAPI
app = FastAPI()
before = httpx.get(os.environ["UPSTREAM_URL"] + "/v1/models").status_code
@app.get("/")
async def get() -> int:
    async with httpx.AsyncClient(base_url=os.environ["UPSTREAM_URL"]) as outside:
        return (await outside.get("/v1/models")).status_code
"""


def test_submissions_reach_the_outside_world_of_the_check():
    """By plain TCP at UPSTREAM_URL, from cells and from the app; each check finds it as new."""
    asks = [
        Task(name=f"s{n}", steps=(Step("app", ASKS), Step("check", "")), seed=1) for n in range(3)
    ]
    with Pool(SetUp(checks={"check": check(OUTSIDE)}), jobs=1) as pool:
        answers = judged(pool, asks)
    told = {
        name: answer.judged.checks["check"].tests[0].message for name, answer in answers.items()
    }
    assert [answer.judged.score for answer in answers.values()] == [2, 2, 2], told
    assert all(answer.judged.cells["app"].ok for answer in answers.values())


STUDENTS_TESTS = """\
from fastapi import FastAPI


def desk(answer):
    app = FastAPI()
    app.get("/")(lambda: answer)
    return app


async def test_tests_are_told_apart(student_tests):
    \"\"\"The submission's own tests tell a right app from a broken one.\"\"\"
    for name in ("test_coroutine", "test_plain"):
        caught = await student_tests(name, good=desk(1), broken={"two": desk(2)})
        assert caught.passes_good, caught.why
        assert not caught.missed
"""
WRITTEN = """\
async def test_coroutine(client):
    assert (await client.get("/")).json() == 1

def test_plain(client):
    assert client.get("/").json() == 1
"""


def test_tests_of_the_submission_run_in_its_sandbox():
    """A coroutine and a plain test both meet the apps that the check hosts."""
    task = Task(name="s", steps=(Step("tests", WRITTEN), Step("check", "")), seed=1)
    with Pool(SetUp(checks={"check": check(STUDENTS_TESTS)}), jobs=1) as pool:
        (answer,) = judged(pool, [task]).values()
    (test,) = answer.judged.checks["check"].tests
    assert (answer.judged.score, test.message) == (2, "")


def test_a_test_that_refuses_the_good_app_is_shown_its_line():
    """Where an assertion says nothing, the line says what was compared."""
    written = WRITTEN.replace("json() == 1", "json() == 3")
    task = Task(name="s", steps=(Step("tests", written), Step("check", "")), seed=1)
    with Pool(SetUp(checks={"check": check(STUDENTS_TESTS)}), jobs=1) as pool:
        (answer,) = judged(pool, [task]).values()
    (test,) = answer.judged.checks["check"].tests
    line = 'AssertionError (line 2: assert (await client.get("/")).json() == 3)'
    assert test.message.startswith(line)


BLOCKING = '''\
async def test_the_world_is_slow(client, upstream):
    """It answers, and the world is late meanwhile."""
    reply = await client.get("/")
    if reply.json() == "slow":
        upstream._server._loop.call_soon_threadsafe(sum, range(100_000_000))
    assert reply.json() in {"yes", "slow"}
'''


def test_a_verdict_in_doubt_is_thrown_away_and_judged_anew():
    """It is for a person to look at when that comes again; the next one finds a new worker."""
    with Pool(SetUp(checks={"check": check(BLOCKING)}), jobs=1) as pool:
        before = pool.pids
        answers = judged(pool, [task("a"), task("b", "slow"), task("c"), task("d", "no")])
        assert pool.pids != before
    assert {name: answer.judged.score for name, answer in answers.items()} == {
        "a": 2, "b": 2, "c": 2, "d": 0,
    }  # fmt: skip
    problems = {name: answer.problem for name, answer in answers.items() if answer.problem}
    assert problems.keys() == {"b"}
    assert "kept busy" in problems["b"]
    assert answers["b"].seconds > 1
