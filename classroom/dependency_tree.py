"""`dependency_tree(app, "/path")`: what a route depends on, as FastAPI itself sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

# FastAPI's own rule for what counts as the same dependency.
from fastapi.dependencies.models import Dependant, _get_cache_key, _get_computed_scope

from classroom.pictures import Picture
from classroom.pictures.picture import visible
from classroom.shown import Shown
from classroom.timeline import svg
from classroom.timeline.calls import name_of
from classroom.timeline.recorded import Way, way_of
from classroom.timeline.routes import find_route

_BOX_WIDTH, _BOX_HEIGHT, _STEP_X, _STEP_Y = 200.0, 46.0, 250.0, 62.0


@dataclass(frozen=True)
class Node:
    """One function in a route's dependency tree.

    Attributes:
        name: The function's name.
        way: How it is written: `def`, `async def`, each with or without `yield`.
        scope: When a function with `yield` is closed: `function` (before the response is sent) or
            `request` (after it); None for others.
        use_cache: Whether it may take the value that an earlier call in the request returned.
        turn: Its place in the order of calls, from 1; None when the value comes from the cache.
        takes: What it reads from the request, such as `query q`.
        children: What it depends on.
    """

    name: str
    way: Way
    scope: str | None
    use_cache: bool
    turn: int | None
    takes: tuple[str, ...]
    children: tuple[Node, ...]

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """Yield this node and all below it, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


@dataclass(frozen=True)
class DependencyTree(Shown):
    """A route's dependencies, which a notebook shows as a drawing.

    Attributes:
        route: Method and path.
        root: The endpoint.
    """

    route: str
    root: Node

    @property
    def order(self) -> tuple[str, ...]:
        """The functions that a request calls, in order; the endpoint is the last."""
        called = [(node.turn, node.name) for _, node in self.root.walk() if node.turn is not None]
        return tuple(name for _, name in sorted(called))

    def picture(self) -> Picture:
        """Draw the tree from the endpoint on the left to what it rests on at the right."""
        return _draw(self)


def dependency_tree(app: FastAPI, path: str, method: str | None = None) -> DependencyTree:
    """Read a route's dependencies from FastAPI's own description of the route.

    The order assumes that every call succeeds. Overrides are not applied: this is the app as it
    is written; `dependency_calls` shows what really ran.

    Args:
        app: The app.
        path: The path as declared, such as `/tickets/{ticket_id}`.
        method: Which method's route; without it the first one with that path.

    Raises:
        LookupError: The app has no such route.

    Example:
        >>> dependency_tree(app, "/tickets").order
        ('settings', 'session', 'list_tickets')
    """
    route = find_route(app, path, method)
    reader = _Reader()
    root = reader.read(route.dependant, is_root=True)
    return DependencyTree(f"{'/'.join(sorted(route.methods))} {route.path}", root)


class _Reader:
    """Walks a tree in the order in which FastAPI solves it: what is needed comes first."""

    def __init__(self) -> None:
        self._known: set[Any] = set()
        self._calls = 0

    def read(self, dependant: Dependant, *, is_root: bool = False) -> Node:
        children = tuple(self.read(inner) for inner in dependant.dependencies)
        key = _get_cache_key(dependant=dependant)
        turn = None
        if is_root or not dependant.use_cache or key not in self._known:
            self._calls += 1
            turn = self._calls
        self._known.add(key)
        way = way_of(dependant.call)
        has_yield = way.endswith("yield")
        return Node(
            name=name_of(dependant.call),
            way=way,
            scope=_get_computed_scope(dependant=dependant) if has_yield and not is_root else None,
            use_cache=dependant.use_cache,
            turn=turn,
            takes=tuple(_parameters(dependant)),
            children=children,
        )


def _parameters(dependant: Dependant) -> Iterator[str]:
    for place in ("path", "query", "header", "cookie", "body"):
        for field in getattr(dependant, f"{place}_params"):
            yield f"{place} {field.alias}"


