"""Running a notebook's cells again, in a real IPython shell of this process."""

import json
import random
import sys
import types

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from classroom import load_ipython_extension
from classroom.rerun import install
from classroom.server import stop_all


class Notebook:
    """Cells with ids, run one by one."""

    def __init__(self, shell):
        self.shell = shell
        self.run("from fastapi import *; from fastapi.testclient import TestClient", "imports")
        self.run("app = FastAPI()", "app")

    def run(self, code, cell_id=None, *, raises=None):
        result = self.shell.run_cell(code, cell_id=cell_id, store_history=True)
        if raises is None:
            result.raise_error()
        else:
            assert type(result.error_before_exec or result.error_in_exec).__name__ == raises

    def __getitem__(self, name):
        return self.shell.user_ns[name]

    def get(self, path):
        client = TestClient(self["app"], raise_server_exceptions=False)
        return client.get(path)

    @property
    def paths(self):
        return list(self["app"].openapi()["paths"])


@pytest.fixture
def shell():
    main = sys.modules["__main__"]
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    yield shell
    stop_all()
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = main


@pytest.fixture
def notebook(shell):
    load_ipython_extension(shell)
    install(shell)  # twice is harmless
    return Notebook(shell)


def route(path, answer, name="handler"):
    return f"@app.get('{path}')\ndef {name}():\n    return {answer!r}\n"


def test_without_the_hook_the_old_route_answers(shell):
    """The trap itself: plain FastAPI answers with the first of two equal routes."""
    notebook = Notebook(shell)
    notebook.run(route("/x", "old"), "x")
    notebook.run(route("/x", "new"), "x")
    assert notebook.get("/x").json() == "old"


def test_load_ext_installs_the_hook(shell):
    """`%load_ext classroom` is the same as installing."""
    notebook = Notebook(shell)
    notebook.run("%load_ext classroom")
    notebook.run(route("/x", "old"), "x")
    notebook.run(route("/x", "new"), "x")
    assert notebook.get("/x").json() == "new"


def test_an_edited_route_answers_and_is_documented_anew(notebook):
    """After an edit and a further run the new code answers, and stands once in the schema."""
    notebook.run(route("/x", "old"), "x")
    assert notebook.paths == ["/x"]
    notebook.run("@app.get('/x', summary='New')\ndef x():\n    return 'new'", "x")
    assert notebook.get("/x").json() == "new"
    assert notebook["app"].openapi()["paths"]["/x"]["get"]["summary"] == "New"
    notebook.run(route("/y", "moved"), "x")
    assert notebook.get("/x").status_code == 404
    assert notebook.paths == ["/y"]
    notebook.run("pass", "x")
    assert notebook.paths == []


def test_a_route_keeps_its_place_also_while_its_cell_runs(notebook):
    """A route before a catch-all one stays before it, already for requests of its own cell."""
    notebook.run(route("/agents/me", "me"), "me")
    notebook.run("@app.get('/agents/{id}')\ndef one(id: int): return id", "one")
    notebook.run(
        route("/agents/me", "still me")
        + "answer = TestClient(app).get('/agents/me').json()\n"
        + route("/agents/you", "you"),
        "me",
    )
    assert notebook["answer"] == "still me"
    assert notebook.get("/agents/you").json() == "you"
    assert notebook.paths == ["/agents/me", "/agents/you", "/agents/{id}"]


def test_two_cells_with_one_path_stay_two(notebook):
    """Of two cells that register the same path the first wins, as in FastAPI."""
    notebook.run(route("/x", "first"), "a")
    notebook.run(route("/x", "second", "other"), "b")
    notebook.run(route("/x", "second again", "other"), "b")
    assert notebook.get("/x").json() == "first"
    notebook.run("pass", "a")
    assert notebook.get("/x").json() == "second again"


