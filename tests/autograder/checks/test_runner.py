"""Check cells run against real apps over real connections."""

import asyncio
import contextlib
import gc
import gzip
import os
import warnings
import zlib

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

from autograder.checks.cell import CheckCell
from autograder.checks.deadlines import Deadlines
from autograder.checks.job import Job
from autograder.checks.kernel import KernelSubject
from autograder.checks.runner import BrokenCheck, run_in_thread

GREETING = '''
async def test_greeting(client):
    """The app greets."""
    reply = await client.get("/hello")
    assert reply.status_code == 200
    assert reply.json() == {"greeting": "hello", "to": ["you"]}
'''


def greeter(answer=None):
    app = FastAPI()

    @app.get("/hello")
    def hello():
        return answer or {"greeting": "hello", "to": ["you"]}

    return app


def test_a_right_app_gets_all_points(check):
    """A passed test earns its share, and the record says what it showed."""
    result = check(greeter(), GREETING)
    assert result.points == 3
    assert [(test.id, test.outcome, test.meaning) for test in result.tests] == [
        ("t1.test_greeting", "passed", "The app greets.")
    ]


def test_a_failure_says_what_was_sent_what_came_back_and_what_was_expected(check):
    """The record of a failed test holds the exchange and the differing JSON path."""
    (test,) = check(greeter({"greeting": "hello", "to": ["me"]}), GREETING).tests
    assert test.outcome == "failed"
    assert test.message == 'The body\'s to[0] is "me". Expected: "you".'
    assert test.sent_and_got[-1].request == "GET /hello"
    assert '{"greeting": "hello", "to": ["me"]}' in test.sent_and_got[-1].response
    assert (test.difference.got, test.difference.expected) == ('"me"', '"you"')


def test_what_was_said_again_and_again_is_shown_once(check):
    """Ten pings do not hide the request before them."""
    body = '''
    async def test_pings(client):
        """It answers."""
        await client.get("/hello?first")
        for _ in range(10):
            reply = await client.get("/hello")
        assert reply.status_code == 201
    '''
    (test,) = check(greeter(), body).tests
    assert [one.request for one in test.sent_and_got] == ["GET /hello?first", "GET /hello"]


def test_a_status_that_differs_is_named(check):
    """A wrong status is called a status."""
    app = FastAPI()
    app.get("/hello", status_code=202)(lambda: "hello")
    (test,) = check(app, GREETING).tests
    assert test.message == "The status is 202. Expected: 200."


@pytest.mark.parametrize(("method", "status"), [("get", 404), ("post", 405)])
@pytest.mark.parametrize("fixture", ["client", "stream"])
def test_a_missing_route_is_told_from_an_answer_of_the_app(check, method, status, fixture):
    """FastAPI's own refusal is explained, also of a stream; one in other words is not."""
    asked = {
        "client": 'reply = await client.get("/hello")\n    assert reply.status_code == 200',
        "stream": 'async with stream("GET", "/hello") as reply:\n'
        "        assert reply.status_code == 200",
    }
    body = f'async def test_it({fixture}):\n    """It answers."""\n    {asked[fixture]}\n'
    app = FastAPI()
    if method == "post":
        app.post("/hello")(lambda: "hello")
    (test,) = check(app, body).tests
    why = {
        404: "Your app has no route for `GET /hello`: it has no routes at all.",
        405: "Your app has no route for `GET /hello`. For this path it has only: `POST`.",
    }
    assert test.message.startswith(f"The status is {status}. Expected: 200. {why[status]}")
    own = {"client": "Not Here!", "stream": "Not here either"}[fixture]
    app.get("/hello")(lambda: JSONResponse({"detail": own}, status))
    (test,) = check(app, body).tests
    assert test.message == f"The status is {status}. Expected: 200."


def test_the_nearest_route_is_named(check):
    """Where no route fits, the one that comes nearest is shown, and all that there are."""
    app = FastAPI()
    app.get("/helo")(lambda: "hello")
    app.post("/other/{number}")(lambda: "hello")
    (test,) = check(app, GREETING).tests
    assert test.message == (
        "The status is 404. Expected: 200. Your app has no route for `GET /hello`. "
        "The nearest one is `GET /helo`. Its routes: `GET /helo`, `POST /other/{number}`."
    )
    app.get("/hello")(lambda: JSONResponse({"detail": "Not Found"}, 404))
    (test,) = check(app, GREETING).tests
    assert test.message.endswith(
        "Your app has a route for `GET /hello`, and this route answered so."
    )


