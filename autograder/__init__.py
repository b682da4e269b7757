"""Builds, checks and grades the labs of the course.

`%load_ext autograder` gives a notebook its check cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the `%%check` magic to a notebook, and routes that a re-run cell replaces."""
    from autograder.checks.notebook import CheckMagics  # noqa: PLC0415 - the command line starts
    # without IPython

    if shell.extension_manager is not None:
        shell.extension_manager.load_extension("classroom")
    shell.register_magics(CheckMagics)
