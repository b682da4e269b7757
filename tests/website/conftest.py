"""The site, built once, with one lesson run."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

RUN = "08"
"""The lesson that is run: it has plots, drawings, checks and a live page."""


def said_by_checks():
    """Return what checks have said to whoever reads the lessons here, by its file."""
    return {file: file.read_bytes() for file in (ROOT / "notebooks").glob(".attempts/*")}


@pytest.fixture(scope="session")
def said_before():
    """What checks had said before the site was built."""
    return said_by_checks()


@pytest.fixture(scope="session")
def site(tmp_path_factory, said_before):
    """The folder of the site's HTML."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "website", "--run", RUN, "--target", str(target)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return target / "html"
