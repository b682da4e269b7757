"""Write the two lock files and environment.yml from pyproject.toml.

`python tools/lock.py` resolves the newest versions that work together (uv does it), for
every platform at once, and writes

- requirements.lock: what a student's environment holds, with hashes, no index address;
- requirements-dev.lock: the same pins and the contributors' tools;
- environment.yml: the pins without hashes (pip refuses hashes beside a local project), each
  with its reason, for Binder and conda.

`python tools/lock.py --keep` adds what is new in pyproject.toml and leaves the other pins alone.
`python tools/lock.py --environment` only writes environment.yml anew from requirements.lock.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
ENVIRONMENT = ROOT / "environment.yml"

HEAD = """\
# Written by tools/lock.py: the pins of requirements.lock, without hashes, and the project.
# mamba env create -f environment.yml, or open the repository on Binder.
name: fastapi-for-ai-engineers
channels:
  - conda-forge
dependencies:
  - python=3.11  # the oldest Python the course promises, and the one CI runs
  - pip  # installs everything below
  - pip:
"""


def canonical(name: str) -> str:
    """Return a distribution's name as packaging compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def reasons() -> dict[str, str]:
    """Return the reason of each direct dependency, from the comments in pyproject.toml."""
    found: dict[str, str] = {}
    for line in (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines():
        match = re.match(r'\s+"([A-Za-z0-9_.-]+)[^"]*",\s+# (.+)', line)
        if match:
            found[canonical(match[1])] = match[2]
    return found


def pins(lock: str) -> list[tuple[str, str]]:
    """Return every (requirement, who asked for it) of a lock file's text, in its order."""
    entries = re.findall(
        r"^([A-Za-z0-9_.-]+==[^\\\n]*?) \\\n(?:    --hash=\S+(?: \\)?\n)+((?:    #.*\n)*)",
        lock,
        flags=re.MULTILINE,
    )
    return [(requirement.strip(), _askers(comment)) for requirement, comment in entries]


def _askers(comment: str) -> str:
    names = (line.strip(" #").removeprefix("via").strip() for line in comment.splitlines())
    own = "fastapi-for-ai-engineers"
    return ", ".join(name for name in names if name and not name.startswith(own))


def environment(lock: str) -> str:
    """Return the text of environment.yml for the text of requirements.lock."""
    why = reasons()
    lines = []
    for requirement, askers in pins(lock):
        name = canonical(requirement.split("==")[0].split("[")[0])
        reason = why.get(name) or f"asked for by {askers}"
        lines.append(f'      - "{requirement}"  # {reason}\n')
    lines.append("      - -e .  # the course's own two packages: classroom and autograder\n")
    return HEAD + "".join(lines)


def _resolve(target: Path, *options: str) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml"),
            *("--universal", "--generate-hashes", "--python-version", "3.11"),
            *("--no-header", "--no-emit-index-url", "--quiet"),
            *(() if "--keep" in sys.argv[1:] else ("--upgrade",)),
            *("--output-file", target.name, *options),
        ],
        cwd=ROOT,
        check=True,
    )


def main() -> None:
    """Resolve and write the files."""
    if "--environment" not in sys.argv[1:]:
        _resolve(LOCK)
        _resolve(DEV_LOCK, "--group", "dev", "--constraints", LOCK.name)
    ENVIRONMENT.write_text(environment(LOCK.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
