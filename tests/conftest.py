"""Shares the tests out between processor cores: what grades one class stays together."""

from pathlib import Path

import pytest

TOGETHER = {"attacks", "gates"}
"""Folders whose files look at a class that is graded once for all of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the group of each test for `pytest -n auto --dist loadgroup`: its file or folder."""
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0]
        group = folder if folder in TOGETHER else str(item.path.relative_to(here))
        item.add_marker(pytest.mark.xdist_group(group))
