"""Starts real kernels, which talk over files.

A port that is picked for a kernel may be taken by another process before the kernel starts, and
these tests start many of both.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_client import BlockingKernelClient

SETTINGS = """
import atexit, shutil, tempfile

sockets = tempfile.mkdtemp()
atexit.register(shutil.rmtree, sockets, ignore_errors=True)
c.KernelManager.transport = "ipc"
c.KernelManager.ip = sockets + "/kernel"
"""
"""A `jupyter_config.py` with which nbgrader's kernels do the same."""


@contextmanager
def new_kernel(**options: Any) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """Start a kernel and wait until it answers; at the end it is gone.

    Args:
        options: Where and how its process starts, as of `subprocess.Popen`.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "kernel.json"
        manager = KernelManager(transport="ipc", connection_file=str(file))
        manager.start_kernel(**options)
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            yield manager, client
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()
