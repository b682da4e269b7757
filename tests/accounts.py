"""Running commands as another account of the machine; only root can."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path

# In a container the interpreter often lies in root's home, which nobody else may enter. Then the
# account sees another home in its place, with nothing but the interpreter in it.
_OTHER_HOME = """
mount --bind "$2" /mnt && mount -t tmpfs -o mode=755 none "$1" && mkdir -p "$2" &&
mount --move /mnt "$2" && shift 2 && exec "$@"
"""


def as_account(user: int, group: int) -> Sequence[str]:
    """Return the beginning of a command that runs another without any right of root's.

    Args:
        user: Number of the account.
        group: Number of its group.
    """
    drop = (
        "setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups",
        "--bounding-set=-all", "--inh-caps=-all",
    )  # fmt: skip
    python = Path(sys.base_prefix).resolve()
    closed = [one for one in python.parents if not one.stat().st_mode & stat.S_IXOTH]
    if not closed:
        return drop
    return ("unshare", "-m", "sh", "-ec", _OTHER_HOME, "sh", str(closed[-1]), str(python), *drop)
