"""Shares the tests out between processor cores: what grades one class stays together."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.scheduler.loadscope import LoadScopeScheduling

TOGETHER = {"attacks", "gates"}
"""Folders whose files look at a class that is graded once for all of them."""
_LAB = re.compile(r"\[(lab\d\d)\b")


def group_of(test: str) -> str:
    """Return what a test stays together with, by its id: its lab, its folder or its file."""
    file = PurePath(test.partition("::")[0])
    if file.parts[1] not in TOGETHER:
        return str(file)
    lab = _LAB.search(test)
    return f"{file.parts[1]} {lab[1]}" if lab else file.parts[1]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Share out whole groups for `pytest -n auto`."""
    # pytest-xdist 3.8 has marks for this, which do nothing with pytest 9.2.
    from xdist.scheduler.loadscope import LoadScopeScheduling  # noqa: PLC0415 - only with -n

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return Groups(config, log)
