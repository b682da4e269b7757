"""`NbGraderAPI.autograde` with the engine: in a running loop, in threads, one worker for all."""

import asyncio
import os
import shutil
import threading

import psutil
import pytest
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config.loader import PyFileConfigLoader

from autograder.nbgrader import workers

pytestmark = [
    pytest.mark.notebook,
    # nbgrader adds rows in an order that SQLAlchemy warns about, without harm.
    pytest.mark.filterwarnings(f"ignore::{SAWarning.__module__}.{SAWarning.__name__}"),
]


@pytest.fixture(scope="module")
def course(new_course, handed_in):
    folder = new_course("api")
    for student, name in handed_in.items():
        folder.hand_in_corpus(student, name)
    return folder


@pytest.fixture
def api(course, monkeypatch):
    """nbgrader's own API, as formgrader uses it."""
    monkeypatch.delenv("AUTOGRADER_ENGINE", raising=False)
    monkeypatch.setenv("PATH", os.environ["PATH"])  # the settings put nbgrader's folder into it
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.path)).load_config()
    config.CourseDirectory.root = str(course.path)
    yield NbGraderAPI(CourseDirectory(config=config), config=config)
    workers.close()


def test_marks_are_those_of_the_corpus(api, course, corpus, handed_in, lab_name):
    """Called in a running event loop, student by student, with one worker for all of them."""

    async def grade():
        found = set()
        for student in handed_in:
            result = api.autograde(lab_name, student)
            assert result["success"], result
            found.add(tuple(workers.pids()))
        return found

    assert len(asyncio.run(grade())) == 1
    assert {name: row["score"] for name, row in course.rows().items()} == pytest.approx(
        {student: corpus[name].points for student, name in handed_in.items()}
    )


def test_a_thread_that_ends_takes_nothing_along(api, course, corpus, lab_name):
    """The worker dies with the thread that started it; the next call gets another."""
    course.hand_in_corpus("zoe", "right-plain-dictionaries")
    results = []
    for name in ("right-plain-dictionaries", "wrong-put-merges"):
        course.hand_in_corpus("zoe", name)
        thread = threading.Thread(target=lambda: results.append(api.autograde(lab_name, "zoe")))
        thread.start()
        thread.join()
        assert results[-1]["success"], results[-1]
        assert course.rows()["zoe"]["score"] == pytest.approx(corpus[name].points)


@pytest.fixture
def labs(course, lab_name):
    """The lab, and the same with other hints under another name, for which ann has work too."""
    name = "lab01-once-more"
    folder = course.path / "solutions" / name
    if not folder.exists():
        shutil.copytree(course.path / "solutions" / lab_name, folder)
        text = (folder / f"{lab_name}.ipynb").read_text(encoding="utf-8")
        (folder / f"{lab_name}.ipynb").unlink()
        (folder / f"{name}.ipynb").write_text(text.replace("@hint(", "@hint('Read on.', "))
        course.hand_in_corpus("ann", "wrong-put-merges", lab=name)
    return lab_name, name


@pytest.fixture
def came_from():
    """Return a function that gives the nursery's and the zygote's ids, in this order.

    They are the processes that this one has started since; other tests may have theirs.
    """
    strangers = {process.pid for process in psutil.Process().children()}

    def found():
        nursery, zygote = sorted({one.pid for one in psutil.Process().children()} - strangers)
        return nursery, zygote

    return found


def test_workers_for_another_lab_come_from_the_same_processes(came_from, api, course, corpus, labs):
    """Those know no lab, so they need not start and import anew; workers do."""
    found = []
    for lab in labs:
        assert api.autograde(lab, "ann")["success"]
        found.append((came_from(), workers.pids()))
    (before, first), (after, second) = found
    assert before == after
    assert first != second
    assert course.rows(lab)["ann"]["score"] == pytest.approx(corpus["wrong-put-merges"].points)


@pytest.mark.parametrize("number", [0, 1], ids=["nursery", "zygote"])
def test_what_workers_come_from_may_be_killed(came_from, api, labs, number):
    """It is replaced for the next lab."""
    first, other = labs
    assert api.autograde(first, "ann")["success"]
    before = came_from()
    psutil.Process(before[number]).kill()
    assert api.autograde(other, "ann")["success"]
    assert came_from()[number] != before[number]


def test_the_shared_settings_stay_as_they_were(api, course, lab_name):
    """formgrader goes on using its CourseDirectory: it still names submitted/."""
    before = api.coursedir.trait_values(config=True)
    assert api.autograde(lab_name, "ann")["success"]
    assert api.coursedir.trait_values(config=True) == before
    assert api.get_submitted_students(lab_name) >= {"ann", "ben"}