def test_a_syntax_error_changes_nothing(notebook):
    """A cell that could not run keeps what its last run registered."""
    notebook.run(route("/x", "old"), "x")
    notebook.run("@app.get('/x'", "x", raises="SyntaxError")
    assert notebook.get("/x").json() == "old"
    notebook.run(route("/x", "new"), "x")
    assert notebook.get("/x").json() == "new"


def test_a_run_that_raised_keeps_what_it_registered(notebook):
    """What stood before the line that raised counts; the rest of the earlier run is gone."""
    notebook.run(route("/x", 1) + route("/y", 1, "y"), "x")
    notebook.run(route("/x", 2) + "1 / 0\n" + route("/y", 2, "y"), "x", raises="ZeroDivisionError")
    assert notebook.get("/x").json() == 2
    assert notebook.get("/y").status_code == 404
    notebook.run(route("/x", 3) + route("/y", 3, "y"), "x")
    assert [notebook.get("/x").json(), notebook.get("/y").json()] == [3, 3]


def middleware(letter):
    return (
        "@app.middleware('http')\n"
        f"async def add_{letter}(request, call_next):\n"
        "    reply = await call_next(request)\n"
        f"    reply.headers['trace'] = reply.headers.get('trace', '') + '{letter}'\n"
        "    return reply\n"
    )


def test_middleware_is_neither_doubled_nor_refused(notebook):
    """A cell with middleware may run again after requests; order and number stay."""
    notebook.run(route("/x", 1), "x")
    notebook.run(middleware("a"), "a")
    notebook.run(middleware("b"), "b")
    assert notebook.get("/x").headers["trace"] == "ab"
    notebook.run(middleware("A"), "a")
    assert notebook.get("/x").headers["trace"] == "Ab"
    notebook.run(middleware("c") + middleware("d"), "a")
    assert notebook.get("/x").headers["trace"] == "cdb"
    notebook.run(route("/x", 2) + middleware("x"), "x")  # its place was before the first request
    assert notebook.get("/x").headers["trace"] == "cdbx"
    notebook.run("pass", "b")
    assert notebook.get("/x").headers["trace"] == "cdx"


def test_a_new_cell_may_add_middleware_to_an_app_that_was_asked(notebook):
    """A notebook asks its app between two cells, so an app never counts as started."""
    notebook.run(route("/x", 1), "x")
    notebook.get("/x")
    notebook.run(middleware("a"), "late")
    assert notebook.get("/x").headers["trace"] == "a"


def test_a_new_cell_may_add_an_exception_handler_to_an_app_that_was_asked(notebook):
    """FastAPI alone would ignore the handler without a word."""
    notebook.run(route("/x", 1), "x")
    notebook.get("/x")
    notebook.run(
        "from fastapi.responses import JSONResponse\n"
        "@app.exception_handler(KeyError)\n"
        "def missing(request, error):\n"
        "    return JSONResponse({'missing': True}, status_code=409)\n"
        "@app.get('/y')\n"
        "def y():\n"
        "    raise KeyError('y')\n",
        "late",
    )
    assert notebook.get("/y").status_code == 409


def test_untouched_middleware_keeps_its_state(notebook):
    """Running a cell with routes again does not build other cells' middleware anew."""
    notebook.run(
        "class Counter:\n"
        "    def __init__(self, app):\n"
        "        self.app, self.count = app, 0\n"
        "    async def __call__(self, scope, receive, send):\n"
        "        self.count += 1\n"
        "        scope['count'] = self.count\n"
        "        await self.app(scope, receive, send)\n"
        "app.add_middleware(Counter)",
        "counter",
    )
    code = "@app.get('/count')\ndef count(request: Request): return request.scope['count']"
    notebook.run(code, "count")
    assert notebook.get("/count").json() == 1
    notebook.run(code, "count")
    assert notebook.get("/count").json() == 2


