"""The drawing of what a route depends on."""

from functools import partial
from typing import Annotated
from xml.etree import ElementTree as ET

import pytest
from fastapi import APIRouter, Body, Cookie, Depends, FastAPI, Header, Path, Security, WebSocket
from fastapi.security import SecurityScopes

from classroom.dependency_tree import dependency_tree


def settings() -> str:
    """Return the settings."""
    return "s"


async def session(config: str = Depends(settings)):
    """Open and close a session."""
    yield config


def log(config: str = Depends(settings)):
    """Open and close a log."""
    yield config


def number() -> int:
    """Return a number."""
    return 1


class Page:
    """A page of a list."""

    def __init__(self, limit: int = 10) -> None:
        self.limit = limit


def user(
    agent: Annotated[str, Path()],
    key: Annotated[str, Header()],
    flavour: Annotated[str, Cookie()],
    opened: str = Depends(session),
    q: int = 1,
) -> str:
    """Return the user."""
    return opened


def _app():
    app = FastAPI()
    router = APIRouter(prefix="/v1", dependencies=[Depends(log)])

    @app.post("/agents/{agent}")
    async def make(
        name: Annotated[str, Body()],
        by: Annotated[str, Depends(user)],
        opened: Annotated[str, Depends(session, scope="request")],
        logged: Annotated[str, Depends(log, scope="function")],
    ) -> None: ...

    @app.get("/numbers")
    def numbers(
        a: Annotated[int, Depends(number)],
        b: Annotated[int, Depends(number)],
        c: Annotated[int, Depends(number, use_cache=False)],
    ) -> None: ...

    @app.get("/pages")
    def pages(
        page: Annotated[Page, Depends()], n: Annotated[int, Depends(partial(number))]
    ) -> None: ...

    @router.get("/inside")
    def inside(config: Annotated[str, Depends(settings)]) -> None: ...

    @app.websocket("/ws")
    async def ws(socket: WebSocket, config: str = Depends(settings)) -> None: ...

    app.include_router(router)
    return app


def _drawn(tree):
    html = tree.picture().html
    return ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])  # noqa: S314 - our own


def test_what_is_needed_is_called_first():
    """Children come before parents, in the order of the parameters, the endpoint last."""
    tree = dependency_tree(_app(), "/agents/{agent}")
    assert tree.order == ("settings", "session", "user", "log", "make")
    assert tree.route == "POST /agents/{agent}"


def test_the_cache_is_shown():
    """The second use of a function comes from the cache; use_cache=False calls it again."""
    tree = dependency_tree(_app(), "/numbers")
    assert [(node.name, node.turn, node.use_cache) for node in tree.root.children] == [
        ("number", 1, True),
        ("number", None, True),
        ("number", 2, False),
    ]
    assert tree.order == ("number", "number", "numbers")


def test_functions_with_yield_have_their_scope():
    """A yield function is closed after the response, or before it with scope function."""
    root = dependency_tree(_app(), "/agents/{agent}").root
    by_name = {node.name: node for node in root.children}
    assert (by_name["session"].way, by_name["session"].scope) == ("async def with yield", "request")
    assert (by_name["log"].way, by_name["log"].scope) == ("def with yield", "function")
    assert (root.way, root.scope) == ("async def", None)


def test_it_says_what_each_function_reads():
    """Path, query, header, cookie and body parameters are named."""
    root = dependency_tree(_app(), "/agents/{agent}").root
    assert root.takes == ("body name",)
    assert root.children[0].takes == ("path agent", "query q", "header key", "cookie flavour")


def test_classes_and_partials_have_names():
    """A class as a dependency is called what it is called; a partial is named too."""
    tree = dependency_tree(_app(), "/pages")
    assert tree.order == ("Page", "partial", "pages")
    assert tree.root.children[0].takes == ("query limit",)


def test_a_routers_dependencies_belong_to_its_routes():
    """A route behind include_router has its prefix and the router's own dependencies."""
    tree = dependency_tree(_app(), "/v1/inside")
    assert tree.order == ("settings", "log", "inside")
    assert tree.root.children[1].turn is None


def test_websockets_have_trees():
    """A WebSocket route depends like any other."""
    assert dependency_tree(_app(), "/ws").route == "WS /ws"


def test_the_drawing_has_a_box_per_node_and_a_line_per_edge():
    """Each use of a function is a box; what comes from the cache has a dashed frame."""
    tree = dependency_tree(_app(), "/agents/{agent}")
    nodes = [node for _, node in tree.root.walk()]
    drawn = _drawn(tree)
    boxes = list(drawn.iter("rect"))
    assert len(boxes) == len(nodes)
    assert len(list(drawn.iter("path"))) == len(nodes) - 1
    dashed = sum(box.get("stroke-dasharray") is not None for box in boxes)
    assert dashed == sum(node.turn is None for node in nodes)
    words = [text.text for text in drawn.iter("text")]
    assert "5. make" in words
    assert words.count("from the cache") == dashed


def test_boxes_do_not_overlap():
    """No two boxes of a drawing share a place."""
    drawn = _drawn(dependency_tree(_app(), "/agents/{agent}"))
    places = [(float(box.get("x")), float(box.get("y"))) for box in drawn.iter("rect")]
    for turn, (x, y) in enumerate(places):
        for other_x, other_y in places[turn + 1 :]:
            assert abs(x - other_x) >= 200 or abs(y - other_y) >= 46


def test_the_text_alternative_is_the_tree():
    """In words: indented, numbered, with what is cached and closed when."""
    tree = dependency_tree(_app(), "/agents/{agent}")
    text = str(tree)
    assert "5. make (async def; takes body name)" in text
    assert "\n        2. session (async def with yield, closed after the response)" in text
    assert "\n    4. log (def with yield, closed before the response is sent)" in text
    assert "\n    cache session" in text
    assert _drawn(tree).get("aria-label") == text.replace("\n", " ")


def test_a_route_is_found_by_its_method():
    """Two routes on one path are told apart; without a method the first is taken."""
    app = FastAPI()

    @app.get("/x")
    def read() -> None: ...

    @app.put("/x")
    def replace() -> None: ...

    assert dependency_tree(app, "/x").root.name == "read"
    assert dependency_tree(app, "/x", "put").root.name == "replace"


def test_an_unknown_route_lists_those_there_are():
    """A path that is not declared is refused with the app's routes."""
    with pytest.raises(LookupError, match=r"no route 'GET /nowhere'.*POST /agents/\{agent\}"):
        dependency_tree(_app(), "/nowhere", "get")


def test_other_scopes_are_another_call():
    """The same function under two sets of security scopes is called twice, as FastAPI does."""
    app = FastAPI()

    def who(scopes: SecurityScopes) -> str:
        return scopes.scope_str

    @app.get("/")
    def read(
        a: Annotated[str, Security(who, scopes=["read"])],
        b: Annotated[str, Security(who, scopes=["write"])],
    ) -> None: ...

    assert dependency_tree(app, "/").order == ("who", "who", "read")


def test_untrusted_names_are_escaped():
    """A function's name may hold anything."""
    app = FastAPI()

    def evil() -> None: ...

    evil.__name__ = '<script>"\x1b'

    @app.get("/")
    def read(a: Annotated[None, Depends(evil)]) -> None: ...

    picture = dependency_tree(app, "/").picture()
    assert "<script" not in picture.html
    assert "\x1b" not in picture.html + picture.text