def test_a_checks_own_words_add_what_is_known(check):
    """Beside its own sentence a check says what was answered, and by whom."""
    body = GREETING.replace("== 200", "== 200, 'The app should greet'")
    (test,) = check(FastAPI(), body.replace("greet", "greet")).tests
    assert test.message.startswith(
        "The app should greet. GET /hello answered 404. Your app has no route for `GET /hello`: "
    )


def test_the_request_that_failed_is_the_main_one(check):
    """A ping that was sent while a request waited does not take its place."""
    app = greeter()

    @app.post("/book")
    async def book():
        await asyncio.sleep(0.05)
        return {}["place"]

    body = '''
    import asyncio
    async def test_booking(client):
        """A booking answers 201."""
        booking = asyncio.create_task(client.post("/book"))
        await asyncio.sleep(0.01)
        await client.get("/hello")
        assert (await booking).status_code == 201
    '''
    (test,) = check(app, body).tests
    assert test.sent_and_got[-1].request.startswith("POST /book")
    assert test.message == "Your app raised `KeyError: 'place'`. The status is 500. Expected: 201."


def test_spaces_that_matter_are_visible(check):
    """Where only spaces differ they are signs; at an end they are signs wherever they come."""
    app = greeter({"greeting": "hello ", "to": ["you"]})
    (test,) = check(app, GREETING).tests
    assert test.message == 'The body\'s greeting is "hello·". Expected: "hello".'
    assert '"hello·"' in test.sent_and_got[-1].response
    lines = FastAPI()
    lines.get("/hello")(lambda: PlainTextResponse("one\n\n two\t"))
    text = GREETING.replace("reply.json()", "reply.text")
    assert "one\n↵\n·two→|" in check(lines, text).tests[0].sent_and_got[-1].response


def test_the_names_of_a_test_are_not_shown(check):
    """What a test worked out is shown as a value, without the test's own names."""
    body = (
        GREETING.replace("reply.json() ==", "words_of(reply) ==")
        + """
def words_of(reply):
    return "words"
"""
    )
    (test,) = check(greeter(), body).tests
    assert test.message.startswith('Got "words". Expected: {')
    assert "words_of" not in test.model_dump_json()


def test_a_missing_return_and_a_missing_await_are_named(check):
    """`None` and a coroutine are causes; the symptom stands behind them."""
    app = FastAPI()

    @app.get("/hello")
    async def hello():
        answer = {"greeting": "hello"}
        answer["to"] = ["you"]

    (test,) = check(app, GREETING).tests
    assert test.message.startswith(
        "The route of `GET /hello` answered `null`: does its function lack a `return`?"
    )

    other = FastAPI()

    async def ask():
        """Say nothing."""

    @other.get("/hello")
    def forgot():
        return ask()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # Python's own: never awaited
        (test,) = check(other, GREETING).tests
        gc.collect()
    assert "an `await` is missing" in test.message


def test_a_header_that_differs_is_named(check):
    """A wrong header is called by its name."""
    body = '''
    async def test_place(client):
        """It says where."""
        reply = await client.get("/hello")
        assert reply.headers.get("location") == "/x"
    '''
    (test,) = check(greeter(), body).tests
    assert test.message == 'The header location is missing. Expected: "/x".'


def test_without_an_app_every_test_fails_with_one_reason(check):
    """A missing app is one sentence, not a traceback."""
    result = check(None, GREETING)
    assert result.points == 0
    assert "There is no `app` in this notebook yet" in result.problem
    assert result.tests[0].message == result.problem


def test_an_app_that_fails_to_start_is_explained(check):
    """A start-up error reaches the student with its own words."""

    @contextlib.asynccontextmanager
    async def lifespan(_):
        raise RuntimeError("no model on this machine")
        yield

    result = check(FastAPI(lifespan=lifespan), GREETING)
    assert "no model on this machine" in result.problem


def test_something_else_named_app_is_explained(check):
    """A name that was used for something else is recognised."""
    assert "it is a dict" in check({"a": 1}, GREETING).problem


def test_the_apps_own_error_is_shown(check):
    """A 500 comes with what the app raised."""
    app = FastAPI()

    @app.get("/hello")
    def hello():
        return {}["greeting"]

    (test,) = check(app, GREETING).tests
    assert "KeyError: 'greeting'" in test.raised


