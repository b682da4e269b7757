"""Finds the error that matters in a group of one."""

from __future__ import annotations

from types import MemberDescriptorType
from typing import Any, cast

_EXCEPTIONS = cast("MemberDescriptorType", vars(BaseExceptionGroup)["exceptions"])
"""The group's own attribute: a class of a student's could give another."""


def sole_error(error: BaseException) -> BaseException:
    """Return the only error of a group, however deep it lies; any other error as it is.

    A task group makes a group of whatever is raised in it, as does a WebSocket's block.
    """
    while isinstance(error, BaseExceptionGroup):
        errors: tuple[Any, ...] = _EXCEPTIONS.__get__(error)
        if len(errors) != 1:
            break
        error = errors[0]
    return error
