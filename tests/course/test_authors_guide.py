"""The authors' guide: who follows its commands gets a lab that is built, proven, released."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from repository import copy_to  # noqa: E402 - the path comes first

GUIDE = (ROOT / "docs" / "authors.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "docs" / "example-lab"
PARTS = re.split(r"^## ", GUIDE, flags=re.MULTILINE)
LEFT_OUT = {"make setup", ". .venv/bin/activate"}
"""What a machine that runs tests has done already."""


def commands(part):
    """Return the commands of a part of the guide."""
    found = "".join(re.findall(r"^```console\n(.*?)^```", part, flags=re.MULTILINE | re.DOTALL))
    return [line for line in found.splitlines() if line not in LEFT_OUT]


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A copy of the repository in which every command of the guide was run, in order."""
    copy = tmp_path_factory.mktemp("author") / "course"
    copy_to(copy)
    programs = Path(sys.executable).parent
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    environment = kept | {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(copy)}
    printed = {}
    for part in PARTS:
        for command in commands(part):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=copy, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            printed[command] = done.stdout
    return copy, printed


def test_the_lab_is_built_proven_and_released(followed):
    """The release has no answer, the gates judged every submission, and the bundle is there."""
    copy, printed = followed
    release = (copy / "labs/lab20-estimates/lab20-estimates.ipynb").read_text(encoding="utf-8")
    assert "total=30" not in release
    assert "test_40_hours" not in release
    submissions = list(EXAMPLE.joinpath("corpus").glob("*.md"))
    gates = next(text for command, text in printed.items() if "tests/gates" in command)
    passed = re.search(r"(\d+) passed", gates)
    assert passed
    assert int(passed[1]) > 2 * len(submissions)
    assert (copy / "for-students/labs/lab20-estimates/lab20-estimates.ipynb").is_file()
    assert not (copy / "for-students/solutions").exists()


def test_what_the_guide_shows_stands_in_the_example():
    """The test and the submission on the page are the ones that were run."""
    shown = re.search(r"^```python\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL)
    assert shown
    assert shown[1] in (EXAMPLE / "lab.md").read_text(encoding="utf-8")
    submission = re.search(r"^````\n(.*?)^````", GUIDE, flags=re.MULTILINE | re.DOTALL)
    assert submission
    files = EXAMPLE.joinpath("corpus").glob("*.md")
    assert submission[1] in {file.read_text(encoding="utf-8") for file in files}
