"""What a process inherits and must not: environment variables and file descriptors."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from autograder.sandbox.policy import Policy

_HIGHEST = 1 << 20


def environment(policy: Policy) -> dict[str, str]:
    """Return the whole environment of a submission: nothing of the grader's own."""
    home = str(policy.scratch or policy.working_folder)
    variables = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        # A throw-away user stands in no list of users; `getpass.getuser` asks here first.
        "LOGNAME": "student",
        "USER": "student",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # as in a notebook's kernel
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        # No certificates: nothing here can be reached by TLS, and reading the system's takes
        # every client that a submission makes 50 ms.
        "SSL_CERT_DIR": home,
    }
    if policy.scratch:
        variables |= {"TMPDIR": home, "MPLCONFIGDIR": str(Path(home) / ".matplotlib")}
    return variables | dict(policy.environment)


def replace_environment(variables: dict[str, str]) -> None:
    """Forget every environment variable but these."""
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)


def close_descriptors(keep: Collection[int]) -> None:
    """Close every file descriptor but the three standard ones and those to keep."""
    start = 3
    for number in sorted(keep):
        os.closerange(start, number)
        start = number + 1
    os.closerange(start, _HIGHEST)
