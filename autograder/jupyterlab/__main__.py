"""Installs JupyterLab's settings for this course into the environment of the running Python."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
PLACES = {
    "course.json": "etc/jupyter/jupyter_server_config.d",
    "default_setting_overrides.json": "etc/jupyter/labconfig",
}
"""Each file and the folder below the environment's root where Jupyter looks for it."""


def install(prefix: Path) -> None:
    """Copy the settings below an environment's root."""
    for name, place in PLACES.items():
        folder = prefix / place
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HERE / name, folder / name)


if __name__ == "__main__":
    install(Path(sys.prefix))
