"""How JupyterLab looks for this course: a small extension of its server.

JupyterLab opens the course's start page first. nbgrader's Assignment List, Formgrader and Create
Assignment are hidden where no exchange is set up: there they answer with errors that mean nothing
to somebody who learns alone. The settings beside this module render Markdown and switch the news
off; pyproject.toml names the places in the environment where they are installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_config_path
from jupyter_server.utils import url_path_join
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

from autograder.jupyterlab.start import FIRST, PATH, WORK, Start, StartPage, Work

NBGRADER_CONFIG = "nbgrader_config.py"
DEFAULT_EXCHANGE = "/usr/local/share/nbgrader/exchange"
"""What nbgrader takes where nothing else is set."""
ROLE = "COURSE_ROLE"
"""Set it to `instructor` to see all of nbgrader without an exchange (`make formgrader`)."""
FOR_A_CLASS = ("assignment-list", "course-list", "create-assignment", "formgrader")
"""Parts of nbgrader's extension that need an exchange, or an instructor."""

Hook = Callable[[Any, dict[str, Any]], dict[str, Any]]


def in_a_class(root: Path) -> bool:
    """Return whether a course handed in through nbgrader, or an instructor, is at work here."""
    return os.environ.get(ROLE) == "instructor" or exchange(root).is_dir()


def exchange(root: Path) -> Path:
    """Return nbgrader's exchange as its configuration names it, whether it exists or not.

    Args:
        root: The folder that JupyterLab serves.
    """
    found = Config()
    for folder in (*reversed(jupyter_config_path()), str(root)):
        try:
            found.merge(PyFileConfigLoader(NBGRADER_CONFIG, path=folder).load_config())
        except ConfigFileNotFound:
            continue
    return Path(str(found.Exchange.get("root", DEFAULT_EXCHANGE)))


def hide_what_needs_a_class(page_config: dict[str, Any]) -> dict[str, Any]:
    """Disable those parts of nbgrader's extension that need an exchange."""
    disabled = page_config.setdefault("disabledExtensions", [])
    names = [f"@jupyter/nbgrader:{part}" for part in FOR_A_CLASS]
    if isinstance(disabled, dict):
        disabled.update(dict.fromkeys(names, True))
    else:
        disabled.extend(name for name in names if name not in disabled)
    return page_config


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "autograder.jupyterlab"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Set the first page and hide what needs a class; the server calls this when it starts."""
    root = Path(server.root_dir)
    pages = ((PATH, StartPage), (WORK, Work), (FIRST, Start))
    at = [(url_path_join(server.base_url, path), page) for path, page in pages]
    server.web_app.add_handlers(".*$", at)
    if (root / "notebooks").is_dir():
        server.default_url = url_path_join(server.base_url, FIRST)
    if in_a_class(root):
        return
    settings = server.web_app.settings
    earlier: Hook | None = settings.get("page_config_hook")

    def hook(handler: Any, page_config: dict[str, Any]) -> dict[str, Any]:
        page_config = earlier(handler, page_config) if earlier else page_config
        return hide_what_needs_a_class(page_config)

    settings["page_config_hook"] = hook
