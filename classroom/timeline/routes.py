"""Find the routes of a FastAPI app, those of included routers and mounted apps too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount


@dataclass(frozen=True)
class Route:
    """One path operation.

    Attributes:
        path: The path as it is declared, with the prefixes of its routers.
        methods: Its HTTP methods; `WS` alone for a WebSocket.
        dependant: FastAPI's own tree of what the route depends on.
    """

    path: str
    methods: frozenset[str]
    dependant: Dependant


def routes_of(app: FastAPI, prefix: str = "") -> Iterator[Route]:
    """Yield the path operations of an app in the order in which they are matched.

    Args:
        app: The app.
        prefix: What stands before its paths.
    """
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        path = prefix + (context.path or "")
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from routes_of(route.app, path)
        dependant = getattr(context, "dependant", None)
        if isinstance(dependant, Dependant):
            yield Route(path, frozenset(context.methods or {"WS"}), dependant)


def dependants_of(app: FastAPI) -> Iterator[Dependant]:
    """Yield the dependency tree of every route."""
    return (route.dependant for route in routes_of(app))


def find_route(app: FastAPI, path: str, method: str | None = None) -> Route:
    """Return the route that was declared with a path.

    Args:
        app: The app.
        path: The path as declared, such as `/tickets/{ticket_id}`.
        method: Which method's route; without it the first one with that path.

    Raises:
        LookupError: There is none; the message lists those that there are.
    """
    routes = list(routes_of(app))
    for route in routes:
        if route.path == path and (method is None or method.upper() in route.methods):
            return route
    known = ", ".join(f"{'/'.join(sorted(route.methods))} {route.path}" for route in routes)
    asked = f"{method.upper()} {path}" if method else path
    raise LookupError(f"This app has no route {asked!r}. Its routes: {known or 'none'}.")
