"""What Binder builds and starts, in folders of this machine: repo2docker's steps without Docker.

repo2docker writes the Dockerfile; the steps that come after it has copied the repository are run
here as they stand there. One program of theirs is stood in for: mamba. The image gets its Python
and pip from conda-forge; here a virtual environment gives both, and the packages come by pip, as
`environment.yml` has them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # it ships no types
from lab_server import LabServer, served
from repository import ROOT, copy_to

REPO2DOCKER = "jupyter-repo2docker==2026.4.0"
_STEP = re.compile(r"^(?P<kind>[A-Z]+) (?P<text>(?:.*\\\n)*.*)$", flags=re.MULTILINE)
_GIVEN = "HOME", "LANG", "PATH", "SSL_CERT_FILE", "PIP_CERT", "PIP_FIND_LINKS", "PIP_INDEX_URL"


@dataclass(frozen=True)
class Image:
    """A folder with what Binder's image holds.

    Attributes:
        home: The repository, which is the user's home folder in the image.
        prefix: The Python environment.
        dockerfile: What repo2docker has written.
    """

    home: Path
    prefix: Path
    dockerfile: str

    @property
    def bin(self) -> Path:
        """Return where its programs are."""
        return self.prefix / "bin"


def build(folder: Path) -> Image:
    """Build what Binder would build of this repository.

    Args:
        folder: An empty folder.

    Raises:
        RuntimeError: A step failed; what it printed is in the message.
    """
    home = folder / "home"
    copy_to(home)
    image = Image(home, folder / "notebook", dockerfile(folder, home))
    venv.create(image.prefix, with_pip=True, symlinks=True)
    variables = {
        "NB_PYTHON_PREFIX": str(image.prefix),
        "MAMBA_EXE": f"{sys.executable} {Path(__file__)}",
        "REPO_DIR": str(image.home),
    }
    for step in steps(image.dockerfile):
        _run(["bash", "-c", step], image.home, variables)
    return image


@contextmanager
def started(image: Image, base_url: str) -> Iterator[LabServer]:
    """Start what BinderHub starts in the image, until the block ends; it reaches no other machine.

    Args:
        image: What `build` has built.
        base_url: The path below which it is served.
    """
    environment = {
        "HOME": str(image.home),
        "PATH": f"{image.bin}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "tests" / "course" / "offline"),
    }
    command = [str(image.bin / "jupyter-lab")]
    with served(command, image.home, environment, base_url=base_url) as server:
        yield server


def dockerfile(folder: Path, repository: Path) -> str:
    """Return the Dockerfile that repo2docker writes of a repository.

    Args:
        folder: Where repo2docker is installed into.
        repository: The repository.
    """
    place = folder / "repo2docker"
    venv.create(place, with_pip=True, symlinks=True)
    _run([str(place / "bin" / "pip"), "install", "--quiet", REPO2DOCKER], folder, {})
    command = [str(place / "bin" / "repo2docker"), "--no-build", "--debug"]
    user = ["--user-id", "1000", "--user-name", "jovyan"]
    return _run([*command, *user, str(repository)], folder, {})


def steps(text: str) -> list[str]:
    """Return what a Dockerfile runs once the repository has been copied.

    Args:
        text: The Dockerfile.
    """
    _, found, rest = text.partition(" src/ ${REPO_DIR}/")
    if not found:
        raise RuntimeError(f"repo2docker copies the repository in another way now:\n{text}")
    return [
        re.sub(r"\\\n", " ", step["text"]) for step in _STEP.finditer(rest) if step["kind"] == "RUN"
    ]


def _run(command: list[str], folder: Path, variables: dict[str, str]) -> str:
    kept = {name: os.environ[name] for name in _GIVEN if name in os.environ}
    done = subprocess.run(
        command, cwd=folder, env=kept | variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def mamba(arguments: list[str]) -> None:
    """Do what mamba does with the pip part of an environment file; the rest is there already.

    Args:
        arguments: What mamba is called with.
    """
    if arguments[:2] != ["env", "update"]:
        return  # it cleans up and lists
    prefix = Path(arguments[arguments.index("-p") + 1])
    file = Path(arguments[arguments.index("--file") + 1]).resolve()
    *by_conda, by_pip = yaml.safe_load(file.read_text(encoding="utf-8"))["dependencies"]
    if by_conda != [f"python={sys.version_info[0]}.{sys.version_info[1]}", "pip"]:
        raise RuntimeError(f"This Python is not what environment.yml asks of conda: {by_conda}")
    wanted = file.with_name("mambaf-requirements.txt")
    wanted.write_text("\n".join(by_pip["pip"]) + "\n", encoding="utf-8")
    pip = [str(prefix / "bin" / "python"), "-m", "pip", "install", "--no-input", "--quiet"]
    subprocess.run([*pip, "-r", str(wanted)], cwd=file.parent, check=True)
    wanted.unlink()


if __name__ == "__main__":
    mamba(sys.argv[1:])
