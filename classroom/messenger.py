"""Messengers: stand-ins for dependencies that only ask the outside world what to answer.

A check replaces a documented dependency of a submission by a messenger. What a messenger does
is data, so that it can be sent to another process: each of its methods asks one question of
`UPSTREAM_URL`, with the arguments, and returns the JSON that comes back.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from classroom.errand import ErrandError, post

Method = str | Mapping[str, Any]
"""A question, asked by a coroutine; or `{"ask": question, "sync": True}` for a plain method."""

Spec = str | Mapping[str, Method]
"""One question whose answer is the dependency's value, or the methods of an object."""

TIMEOUT = 30.0
"""Seconds that an answer may take; the tests' own deadlines are shorter."""


class MessengerError(RuntimeError):
    """The outside world answered with an error: so does the dependency."""


def dependency(spec: Spec) -> Callable[[], Any]:
    """Return a function to put in the place of a dependency.

    Args:
        spec: What it asks.
    """
    if isinstance(spec, str):
        question = spec

        async def answer() -> Any:
            return await _ask(question, (), {})

        return answer
    made = _messenger(spec)
    return lambda: made


def _messenger(spec: Mapping[str, Method]) -> Any:
    methods: dict[str, Any] = {}
    for name, method in spec.items():
        told = {"ask": method} if isinstance(method, str) else method
        make = _plain if told.get("sync") else _coroutine
        methods[name] = make(str(told["ask"]))
    return type("Messenger", (), methods)()


def _coroutine(question: str) -> Callable[..., Any]:
    async def ask(_self: object, *arguments: Any, **named: Any) -> Any:
        return await _ask(question, arguments, named)

    return ask


def _plain(question: str) -> Callable[..., Any]:
    def ask(_self: object, *arguments: Any, **named: Any) -> Any:
        with httpx2.Client(trust_env=False, verify=False, timeout=TIMEOUT) as client:
            return _value(client.post(_address(question), json=_letter(arguments, named)))

    return ask


async def _ask(question: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    try:
        return await post(_address(question), _letter(arguments, named), seconds=TIMEOUT)
    except ErrandError as error:
        raise MessengerError(f"The dependency failed: {error}") from error


def _address(question: str) -> str:
    return f"{os.environ['UPSTREAM_URL']}/ask/{question}"


def _letter(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    return {"arguments": list(arguments), "named": dict(named)}


def _value(reply: httpx2.Response) -> Any:
    if reply.is_error:
        raise MessengerError(f"The dependency failed: {reply.status_code} {reply.text[:200]}")
    return reply.json()


def overridden(app: Any, original: Callable[..., Any], spec: Spec) -> Callable[[], None]:
    """Put a messenger in the place of a dependency of an app, and return how to undo it.

    Args:
        app: A FastAPI app.
        original: The function or class that routes depend on.
        spec: What the messenger asks.

    Raises:
        TypeError: The dependency is nothing that can be called.
    """
    if not callable(original) or inspect.ismodule(original):
        raise TypeError(f"A dependency is a function or a class, not {type(original).__name__}.")
    before = app.dependency_overrides.get(original)
    app.dependency_overrides[original] = dependency(spec)

    def undo() -> None:
        if before is None:
            app.dependency_overrides.pop(original, None)
        else:
            app.dependency_overrides[original] = before

    return undo