def test_an_app_that_never_answers_ends_at_the_deadline(check):
    """A hanging handler costs its test and no more than the deadline."""
    app = greeter()

    @app.get("/never")
    async def never(request: Request):
        while not await request.is_disconnected():
            await request.receive()

    body = '''
    async def test_never(client):
        """It answers."""
        await client.get("/never")
    ''' + GREETING.replace("\n", "\n    ")
    patience = Deadlines(wait=0.5, again=20, cell=60)
    never_answered, greeted = check(app, body, deadlines=patience).tests
    assert never_answered.message == "Your app had not answered GET /never after 0.5 seconds."
    assert greeted.outcome == "passed"


def test_tests_not_begun_when_the_cells_time_is_over_are_lost(check):
    """A cell ends, whatever the submission does."""
    result = check(greeter(), GREETING, deadlines=Deadlines(wait=0.5, again=0.5, cell=0.0))
    assert [test.outcome for test in result.tests] == ["blocked"]
    assert result.points == 0


def test_a_failed_probe_blocks_the_other_tests(check):
    """An empty app earns nothing, although it answers 404 to everything."""
    body = '''
    from autograder.checks import probe

    async def test_unknown_is_not_found(client):
        """What is not there is not found."""
        assert (await client.get("/nothing")).status_code == 404

    @probe
    async def test_begun(client):
        """The app greets."""
        assert (await client.get("/hello")).status_code == 200
    '''
    empty, full = check(FastAPI(), body), check(greeter(), body)
    assert {test.id: test.outcome for test in empty.tests} == {
        "t1.test_begun": "failed",
        "t1.test_unknown_is_not_found": "blocked",
    }
    assert empty.points == 0
    assert full.points == 3


def test_a_blocked_job_runs_no_test(check):
    """A task that builds on an unfinished one says so."""
    (test,) = check(greeter(), GREETING, blocked="Finish task t0 first.").tests
    assert (test.outcome, test.message) == ("blocked", "Finish task t0 first.")


def test_each_failure_of_a_test_opens_its_own_next_hint(check):
    """Hints are counted for each test, and those opened before stay."""
    body = '''
    from autograder.checks import hint

    @hint("first", "second")
    async def test_hinted(client):
        """It works."""
        assert (await client.get("/nothing")).status_code == 200
    '''
    counts = [{}, {"t1.test_hinted": 1}, {"t1.test_hinted": 7}, {"t1.test_other": 1}]
    shown = [check(greeter(), body, failed_before=each).tests[0].hints for each in counts]
    assert shown == [("first",), ("first", "second"), ("first", "second"), ("first",)]


HIDDEN = '''
import pytest

SECRET = "s3cr3t-expected"

def test_seen():
    """It is there."""

### BEGIN HIDDEN TESTS
@pytest.mark.parametrize("case", ["s3cr3t-a", "s3cr3t-b"])
async def test_unseen(client, case):
    """It greets whoever asks."""
    reply = await client.get(f"/hello?who={case}")
    assert reply.json() == SECRET, f"should be {SECRET}"
### END HIDDEN TESTS
'''


def test_a_hidden_test_shows_only_meaning_outcome_points_and_hint(check):
    """Nothing of a hidden test's inputs, parameters or expectations is in the record."""
    result = check(greeter(), HIDDEN)
    assert "s3cr3t" not in result.model_dump_json()
    assert [test.id for test in result.tests if test.hidden] == [
        "t1.test_unseen",
        "t1.test_unseen#2",
    ]


def test_what_the_app_prints_is_kept_only_for_visible_tests(check):
    """An app cannot smuggle a hidden test's requests out through its prints."""
    app = FastAPI()
    printed = []

    @app.get("/hello")
    def hello(who: str = ""):
        printed.append(f"asked for {who}\n")

    def take():
        text = "".join(printed)
        printed.clear()
        return text

    body = GREETING + HIDDEN
    result = check(app, body, take_printed=take)
    assert result.printed == "asked for \n"


def test_a_visible_case_of_a_parametrized_test_names_its_parameters(check):
    """Cases of one test can be told apart."""
    body = '''
    import pytest

    @pytest.mark.parametrize("path", ["/hello", "/x"])
    async def test_there(client, path):
        """It is there."""
        assert (await client.get(path)).status_code == 200
    '''
    assert [test.meaning for test in check(greeter(), body).tests] == [
        "It is there. Here: `path = '/hello'`",
        "It is there. Here: `path = '/x'`",
    ]


