"""The files of the environment agree, so that Binder runs what the tests ran."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROMISED = ("jupyterlab", "nbgrader", "fastapi", "httpx", "pytest", "nest-asyncio")
LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    """Return tools/lock.py as a module."""
    spec = importlib.util.spec_from_file_location("lock", ROOT / "tools/lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(lock: ModuleType, name: str) -> list[str]:
    return [requirement for requirement, _ in lock.pins(text(name))]


def name_of(lock: ModuleType, requirement: str) -> str:
    return lock.canonical(re.match(r"[A-Za-z0-9_.-]+", requirement)[0])


def installed_by_pip() -> list[str]:
    """Return what environment.yml has pip install, as a YAML reader sees it."""
    environment = yaml.safe_load(text("environment.yml"))
    return next(part["pip"] for part in environment["dependencies"] if isinstance(part, dict))


def direct() -> dict[str, list[str]]:
    project = tomllib.loads(text("pyproject.toml"))
    return {
        "requirements.lock": project["project"]["dependencies"],
        "requirements-dev.lock": project["dependency-groups"]["dev"],
    }


def test_environment_is_what_the_lock_file_makes(lock):
    """environment.yml is, to the byte, what tools/lock.py writes for requirements.lock."""
    assert text("environment.yml") == lock.environment(text("requirements.lock"))


def test_environment_and_lock_hold_the_same_pins(lock):
    """Every pin of one is in the other, and behind them only the project itself."""
    *pinned, project = installed_by_pip()
    assert pinned == pins(lock, "requirements.lock")
    assert project == "-e ."


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_file_is_understood(lock, name):
    """Every requirement in a lock file is an exact pin that tools/lock.py reads."""
    lines = [line for line in text(name).splitlines() if line and not line.startswith((" ", "#"))]
    assert [line.removesuffix("\\").strip() for line in lines] == pins(lock, name)


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name):
    """The installer is told the hash of everything that it may install."""
    entries = re.split(r"^(?=\S)", text(name), flags=re.MULTILINE)[1:]
    without = [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)]
    assert entries
    assert without == []


@pytest.mark.parametrize("name", [*LOCKS, "environment.yml"])
def test_no_host_is_named(name):
    """The files work with whatever registry the reader's pip uses."""
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links", text(name)) == []


def test_the_promised_packages_are_pinned(lock):
    """What the course promises to its readers is installed, in one version each."""
    names = [name_of(lock, pin) for pin in pins(lock, "requirements.lock")]
    assert {name: names.count(name) for name in PROMISED} == dict.fromkeys(PROMISED, 1)


@pytest.mark.parametrize("name", LOCKS)
def test_every_direct_dependency_is_pinned_and_has_a_reason(lock, name):
    """pyproject.toml says why each direct dependency is there, and the lock file has it."""
    asked = {name_of(lock, requirement) for requirement in direct()[name]}
    assert asked <= lock.reasons().keys()
    assert asked <= {name_of(lock, pin) for pin in pins(lock, name)}


def test_every_pin_of_the_environment_says_why(lock):
    """Each line of environment.yml gives a reason, or who asked for it."""
    lines = [line for line in text("environment.yml").splitlines() if line.startswith("      - ")]
    assert len(lines) == len(installed_by_pip())
    without = [line for line in lines if not re.search(r"  # (?!asked for by $)\S.*\S$", line)]
    assert without == []


def test_contributors_have_the_same_versions(lock):
    """Every pin of a student's environment stands in the contributors' file, word for word."""
    assert set(pins(lock, "requirements.lock")) - set(pins(lock, "requirements-dev.lock")) == set()


def test_a_pin_without_a_hash_is_noticed(lock):
    """A requirement that cannot be read is left out, which the comparisons above then show."""
    known = "one==1.0 \\\n    --hash=sha256:aa\n    # via\n    #   two\n    #   three\n"
    assert lock.pins(known + "two==2.0\n") == [("one==1.0", "two, three")]