def test_exception_handlers_follow_their_cells(notebook):
    """A handler is replaced by its cell's next run; taken away, the one before counts again."""

    def handler(answer):
        return (
            "@app.exception_handler(LookupError)\n"
            "def on_lookup(request, error):\n"
            f"    return responses.JSONResponse({answer!r})\n"
        )

    notebook.run("from fastapi import responses", "import")
    notebook.run("@app.get('/x')\ndef x(): raise LookupError", "x")
    notebook.run(handler("first"), "a")
    notebook.run(handler("second"), "b")
    assert notebook.get("/x").json() == "second"
    notebook.run(handler("edited"), "b")
    assert notebook.get("/x").json() == "edited"
    notebook.run(handler("first edited"), "a")
    assert notebook.get("/x").json() == "edited"
    notebook.run("pass", "b")
    assert notebook.get("/x").json() == "first edited"
    notebook.run("pass", "a")
    assert notebook.get("/x").status_code == 500


def test_routers_may_be_edited_and_included_again(notebook):
    """A router's own route is replaced, and including it again does not double it."""
    notebook.run("router = APIRouter(prefix='/v1')", "router")
    notebook.run("inner = APIRouter()", "inner")
    notebook.run("@inner.get('/x')\ndef x(): return 'old'", "x")
    notebook.run("router.include_router(inner)", "nest")
    notebook.run("app.include_router(router)", "include")
    assert notebook.get("/v1/x").json() == "old"
    assert notebook.paths == ["/v1/x"]
    notebook.run("@inner.get('/x')\ndef x(): return 'new'", "x")
    assert notebook.get("/v1/x").json() == "new"
    notebook.run("app.include_router(router, prefix='/api')", "include")
    assert notebook.get("/v1/x").status_code == 404
    assert notebook.get("/api/v1/x").json() == "new"
    notebook.run("router.include_router(inner, prefix='/deep')", "nest")
    assert notebook.get("/api/v1/deep/x").json() == "new"
    assert notebook.paths == ["/api/v1/deep/x"]
    notebook.run("inner = APIRouter()", "inner")
    notebook.run("@inner.get('/z')\ndef z(): return 'z'", "x")
    notebook.run("router.include_router(inner)", "nest")
    assert notebook.paths == ["/api/v1/z"]
    assert notebook.get("/api/v1/z").json() == "z"


def test_an_included_routers_lifespan_runs_once(notebook):
    """Including a router again does not merge its lifespan twice."""
    notebook.run(
        "log = []\n"
        "async def lifespan(app):\n"
        "    log.append('up')\n"
        "    yield\n"
        "    log.append('down')\n"
        "router = APIRouter(lifespan=lifespan)",
        "router",
    )
    for _ in range(3):
        notebook.run("app.include_router(router)", "include")
    with TestClient(notebook["app"]):
        assert notebook["log"] == ["up"]
    assert notebook["log"] == ["up", "down"]
    notebook.run("pass", "include")
    with TestClient(notebook["app"]):
        assert notebook["log"] == ["up", "down"]


def test_other_registrations_are_replaced_too(notebook, tmp_path):
    """Mounts, WebSocket routes, front ends and start-up handlers are not doubled."""
    (tmp_path / "index.html").write_text("hello")
    cells = {
        "mount": "inner = FastAPI()\napp.mount('/inner', inner)",
        "socket": "@app.websocket('/ws')\nasync def ws(websocket): ...",
        "front": f"app.frontend('/', directory={str(tmp_path)!r})",
        "start": "log = []\napp.router.on_startup.append(lambda: log.append('up'))",
    }
    app, counts = notebook["app"], []
    for _ in range(3):
        for cell_id, code in cells.items():
            notebook.run(code, cell_id)
        front = app.router._frontend_routes
        counts.append((len(app.routes), len(front.routes), len(app.router.on_startup)))
    assert counts[0] == counts[1] == counts[2]
    with TestClient(app):
        assert notebook["log"] == ["up"]
    assert notebook.get("/").text == "hello"