@pytest.mark.parametrize(
    ("answer", "expression", "sentence"),
    [
        ("not json", "reply.json()", "The answer's body is not JSON."),
        ("{}", 'reply.json()["id"]', "The answer has no 'id'."),
        ("[]", "reply.json()[0]", "The answer has fewer items than expected."),
        ("null", 'reply.json()["id"]', "The route of `GET /hello` answered `null`"),
        ("[" * 100_000, "reply.json()", "The answer"),
    ],
)
def test_an_answer_of_another_shape_is_explained(check, answer, expression, sentence):
    """A test that stumbles over the answer's shape fails with a sentence."""
    app = FastAPI()

    @app.get("/hello")
    def hello():
        return PlainTextResponse(answer)

    body = f'''
    async def test_shape(client):
        """It has a shape."""
        reply = await client.get("/hello")
        assert {expression} == 1
    '''
    (test,) = check(app, body).tests
    assert test.outcome == "failed"
    assert test.message.startswith(sentence)


def test_hostile_answers_are_cut_and_made_readable(check):
    """Huge bodies, control characters, invalid UTF-8 and NaN do no harm."""
    app = FastAPI()
    bodies = [b"x" * 3_000_000, b"\x1b[31m\x00\x07", b"\xff\xfe\xfd", b'{"a": NaN}']

    @app.get("/{number}")
    def hello(number: int):
        return Response(bodies[number], headers={"x-long": "y" * 5000})

    body = '''
    import pytest

    @pytest.mark.parametrize("number", range(4))
    async def test_hostile(client, number):
        """It is harmless."""
        reply = await client.get(f"/{number}")
        assert reply.content == b"fine"
    '''
    result = check(app, body)
    assert len(result.model_dump_json()) < 20_000
    assert "\x1b" not in str(result.tests[1].sent_and_got[0].response)
    assert "3,000,000 bytes in all" in result.tests[0].sent_and_got[0].response


def test_an_endless_body_is_not_read_to_its_end(check):
    """Reading stops at a bound instead of filling the memory."""
    app = FastAPI()

    @app.get("/hello")
    def hello():
        def forever():
            while True:
                yield b"x" * 1_000_000

        return StreamingResponse(forever())

    (test,) = check(app, GREETING, deadlines=Deadlines(wait=30, again=30, cell=60)).tests
    assert test.message == "The answer's body is longer than 4 MB: reading stopped."


def test_the_same_seed_draws_the_same_values(check):
    """A verdict can be replayed; another run draws other values."""
    app = FastAPI()
    seen = []

    @app.get("/{name}")
    def note(name: str):
        seen.append(name)

    body = '''
    async def test_drawn(client, fresh):
        """It takes any name."""
        await client.get("/" + fresh("Scout"))
    '''
    results = [check(app, body, seed=seed) for seed in (1, 1, 2)]
    assert seen[0] == seen[1] != seen[2]
    assert [result.seed for result in results] == [1, 1, 2]


def test_collected_once_run_many_times():
    """One pytest session serves several submissions, each with its own verdict."""
    cell = CheckCell(lab="lab99", task="t1", points=1, body=GREETING)
    apps = [greeter(), FastAPI(), greeter({"greeting": "no"}), greeter()]
    jobs = [Job(cell, KernelSubject({"app": app}, "app")) for app in apps]
    run_in_thread([cell], jobs)
    assert [job.result.points for job in jobs] == [1, 0, 0, 1]


REMEMBERS = '''
seen, names, count = {}, ["first"], 0


async def test_nothing_is_left_of_another(client):
    """What an earlier submission left in the check's own variables is gone."""
    global count
    assert (seen, names, count) == ({}, ["first"], 0)
    count += 1
    names.append("more")
    seen["greeting"] = (await client.get("/hello")).json()
'''


def test_no_submission_meets_what_another_left_in_the_checks_variables():
    """A check's variables are as new for each submission that one pytest session serves."""
    cell = CheckCell(lab="lab99", task="t1", points=1, body=REMEMBERS)
    jobs = [Job(cell, KernelSubject({"app": greeter()}, "app")) for _ in range(3)]
    run_in_thread([cell], jobs)
    assert [job.result.points for job in jobs] == [1, 1, 1]


