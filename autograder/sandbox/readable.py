"""What a Python that runs a submission must be able to read, and nothing else."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from autograder.sandbox import landlock, privileges
from autograder.sandbox.policy import Policy

_PARTS_OF_A_PREFIX: Final = ("lib", "lib64", "bin", "ssl", "pyvenv.cfg", "share/zoneinfo")
_SYSTEM: Final = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
    "/usr/share/ca-certificates",
    "/usr/share/fonts",
    "/usr/share/mime",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/gai.conf",
    "/etc/protocols",
    "/etc/services",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
)
_DEVICES: Final = ("/dev/zero", "/dev/random", "/dev/urandom")
_OWN_PACKAGES: Final = ("autograder", "classroom")
_LOADERS: Final = ("/lib", "/lib64")


def grants(policy: Policy) -> Iterator[tuple[Path, int]]:
    """Yield every path that a submission may touch, with what it may do there.

    Args:
        policy: What the lab grants.
    """
    for path in (*python_folders(), *map(Path, _SYSTEM), *map(Path, _DEVICES)):
        yield path, landlock.READ
    yield Path("/dev/null"), landlock.READ_WRITE_FILE
    for path in policy.readable:
        yield path, landlock.READ
    if policy.folder:
        yield policy.folder, landlock.READ
    if policy.scratch:
        yield policy.scratch, landlock.SCRATCH
    if policy.processes:
        yield Path("/dev/shm"), landlock.SCRATCH  # noqa: S108 - where multiprocessing's locks are
    if policy.programs:
        for path in (*policy.programs, *map(Path, _LOADERS)):
            yield path, landlock.RUN


@functools.cache
def python_folders() -> tuple[Path, ...]:
    """Return where the interpreter, its library and the packages are."""
    prefixes = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.base_exec_prefix)}
    parts = [prefix / part for prefix in prefixes for part in _PARTS_OF_A_PREFIX]
    packages = [*sys.path, *site.getsitepackages(), *sysconfig.get_paths().values()]
    paths = {*parts, *(Path(path) for path in packages if path.endswith("-packages"))}
    for name in _OWN_PACKAGES:  # installed in place, they lie elsewhere
        spec = importlib.util.find_spec(name)
        paths.update(Path(path) for path in (spec and spec.submodule_search_locations) or ())
    return tuple(sorted(path for path in paths if path.exists()))


@functools.cache
def by_anybody() -> bool:
    """Tell whether any user could read this Python; first asked by root, who can become one."""
    files = [Path(module.__file__) for module in (os, ctypes, landlock) if module.__file__]
    try:
        return privileges.can_read(privileges.FIRST_USER, (*python_folders(), *files))
    except OSError:  # nobody else can be had here
        return False


def exposed(policy: Policy, secrets: list[Path]) -> list[Path]:
    """Return which of some files and folders, or parts of them, a submission could read.

    Args:
        policy: What the lab grants.
        secrets: Solutions, gradebook, other submissions.
    """
    granted = [path.resolve() for path, _ in grants(policy)]
    return [
        secret for secret in secrets if any(_overlap(path, secret.resolve()) for path in granted)
    ]


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