def test_a_list_that_was_assigned_is_followed_on(notebook):
    """The usual trick to drop a route, a new list of routes, does not undo the bookkeeping."""
    notebook.run(route("/x", 1), "x")
    notebook.run(route("/y", 1), "y")
    notebook.run("app.router.routes = [r for r in app.routes if r.path != '/x']", "drop")
    notebook.run(route("/y", 2), "y")
    assert notebook.get("/x").status_code == 404
    assert notebook.get("/y").json() == 2
    assert notebook.paths == ["/y"]


def test_a_schema_of_ones_own_is_made_anew(notebook):
    """A schema function that keeps its first result does not keep an old route."""
    notebook.run(
        "from fastapi.openapi.utils import get_openapi\n"
        "def own():\n"
        "    if not app.openapi_schema:\n"
        "        app.openapi_schema = get_openapi(title='Own', version='1', routes=app.routes)\n"
        "    return app.openapi_schema\n"
        "app.openapi = own",
        "own",
    )
    notebook.run(route("/x", 1), "x")
    assert notebook.paths == ["/x"]
    notebook.run(route("/y", 1), "x")
    assert notebook.paths == ["/y"]


def test_an_app_that_is_made_anew_is_empty(notebook):
    """Running the cell that makes the app gives a new, empty app, as in plain Python."""
    notebook.run(route("/x", 1), "x")
    notebook.run("app = FastAPI()", "app")
    assert notebook.paths == []
    notebook.run(route("/x", 2), "x")
    assert notebook.get("/x").json() == 2


def test_an_imported_app_keeps_what_it_brings(notebook, monkeypatch):
    """Routes of an imported app belong to no cell; those that the notebook adds do."""
    module = types.ModuleType("desk")
    exec(  # noqa: S102 - an app of a module needs functions of that module
        "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/own')\ndef own(): return 'own'",
        vars(module),
    )
    monkeypatch.setitem(sys.modules, "desk", module)
    for answer in (1, 2):
        notebook.run("from desk import app\n" + route("/x", answer), "both")
        assert notebook.get("/x").json() == answer
        assert notebook.get("/own").json() == "own"
    assert notebook.paths == ["/own", "/x"]


def test_without_cell_ids_the_same_registration_replaces(notebook):
    """At a prompt the same path and method replace the earlier one, in its place."""
    notebook.run(route("/agents/me", "old"))
    notebook.run("@app.get('/agents/{id}')\ndef one(id: int): return id")
    notebook.run("@app.post('/agents/me')\ndef post(): return 'posted'")
    notebook.run(middleware("a"))
    assert notebook.get("/agents/me").json() == "old"
    notebook.run(route("/agents/me", "new"))
    notebook.run(middleware("a"))
    reply = notebook.get("/agents/me")
    assert (reply.json(), reply.headers["trace"]) == ("new", "a")
    assert TestClient(notebook["app"]).post("/agents/me").json() == "posted"
    assert notebook.paths == ["/agents/me", "/agents/{id}"]


def test_without_cell_ids_routers_for_other_methods_stand_side_by_side(notebook):
    """A router that answers other methods at the same path takes no other one's place."""
    for method in ("post", "get"):
        notebook.run(
            "router = APIRouter(prefix='/agents')\n"
            f"@router.{method}('')\ndef answer(): return {method!r}\n"
            "app.include_router(router)"
        )
    assert TestClient(notebook["app"]).post("/agents").json() == "post"


def test_without_cell_ids_a_router_made_anew_replaces_the_old_one(notebook):
    """One that is included from the prompt again is recognised by its prefix and routes."""
    for word in ("old", "new"):
        notebook.run(
            "router = APIRouter(prefix='/staff')\n"
            f"@router.get('/')\ndef get(): return {word!r}\n"
            "app.include_router(router)"
        )
    assert notebook.get("/staff/").json() == "new"


