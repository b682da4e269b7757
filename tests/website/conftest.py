"""The site, built once, with one lesson run."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

RUN = "08"
"""The lesson that is run: it has plots, drawings, checks and a live page."""


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site's HTML."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "website", "--run", RUN, "--target", str(target)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return target / "html"
