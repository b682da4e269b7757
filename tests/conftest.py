"""Shares the tests out between processor cores, and gives nbgrader a home of its own."""

from __future__ import annotations

import os
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

import pytest

from .kernels import SETTINGS
from .sampling import EVERYTHING

if TYPE_CHECKING:
    from xdist.scheduler.loadscope import LoadScopeScheduling
    from xdist.workermanage import WorkerController

SECONDS = 900
"""How long a test may take with its fixtures, on a busy machine too."""
SECONDS_OF_A_CLASS = 6_000 if EVERYTHING else 1_500
"""The same where the first of several tests grades a class for all of them."""
TOGETHER = {"attacks", "gates"}
"""Folders whose files look at a class that is graded once for all of them."""
LONGEST_FIRST = (
    "gates lab06",
    "gates lab04",
    "attacks",
    "tests/course/test_run_all.py",
    "gates lab08",
    "gates lab02",
    "gates lab01",
    "gates lab07",
    "gates lab03",
    "gates lab05",
    "gates lab16",
    "gates lab10",
    "gates",
)
"""Groups that one process would otherwise still be at when the others have nothing left to do."""
_LAB = re.compile(r"\[(lab\d\d)\b")


def group_of(test: str) -> str:
    """Return what a test stays together with, by its id: its lab, its folder or its file."""
    file = PurePath(test.partition("::")[0])
    if file.parts[1] not in TOGETHER:
        return str(file)
    lab = _LAB.search(test)
    return f"{file.parts[1]} {lab[1]}" if lab else file.parts[1]


def place_of(group: str) -> int:
    """Return how early a group is begun; the lowest first."""
    return LONGEST_FIRST.index(group) if group in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test a limit: one that hangs fails and is named, and the others go on."""
    if config.pluginmanager.hasplugin("timeout"):  # pytest-timeout, of requirements-dev.lock
        for item in items:
            if item.get_closest_marker("timeout") is None:
                whole_class = TOGETHER & set(item.path.parts)
                seconds = SECONDS_OF_A_CLASS if whole_class else SECONDS
                item.add_marker(pytest.mark.timeout(seconds))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Share out whole groups for `pytest -n auto`."""
    # pytest-xdist 3.8 has marks for this, which do nothing with pytest 9.2.
    from xdist.scheduler.loadscope import LoadScopeScheduling  # noqa: PLC0415 - only with -n

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

        def _assign_work_unit(self, node: WorkerController) -> None:
            self.workqueue.move_to_end(min(self.workqueue, key=place_of), last=False)
            super()._assign_work_unit(node)

    return Groups(config, log)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of somebody who never set up Jupyter or nbgrader."""
    home = tmp_path_factory.mktemp("home")
    (home / "config").mkdir()
    (home / "config" / "jupyter_config.py").write_text(SETTINGS)
    # jsonschema's optional check of IRIs parses a grammar for more than a second at every
    # start of nbgrader, and goes without where the package is missing.
    (home / "without").mkdir()
    (home / "without" / "rfc3987_syntax.py").write_text("raise ImportError")
    foreign = ("JUPYTER", "NBGRADER", "IPYTHON", "VIRTUAL_ENV", "AUTOGRADER_ENGINE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(home / "without"), kept.get("PYTHONPATH")])
        ),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
    }
