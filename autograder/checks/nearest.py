"""Says which routes an app has where none of them fits a request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

MAX_ROUTES = 6
"""Routes that a sentence lists."""
_NEAR = 0.6


def no_route(method: str, path: str, routes: Sequence[str] | None) -> str:
    """Say that no route fits a request and which one comes nearest.

    Args:
        method: The request's method.
        path: Its path.
        routes: The app's routes, such as `GET /agents`; None if they are not known.
    """
    asked = f"{method} {path}"
    if routes is None:
        return (
            f"This is what FastAPI itself answers when no route fits `{asked}`: "
            "compare the path and the method."
        )
    known = [(each.partition(" ")[0], each.partition(" ")[2]) for each in routes]
    here = [verb for verb, template in known if _fits(template, path)]
    if method in here:
        return f"Your app has a route for `{asked}`, and this route answered so."
    if here:
        return f"Your app has no route for `{asked}`. For this path it has only: {_list(here)}."
    if not routes:
        return f"Your app has no route for `{asked}`: it has no routes at all."
    nearest = max(known, key=lambda route: _likeness(route, method, path))
    near = (
        f" The nearest one is `{' '.join(nearest)}`."
        if _likeness(nearest, method, path) >= _NEAR
        else ""
    )
    return f"Your app has no route for `{asked}`.{near} Its routes: {_list(routes)}."


def _fits(template: str, path: str) -> bool:
    parts = re.split(r"(\{[^}]+\})", template)
    pattern = "".join(
        (".*" if part.endswith(":path}") else "[^/]+") if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
    return re.fullmatch(pattern, path) is not None


def _likeness(route: tuple[str, str], method: str, path: str) -> float:
    likeness = SequenceMatcher(None, route[1].rstrip("/"), path.rstrip("/")).ratio()
    return likeness + (0.01 if route[0] == method else 0.0)


def _list(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - MAX_ROUTES} more" if len(names) > MAX_ROUTES else ""
    return ", ".join(f"`{name}`" for name in names[:MAX_ROUTES]) + more
