"""The checks before the set-up cell has run, as after a restart of the kernel.

`etc/ipython/ipython_config.py`, which the package installs into its environment, loads this into
every kernel. It must stay light. Without it `%%check` would be "not found" until the set-up cell
has run, which tells nobody what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add stand-ins for the magics, which put the real ones in their place when first used."""
    for kind, name in (("cell", "check"), ("line", "lab"), ("line", "progress"), ("line", "stub")):
        if name not in shell.magics_manager.magics[kind]:
            shell.magics_manager.magics[kind][name] = _stand_in(shell, kind, name)


def _stand_in(shell: InteractiveShell, kind: str, name: str) -> Callable[..., object]:
    def stand_in(line: str, body: str = "") -> object:
        """Run the tests of the lab; the set-up cell loads what it needs."""
        from autograder import add_magics  # noqa: PLC0415 - only when asked for

        add_magics(shell)
        if kind == "cell":
            return shell.run_cell_magic(name, line, body)
        return shell.run_line_magic(name, line)

    return stand_in
