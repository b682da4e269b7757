"""`NbGraderAPI.autograde` with the engine: in a running loop, in threads, one worker for all."""

import asyncio
import os
import threading

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


def test_the_shared_settings_stay_as_they_were(api, course, lab_name):
    """formgrader goes on using its CourseDirectory: it still names submitted/."""
    before = api.coursedir.trait_values(config=True)
    assert api.autograde(lab_name, "ann")["success"]
    assert api.coursedir.trait_values(config=True) == before
    assert api.get_submitted_students(lab_name) >= {"ann", "ben"}
