"""Where a browser finds a port of this machine.

A reader on Binder or JupyterHub sits elsewhere; there jupyter-server-proxy passes requests on.
"""

from __future__ import annotations

import json
import os
from pathlib import Path


def browser_url(port: int) -> str:
    """Return the URL without a slash at its end under which a browser reaches `port`.

    Behind a Jupyter server it is a path on that server, else the address on this machine.
    """
    base = jupyter_base_url()
    return f"http://127.0.0.1:{port}" if base is None else f"{base}proxy/{port}"


def browser_is_elsewhere() -> bool:
    """Return whether the reader's browser runs on another machine, as on JupyterHub or Binder."""
    return "JUPYTERHUB_SERVICE_PREFIX" in os.environ


def jupyter_base_url() -> str | None:
    """Return the base URL of the Jupyter server that started this kernel, or None.

    It begins and ends with a slash.
    """
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX") or _base_url_of_parent()
    return None if prefix is None else "/" + f"{prefix.strip('/')}/".lstrip("/")


def _base_url_of_parent() -> str | None:
    if "JPY_PARENT_PID" not in os.environ:
        return None
    from jupyter_core.paths import jupyter_runtime_dir  # noqa: PLC0415 - only kernels need it

    # One file per running server; jupyter_server's own reader costs a long import.
    for parent in {os.environ["JPY_PARENT_PID"], str(os.getppid())}:
        record = Path(jupyter_runtime_dir(), f"jpserver-{parent}.json")
        try:
            return str(json.loads(record.read_text())["base_url"])
        except (OSError, ValueError, KeyError):
            continue
    return None
