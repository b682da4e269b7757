"""What Binder builds and starts: repo2docker's steps in a clean environment, then JupyterLab."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import binder
from lab_runs import Peak, run_all

BASE = "/user/ann-fastapi-course-1x2y3z"
LAB = "lab01-path-operations"
LESSON = "notebooks/10-model-serving.ipynb"
"""The lesson that takes most memory."""


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """What repo2docker's steps make of this repository."""
    return binder.build(tmp_path_factory.mktemp("binder"))


@pytest.fixture(scope="module")
def session(image):
    """A session as Binder starts it, without a network."""
    with binder.started(image, BASE) as server:
        yield server


def test_the_steps_after_the_copy_are_one(image):
    """repo2docker has nothing else to run here: no Debian package and no script of ours."""
    steps = binder.steps(image.dockerfile)
    assert len(steps) == 1
    assert 'env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"' in steps[0]


def test_the_environment_has_no_conflict(image):
    """Every package finds what it asks for."""
    done = subprocess.run(
        [image.bin / "python", "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_first_page_is_the_start_page(session):
    """The path of Binder's links, `start`, opens JupyterLab with it; it names every lesson."""
    assert session.first_page == "/start"
    with session.client() as client:
        assert client.get("/start").headers["location"] == f"{BASE}/lab?start"
        page = client.get("/course").raise_for_status().text
        assert client.get("/lab").raise_for_status()
    lessons = sorted((session.course / "notebooks").glob("[0-9][0-9]-*.ipynb"))
    assert len(lessons) > 1
    assert [
        one.name for one in lessons if f"{BASE}/lab/tree/notebooks/{one.name}" not in page
    ] == []


def test_two_kernels_fit_into_a_session(session):
    """A lesson runs to its end beside a lab that is open: less than 1.5 GB in all."""
    with Peak(session.process) as peak:
        assert run_all(session, f"labs/{LAB}/{LAB}.ipynb") == []
        assert run_all(session, LESSON) == []
    session.stop_kernels()
    assert 0.2 * 2**30 < peak.bytes < 1.5 * 2**30


def test_hidden_tests_run_there(session, image):
    """`autograder check lab01` in a terminal says what the blank lab lacks."""
    done = subprocess.run(
        [image.bin / "autograder", "check", "lab01"],
        cwd=session.course, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "0 of 20" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
