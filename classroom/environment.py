"""Environment variables that are set for a while, as for an app that is started with them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def environment_with(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and put everything back at the end.

    Args:
        variables: Their values by name. With `TZ`, the clock's zone changes at once (not on
            Windows), as in a program that starts with it.
    """
    before = {name: os.environ.get(name) for name in variables}
    try:
        os.environ.update(variables)
        _set_zone(variables)
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _set_zone(variables)


def _set_zone(changed: Mapping[str, str]) -> None:
    if "TZ" in changed and hasattr(time, "tzset"):
        time.tzset()
