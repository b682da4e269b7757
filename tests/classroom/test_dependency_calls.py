"""What one real request called, opened and closed."""

import contextlib
from typing import Annotated
from xml.etree import ElementTree as ET

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, WebSocket
from fastapi.responses import StreamingResponse

from classroom.dependency_calls import dependency_calls
from classroom.dependency_tree import dependency_tree
from classroom.timeline import Ask, recorded_calls
from classroom.timeline.recorded import Recorded

pytestmark = pytest.mark.usefixtures("ends_its_threads")


def settings() -> str:
    """Return the settings."""
    return "s"


async def session(config: str = Depends(settings)):
    """Open and close a session."""
    yield config


def log(config: str = Depends(settings)):
    """Open and close a log."""
    yield config


def swallows():
    """Hide every error."""
    with contextlib.suppress(Exception):
        yield 1


class Page:
    """A page of a list."""

    def __init__(self, limit: int = 10) -> None:
        self.limit = limit

    async def __call__(self) -> int:
        """Return the limit."""
        return self.limit


page = Page(7)


def _app():
    app = FastAPI()
    app.state.numbers = 0

    def number() -> int:
        app.state.numbers += 1
        return app.state.numbers

    @app.get("/numbers")
    def numbers(
        a: Annotated[int, Depends(number)],
        b: Annotated[int, Depends(number)],
        c: Annotated[int, Depends(number, use_cache=False)],
    ) -> list[int]:
        return [a, b, c]

    @app.get("/stream")
    async def stream(
        tasks: BackgroundTasks,
        opened: Annotated[str, Depends(session)],
        logged: Annotated[str, Depends(log, scope="function")],
    ) -> StreamingResponse:
        async def parts():
            yield b"one"
            yield b"two"

        return StreamingResponse(parts())

    @app.get("/fails")
    async def fails(
        opened: Annotated[str, Depends(session)], logged: Annotated[str, Depends(log)]
    ) -> None:
        raise HTTPException(418, "no")

    @app.get("/swallowed")
    async def swallowed(one: Annotated[int, Depends(swallows)]) -> None:
        raise LookupError("lost")

    @app.get("/objects")
    def objects(a: Annotated[int, Depends(page)], b: Annotated[Page, Depends(Page)]) -> list[int]:
        return [a, b.limit]

    @app.post("/echo")
    def echo(body: dict[str, int], config: Annotated[str, Depends(settings)]) -> dict[str, int]:
        return body

    return app


def test_the_cache_is_seen_in_the_counts():
    """number is called twice for three uses, and the answer is [1, 1, 2]."""
    app = _app()
    calls = dependency_calls(app, "/numbers")
    assert calls.counts == {"number": 2, "numbers": 1}
    assert calls.row.status == 200
    assert app.state.numbers == 2


@pytest.mark.parametrize("path", ["/numbers", "/stream", "/fails", "/echo"])
def test_the_tree_and_the_request_agree(path):
    """What the tree predicts is what a request calls; dependencies that wait are opened first."""
    app = _app()
    request = Ask(path, "POST", json={"a": 1}) if path == "/echo" else path
    called = dependency_calls(app, request).order
    assert called == dependency_tree(app, path).order


def test_scopes_close_before_and_after_the_answer():
    """Function scope closes before the response begins, request scope after the last part."""
    assert dependency_calls(_app(), "/stream").story == (
        "calls settings",
        "ends settings",
        "opens session",
        "gives session",
        "opens log",
        "gives log",
        "calls stream",
        "ends stream",
        "closes log",
        "ends log",
        "response begins",
        "response part",
        "response part",
        "response ends",
        "closes session",
        "ends session",
    )


def test_an_error_goes_through_all_that_is_open():
    """What the endpoint raises reaches both dependencies, the last opened first."""
    story = dependency_calls(_app(), "/fails").story
    assert story[story.index("fails fails (HTTPException: 418: no)") :] == (
        "fails fails (HTTPException: 418: no)",
        "closes log",
        "fails log (HTTPException: 418: no)",
        "closes session",
        "fails session (HTTPException: 418: no)",
        "response begins",
        "response ends",
    )