def test_a_faulty_check_is_not_the_submissions_fault():
    """A check that cannot be collected is reported as such."""
    cell = CheckCell(lab="lab99", task="t1", points=1, body="import nothing_of_this_name")
    with pytest.raises(BrokenCheck, match="nothing_of_this_name"):
        run_in_thread([cell], [Job(cell, KernelSubject({}, "app"))])


def test_the_users_own_pytest_settings_do_not_reach_a_check(check, monkeypatch, tmp_path):
    """Options in the environment and a conftest beside the notebook change nothing."""
    (tmp_path / "conftest.py").write_text("raise RuntimeError('conftest was read')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing")
    assert check(greeter(), GREETING).points == 3
    assert os.environ["PYTEST_ADDOPTS"] == "-k nothing"


def test_a_fault_of_the_grader_is_never_the_submissions():
    """What goes wrong while the app is opened on the grader's side is raised, not marked."""

    class Unreachable(KernelSubject):
        """A subject whose socket the grader cannot make."""

        def open(self, environment=None):  # noqa: ARG002 - the face of a subject
            raise OSError("AF_UNIX path too long")

    cell = CheckCell(lab="lab99", task="t1", points=1, body=GREETING)
    with pytest.raises(OSError, match="AF_UNIX"):
        run_in_thread([cell], [Job(cell, Unreachable({}, "app"))])


PACKED = '''
async def test_it_is_read(client):
    """A packed body is read."""
    reply = await client.get("/")
    assert reply.text == "aaaa"
'''


def packed(encoding, body):
    """Return an app whose answer claims an encoding."""
    app = FastAPI()

    @app.get("/")
    def get():
        return Response(body, headers={"content-encoding": encoding})

    return app


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"aaaa")),
        ("deflate", zlib.compress(b"aaaa")),
        ("deflate", zlib.compress(b"aaaa")[2:-4]),
    ],
    ids=["gzip", "zlib", "raw deflate"],
)
def test_packed_bodies_are_read(check, encoding, body):
    """Gzip and both kinds of deflate."""
    assert check(packed(encoding, body), PACKED).points == 3


@pytest.mark.parametrize(
    ("encoding", "body", "sentence"),
    [
        ("gzip", gzip.compress(bytes(2**27)), "longer than 4 MB"),
        ("deflate", zlib.compress(bytes(2**27))[2:-4], "longer than 4 MB"),
        ("gzip", b"no gzip", "cannot be unpacked"),
        ("br", b"anything", "accepts gzip and deflate"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"aaaa")), "accepts gzip and deflate"),
    ],
    ids=["gzip bomb", "deflate bomb", "not gzip", "brotli", "packed twice"],
)
def test_a_body_that_unpacks_to_too_much_is_refused(check, encoding, body, sentence):
    """A hundred kilobytes must not become a gigabyte in the grader."""
    (test,) = check(packed(encoding, body), PACKED).tests
    assert sentence in test.message


WAITING = '''
async def test_{number}(client):
    """It answers."""
    assert (await client.get("/")).status_code == 200
'''


ENDLESS = '''
async def test_all_of_it(client):
    """All of it comes."""
    async with client.stream("GET", "/") as reply:
        await reply.aread()
'''


def test_a_test_that_reads_without_end_is_ended(check):
    """An answer that goes on and on costs its test, within the time of the cell."""
    app = FastAPI()

    @app.get("/")
    async def for_ever():
        async def drops():
            while True:
                yield b"."
                await asyncio.Event().wait()

        return StreamingResponse(drops())

    patience = Deadlines(wait=0.2, again=0.1, cell=0.4)
    (test,) = check(app, ENDLESS, deadlines=patience).tests
    assert test.outcome == "failed"
    assert test.message.startswith("This test had not come to its end after 0.")


def test_later_waits_of_a_cell_are_given_up_sooner(check):
    """The first wait in vain is a long one, the others are short, and each says how long."""
    app = FastAPI()

    @app.get("/")
    async def never():
        await asyncio.Event().wait()

    body = "".join(WAITING.format(number=number) for number in range(3))
    patience = Deadlines(wait=0.4, again=0.1, cell=5)
    told = [test.message for test in check(app, body, deadlines=patience).tests]
    assert [message.split(" after ")[1] for message in told] == [
        *("0.4 seconds.", "0.1 seconds.", "0.1 seconds."),
    ]
