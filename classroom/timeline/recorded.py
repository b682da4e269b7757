"""Wrap a function so that its begin, its yields and its end are noted, and nothing else changes.

FastAPI decides by the kind of a function how to call it (in a thread, awaited, opened and
closed), and by the function itself what to cache and what to override. So a wrapper is of the same
kind as what it wraps, and equal to it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from functools import update_wrapper
from typing import Any, Literal, Protocol

# FastAPI's own decision, for the kinds where writing it again would be a guess.
from fastapi.dependencies.models import (
    _is_async_gen_callable,
    _is_coroutine_callable,
    _is_gen_callable,
)

Way = Literal["def", "async def", "def with yield", "async def with yield"]


class Notes(Protocol):
    """Where a wrapped call writes down what it does."""

    def gives(self) -> None:
        """Yield something."""

    def goes_on(self) -> None:
        """Run again after a yield."""

    def ends(self, error: BaseException | None) -> None:
        """End, by an exception or without."""


Begin = Callable[[], Notes | None]
"""Called as a call begins; None says that this call is not to be noted."""


def way_of(function: Any) -> Way:
    """Return how a function is written, as FastAPI sees it."""
    if _is_async_gen_callable(function):
        return "async def with yield"
    if _is_gen_callable(function):
        return "def with yield"
    return "async def" if _is_coroutine_callable(function) else "def"


class Recorded:
    """A function that notes its calls; for FastAPI it is the function that it wraps.

    Args:
        function: Any callable that FastAPI can use as an endpoint or a dependency.
        begin: Opens the notes of a call.
    """

    __wrapped__: Any

    def __init__(self, function: Any, begin: Begin) -> None:
        update_wrapper(self, function, updated=())
        self._call = {
            "def": _plain,
            "async def": _coroutine,
            "def with yield": _generator,
            "async def with yield": _async_generator,
        }[way_of(function)](function, begin)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function and note it."""
        return self._call(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        same: bool = self.__wrapped__ == (
            other.__wrapped__ if isinstance(other, Recorded) else other
        )
        return same

    def __hash__(self) -> int:
        return hash(self.__wrapped__)


def _plain(function: Any, begin: Begin) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        notes = begin() or _Nowhere()
        with _Ending(notes):
            return function(*args, **kwargs)

    return call


def _coroutine(function: Any, begin: Begin) -> Any:
    async def call(*args: Any, **kwargs: Any) -> Any:
        notes = begin() or _Nowhere()
        with _Ending(notes):
            return await function(*args, **kwargs)

    return call


def _generator(function: Any, begin: Begin) -> Any:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        notes = begin() or _Nowhere()
        with _Ending(notes):
            inner = function(*args, **kwargs)
            step = inner.__next__
            while True:
                try:
                    item = step()
                except StopIteration as end:
                    return end.value
                notes.gives()
                try:
                    sent = yield item
                except GeneratorExit:
                    notes.goes_on()
                    inner.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - the inner function decides
                    notes.goes_on()
                    step = _throwing(inner.throw, error)
                else:
                    notes.goes_on()
                    step = _sending(inner, sent)

    return call


def _async_generator(function: Any, begin: Begin) -> Any:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        notes = begin() or _Nowhere()
        with _Ending(notes):
            inner = function(*args, **kwargs)
            step = inner.__anext__
            while True:
                try:
                    item = await step()
                except StopAsyncIteration:
                    return
                notes.gives()
                try:
                    sent = yield item
                except GeneratorExit:
                    notes.goes_on()
                    await inner.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - the inner function decides
                    notes.goes_on()
                    step = _throwing(inner.athrow, error)
                else:
                    notes.goes_on()
                    step = _asending(inner, sent)

    return call


def _throwing(throw: Callable[[BaseException], Any], error: BaseException) -> Callable[[], Any]:
    return lambda: throw(error)


def _sending(inner: Generator[Any, Any, Any], value: Any) -> Callable[[], Any]:
    return inner.__next__ if value is None else lambda: inner.send(value)


def _asending(inner: AsyncGenerator[Any, Any], value: Any) -> Callable[[], Any]:
    return inner.__anext__ if value is None else lambda: inner.asend(value)


class _Ending:
    """Notes the end of a call, whatever it is."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._notes.ends(None if isinstance(error, GeneratorExit) else error)


class _Nowhere:
    def gives(self) -> None:
        pass

    def goes_on(self) -> None:
        pass

    def ends(self, error: BaseException | None) -> None:
        pass