def test_a_dependency_that_swallows_errors_still_does():
    """Recording does not change how a dependency ends: the swallowed error is a 500."""
    calls = dependency_calls(_app(), "/swallowed")
    assert calls.row.status == 500
    assert "ends swallows" in calls.story
    assert calls.row.visit.error.startswith("FastAPIError: Response not awaited")


def test_objects_and_classes_are_called_as_before():
    """A callable object awaits, a class makes its object."""
    calls = dependency_calls(_app(), "/objects")
    assert [(call.name, call.way) for call in calls.row.calls] == [
        ("Page", "async def"),
        ("Page", "def"),
        ("objects", "def"),
    ]
    assert calls.row.status == 200


def test_overrides_apply_and_share_the_cache():
    """An override is called in place of the original, with its own dependencies, cached as ever."""
    app = _app()

    def fake(config: str = Depends(settings)) -> str:
        return config

    app.dependency_overrides[session] = fake
    overrides = app.dependency_overrides
    calls = dependency_calls(app, "/stream")
    assert calls.order == ("settings", "fake", "log", "stream")
    assert app.dependency_overrides is overrides
    assert overrides == {session: fake}


def test_overrides_set_meanwhile_stay():
    """An override that is set while recording counts at once, and afterwards too."""
    app = _app()
    with recorded_calls(app):
        app.dependency_overrides[settings] = lambda: "other"
    assert app.dependency_overrides[settings]() == "other"


def test_a_body_and_virtual_time_work():
    """A POST with a body, and the same in virtual time, tell the same story."""
    app, ask = _app(), Ask("/echo", "POST", json={"a": 1})
    real = dependency_calls(app, ask)
    virtual = dependency_calls(app, ask, virtual=True)
    assert real.story == virtual.story
    assert {moment.at for moment in virtual.moments} == {0}


def test_the_drawing_has_a_dot_per_moment():
    """Every moment is a dot on its function's line, in its column."""
    calls = dependency_calls(_app(), "/stream")
    html = calls.picture().html
    svg = ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])  # noqa: S314 - our own
    dots = sorted((float(dot.get("cx")), float(dot.get("cy"))) for dot in svg.iter("circle"))
    assert len(dots) == len(calls.moments)
    lines = sorted({y for _, y in dots})
    assert [lines.index(y) for _, y in dots] == [moment.line for moment in calls.moments]
    assert svg.get("aria-label") == str(calls).replace("\n", " ")


def test_the_text_tells_the_story_and_the_counts():
    """In words: numbered, and how often each was called."""
    text = str(dependency_calls(_app(), "/numbers"))
    assert text.startswith("GET /numbers: status 200. What happened, in order:\n   1. calls number")
    assert text.endswith("Calls: number 2, numbers 1.")


def test_a_recorded_function_is_its_original_for_fastapi():
    """Equal, with the same hash, so that caches and overrides find it."""
    wrapped = Recorded(settings, lambda: None)
    assert {settings: 1}[wrapped] == 1
    assert {wrapped: 1}[settings] == 1
    assert wrapped == Recorded(settings, lambda: None)
    assert wrapped != session
    assert wrapped() == "s"


def test_what_is_not_traced_is_not_recorded():
    """Calls of another server of the same app, without a trace, run as ever and leave no record."""
    app = _app()
    with recorded_calls(app) as record:
        assert app.routes[-1].dependant.call({"a": 1}, "s") == {"a": 1}
    assert record.calls == ()


def test_websocket_routes_are_wrapped_and_restored():
    """A WebSocket's functions are recorded like others and are as before afterwards."""
    app = FastAPI()

    @app.websocket("/ws")
    async def ws(socket: WebSocket, config: str = Depends(settings)) -> None: ...

    dependant = app.routes[-1].dependant
    with recorded_calls(app):
        assert isinstance(dependant.call, Recorded)
        assert isinstance(dependant.dependencies[0].call, Recorded)
    assert dependant.call is ws
    assert dependant.dependencies[0].call is settings
