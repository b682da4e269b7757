"""Planted classes, and `autograder report` as its user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from .planted import Planted, plant

AUTOGRADER = Path(sys.executable).with_name("autograder")


@dataclass(frozen=True)
class Report:
    """What the command wrote and said."""

    folder: Path
    code: int
    said: str

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def json(self) -> dict:
        return json.loads(self.text("class.json"))


def report(course: Path, *arguments: str) -> Report:
    """Run the command in a course's folder."""
    ran = subprocess.run(
        [str(AUTOGRADER), "report", *arguments],
        cwd=course,
        capture_output=True,
        text=True,
        check=False,
    )
    return Report(course / "reports", ran.returncode, ran.stdout + ran.stderr)


@pytest.fixture(scope="session")
def weak(tmp_path_factory):
    """The report on a class of 200 in which every second student lacks one skill."""
    folder = tmp_path_factory.mktemp("weak") / "course"
    plant(folder, Planted(students=200, labs=3, weak="d2.lifecycles"))
    return report(folder)