def test_two_routes_of_one_input_stay_two(notebook):
    """At a prompt, one input that registers a path twice behaves as plain FastAPI does."""
    notebook.run(route("/x", "first") + route("/x", "second", "other"))
    assert notebook.get("/x").json() == "first"


def test_code_run_by_a_cell_belongs_to_the_cell(notebook):
    """What a cell runs by `run_cell` is taken away with the cell's own registrations."""
    code = "get_ipython().run_cell({!r})\n".format(route("/inner", 1)) + route("/outer", 1, "o")
    notebook.run(code, "outer")
    assert notebook.paths == ["/inner", "/outer"]
    notebook.run(route("/outer", 2, "o"), "outer")
    assert notebook.paths == ["/outer"]


def test_a_cells_servers_end_when_it_runs_again(notebook):
    """A further run stops what the earlier one serves, also when it serves no more."""
    notebook.run(
        "from classroom import serve\n"
        "one = serve(FastAPI())\ntwo = serve(FastAPI())\nwith serve(FastAPI()) as three: pass",
        "serve",
    )
    one, two = notebook["one"], notebook["two"]
    assert one.running
    assert two.running
    notebook.run("pass", "other")
    assert one.running
    notebook.run("pass", "serve")
    assert not one.running
    assert not two.running


PATHS = ["/a", "/b", "/{c}", "/d/{e}", "/d/f"]


def random_body(rng, tag):
    """Return a cell's registrations as (kind, argument) pairs."""
    kinds = rng.choices(["route", "middleware", "handler"], weights=[6, 1, 1], k=rng.randint(0, 3))
    values = {"route": PATHS, "middleware": "mno", "handler": [404, 405]}
    return [(kind, rng.choice(values[kind]), tag) for kind in kinds]


def as_code(body):
    code = {
        "route": lambda path, tag: f"@app.get('{path}')\ndef r(c='', e=''): return {tag!r}\n",
        "middleware": lambda letter, _: middleware(letter),
        "handler": lambda status, tag: (
            f"@app.exception_handler({status})\n"
            f"def h(request, error): return responses.JSONResponse({tag!r}, {status})\n"
        ),
    }
    return "".join(code[kind](value, tag) for kind, value, tag in body) or "pass"


def behaviour(app):
    client = TestClient(app)
    asked = [(method, path) for path in [*PATHS, "/no/no/no"] for method in ("GET", "PUT")]
    replies = [client.request(method, path) for method, path in asked]
    answers = [(r.status_code, r.json(), r.headers.get("trace")) for r in replies]
    return answers, json.dumps(app.openapi())


@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")
@pytest.mark.parametrize("seed", range(10))
def test_any_sequence_of_edits_behaves_as_one_clean_run(notebook, seed):
    """After random edits and runs the app equals one made by running each cell's last state once.

    The clean app is made kind by kind, as each kind has its own order of cells.
    """
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    notebook.run("from fastapi import responses", "import")
    last, order = {}, {"route": [], "middleware": [], "handler": []}
    for step in range(14):
        cell = f"cell{step}" if step < 4 else f"cell{rng.randrange(4)}"
        # Every cell gets its place on the app before the first request.
        first = [("route", f"/own/{cell}", "own")] if step < 4 else []
        body = first + random_body(rng, f"{cell} at {step}")
        notebook.run(as_code(body), cell)
        last[cell] = body
        for kind, known in order.items():
            if cell not in known and any(item[0] == kind for item in body):
                known.append(cell)
        if step < 3:
            continue
        clean = {"app": FastAPI(), "__name__": "__main__"}
        exec("from fastapi import responses", clean)  # noqa: S102 - the notebook's own code
        for kind, known in order.items():
            for one in known:
                exec(as_code([item for item in last[one] if item[0] == kind]), clean)  # noqa: S102
        assert behaviour(notebook["app"]) == behaviour(clean["app"])
