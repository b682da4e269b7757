"""Students' notebooks, made by nbgrader itself with the course's own settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from nbgrader.apps import NbGraderAPI  # type: ignore[import-untyped]  # it ships no types
from nbgrader.coursedir import CourseDirectory  # type: ignore[import-untyped]
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.course import CourseError


class ReleaseError(CourseError):
    """nbgrader could not make a release of a lab."""


def generate(names: Iterable[str], *, root: Path, config_file: Path, gradebook: Path) -> None:
    """Make the release of each lab below a folder, as `nbgrader generate_assignment` does.

    Args:
        names: The labs' names.
        root: Folder that holds the sources, in the folder which the settings name, and gets
            the releases.
        config_file: The course's nbgrader_config.py.
        gradebook: Where nbgrader may write a gradebook; it is of no use afterwards.

    Raises:
        ReleaseError: nbgrader refused a lab.
    """
    config: Config = PyFileConfigLoader(
        config_file.name, path=str(config_file.parent)
    ).load_config()
    _without_migrations(gradebook)
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{gradebook}"
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    for name in names:
        result = api.generate_assignment(name)
        if not result["success"]:
            reason = "\n".join(str(result[part]) for part in ("log", "error") if result.get(part))
            raise ReleaseError(f"nbgrader could not release {name}:\n{reason}")


def _without_migrations(gradebook: Path) -> None:
    """Spare nbgrader the two seconds in which it asks a new gradebook's version of alembic.

    It does so only for a database without tables, and nobody migrates one that is thrown away.
    """
    with closing(sqlite3.connect(gradebook)) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
