"""Builds, checks and grades the labs of the course.

`%load_ext autograder` gives a notebook its check cells.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from autograder.checks.notebook import CheckMagics


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the `%%check` magic to a notebook, and routes that a re-run cell replaces."""
    # Here, because the command line starts without IPython.
    from autograder.checks.attempts import is_grading  # noqa: PLC0415

    if is_grading() and type(sys.stderr).__module__.startswith("ipykernel"):
        # nbgrader takes all points from a check cell with anything on stderr, from whatever
        # thread it comes, also just before the check begins to listen.
        setattr(sys.stderr, "name", "stdout")  # noqa: B010 - read-only for files, not for this
    add_magics(shell).set_up = True


def add_magics(shell: InteractiveShell) -> CheckMagics:
    """Add the magics to a shell, once, and return them."""
    from autograder.checks.notebook import CheckMagics  # noqa: PLC0415 - as above

    for magics in shell.magics_manager.registry.values():
        if isinstance(magics, CheckMagics):
            return magics
    if shell.extension_manager is not None:
        shell.extension_manager.load_extension("classroom")
    magics = CheckMagics(shell)
    shell.register_magics(magics)
    return magics