def _remark(node: Node) -> str:
    """Say what a reader should know of a node, in a few words."""
    said: list[str] = [node.way]
    if node.scope == "function":
        said.append("closed before the response is sent")
    elif node.scope is not None:
        said.append("closed after the response")
    if not node.use_cache:
        said.append("use_cache=False")
    return ", ".join(said)


def _draw(tree: DependencyTree) -> Picture:
    nodes = list(tree.root.walk())
    places: dict[int, tuple[float, float]] = {}
    _place(tree.root, 0, 0.0, places)
    depth = max(level for level, _ in nodes)
    width = int(20 + depth * _STEP_X + _BOX_WIDTH)
    height = max(y for _, y in places.values()) + _BOX_HEIGHT + 12
    edges = [
        _edge(places[id(node)], places[id(child)]) for _, node in nodes for child in node.children
    ]
    boxes = [_box(node, *places[id(node)]) for _, node in nodes]
    text = _in_words(tree)
    return Picture(
        html=svg.drawing(
            [*edges, *boxes], width=width, height=height, label=text, name="dependencies"
        ),
        text=text,
    )


def _place(node: Node, depth: int, top: float, places: dict[int, tuple[float, float]]) -> float:
    """Give a node and those below it their places; return where the next one may begin."""
    below = top
    for child in node.children:
        below = _place(child, depth + 1, below, places)
    if node.children:
        first, last = places[id(node.children[0])][1], places[id(node.children[-1])][1]
        y = (first + last) / 2
    else:
        y, below = 8 + top, top + _STEP_Y
    places[id(node)] = (10 + depth * _STEP_X, y)
    return below


def _edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1 = start[0] + _BOX_WIDTH, start[1] + _BOX_HEIGHT / 2
    x2, y2 = end[0], end[1] + _BOX_HEIGHT / 2
    bend = (x1 + x2) / 2
    return (
        f'<path d="M{x1:g} {y1:g}C{bend:g} {y1:g} {bend:g} {y2:g} {x2:g} {y2:g}" fill="none" '
        'stroke="currentColor" stroke-opacity=".5" stroke-width="1.5"/>'
    )


def _box(node: Node, x: float, y: float) -> str:
    cached = node.turn is None
    colour = svg.COLOURS[0] if node.way.startswith("async") else svg.COLOURS[1]
    dash = ' stroke-dasharray="5 4"' if cached else ""
    words = "from the cache" if cached else _short_remark(node)
    number = "" if cached else f"{node.turn}. "
    tip = svg.said(f"{node.name}: {_remark(node)}", limit=300)
    return (
        f"<g><title>{tip}</title>"
        f'<rect x="{x:g}" y="{y:g}" width="{_BOX_WIDTH:g}" height="{_BOX_HEIGHT:g}" rx="6" '
        f'fill="{colour}" fill-opacity="{0.05 if cached else 0.18}" stroke="{colour}" '
        f'stroke-width="1.6"{dash}/>'
        + svg.text(x + 10, y + 19, number + svg.said(node.name, limit=22), font_weight="600")
        + svg.text(x + 10, y + 36, svg.said(words, limit=34), font_size="11", opacity=".85")
        + "</g>"
    )


def _short_remark(node: Node) -> str:
    said = node.way.split(" with ")
    if node.scope is not None:
        said.append(f"scope {node.scope}")
    if not node.use_cache:
        said.append("no cache")
    return ", ".join(said)


def _in_words(tree: DependencyTree) -> str:
    lines = [f"{visible(tree.route)} and what it depends on, in the order of calls:"]
    for depth, node in tree.root.walk():
        turn = "cache" if node.turn is None else f"{node.turn}."
        takes = f"; takes {visible(', '.join(node.takes))}" if node.takes else ""
        lines.append(f"{'    ' * depth}{turn} {visible(node.name)} ({_remark(node)}{takes})")
    return "\n".join(lines)
