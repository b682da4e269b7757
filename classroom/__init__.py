"""What runs inside a notebook of the course: serve an app and look at it.

Importing the package in a notebook, or `%load_ext classroom`, also makes cells safe to run
again; see `classroom.rerun`.
"""

from typing import Any

from classroom import cells, rerun, server
from classroom.server import Server, serve

__all__ = ["Server", "load_ipython_extension", "serve"]


def load_ipython_extension(shell: Any) -> None:
    """Follow the cells of an IPython shell, so that running one again replaces what it made.

    Args:
        shell: The `InteractiveShell` that `%load_ext classroom` hands over.
    """
    rerun.install(shell)
    server.follow(shell)


if cells.running_shell() is not None:
    load_ipython_extension(cells.running_shell())
