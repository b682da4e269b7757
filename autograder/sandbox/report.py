"""What `autograder doctor` found out, as data."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import threading
from typing import Final

from pydantic import BaseModel, ConfigDict

from autograder.sandbox import landlock, layers, syscalls
from autograder.sandbox.layers import Layer, Level

MINIMUM: Final = Level.CONTAINED
"""Below this, grading refuses to run unless told so by name."""

_probing = threading.Lock()

_PACKAGES: Final = ("fastapi", "pydantic", "uvicorn", "ipython", "httpx", "httpx2", "openai")
_PACKAGES_OF_GRADING: Final = ("pytest", "nbgrader")

_STOPS: Final = {
    Layer.LIMITS: "memory bombs, huge files, endless computing",
    Layer.NO_NEW_PRIVILEGES: "power won through set-user-id programs",
    Layer.FILES: "reading solutions, tests, other submissions, /proc; writing anywhere",
    Layer.PORTS: "TCP to anything but the lab's own upstream",
    Layer.SCOPE: "signals to the grader, abstract sockets",
    Layer.CALLS: "new processes and programs, UDP, Unix sockets, tracing, signals",
    Layer.CAPABILITIES: "what root may do beyond its files",
    Layer.USER: "touching the grader's files and processes, whatever else fails",
    Layer.PROCESSES: "daemons that outlive the run, seeing other processes",
    Layer.NETWORK: "any network, whatever else fails",
    Layer.MOUNTS: "shared memory of others, where a lab grants worker processes",
    Layer.BUBBLEWRAP: "what Landlock's file rules stop, where there is no Landlock",
}
_NEWER_KERNEL: Final = (
    "use a kernel of 6.12 or later with Landlock switched on (`lsm=landlock,...` when it boots)"
)
_NAMESPACES: Final = (
    "allow namespaces: run as root with CAP_SYS_ADMIN, or set kernel.unprivileged_userns_clone=1 "
    "or kernel.apparmor_restrict_unprivileged_userns=0; containers need their seccomp profile eased"
)
_REMEDIES: Final = {
    Layer.FILES: _NEWER_KERNEL,
    Layer.PORTS: _NEWER_KERNEL,
    Layer.SCOPE: _NEWER_KERNEL,
    Layer.CALLS: "use x86-64 or aarch64 with a kernel that has CONFIG_SECCOMP_FILTER",
    Layer.USER: "grade as root, who may change users; not needed beside Landlock",
    Layer.PROCESSES: _NAMESPACES,
    Layer.NETWORK: _NAMESPACES,
    Layer.MOUNTS: _NAMESPACES,
    Layer.BUBBLEWRAP: "install bubblewrap; not needed beside Landlock",
}


class Frozen(BaseModel):
    """A value that never changes once made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LayerReport(Frozen):
    """One layer as it was found here."""

    name: Layer
    holds: bool
    stops: str
    problem: str = ""
    """Why it does not hold."""
    remedy: str = ""
    """What to do about it."""


class Report(Frozen):
    """The environment and what holds in it."""

    level: str
    """`strong`, `contained`, `weak` or `none`."""
    enough: bool
    """Whether grading runs here without being told to by name."""
    system: dict[str, str]
    packages: dict[str, str]
    layers: tuple[LayerReport, ...]

    @property
    def holding(self) -> frozenset[Layer]:
        """The layers that hold here."""
        return frozenset(layer.name for layer in self.layers if layer.holds)


def held_here() -> dict[Layer, str | None]:
    """Probe every layer, once, in a fresh process with one thread.

    Returns:
        For each layer None when it holds, else why not.

    Raises:
        RuntimeError: The probing process failed.
    """
    with _probing:
        return _held_here()


@functools.cache
def _held_here() -> dict[Layer, str | None]:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "autograder.sandbox"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode != 0:
        raise RuntimeError(f"The sandbox could not be probed: {done.stderr.strip()[-500:]}")
    return {Layer(name): problem for name, problem in json.loads(done.stdout).items()}


def examine() -> Report:
    """Look at the environment and probe every layer."""
    found = held_here()
    strength = layers.level([layer for layer, problem in found.items() if problem is None])
    return Report(
        level=strength.name.lower(),
        enough=strength >= MINIMUM,
        system=_system(),
        packages={name: _version(name) for name in (*_PACKAGES, *_PACKAGES_OF_GRADING)},
        layers=tuple(_describe(layer, problem) for layer, problem in found.items()),
    )


def _describe(layer: Layer, problem: str | None) -> LayerReport:
    return LayerReport(
        name=layer,
        holds=problem is None,
        stops=_STOPS[layer],
        problem=problem or "",
        remedy="" if problem is None else _REMEDIES.get(layer, ""),
    )


def _system() -> dict[str, str]:
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine()
        + ("" if syscalls.numbers() else " (no table of system calls)"),
        "cores": str(len(os.sched_getaffinity(0))),
        "python": f"{platform.python_version()} in {sys.prefix}",
        "user": "root" if os.geteuid() == 0 else f"ordinary (id {os.geteuid()})",
        "landlock": f"version {landlock.abi()}",
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
