"""The feedback page: what was lost and why comes first, and nothing on it can run or ask."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from autograder.course import CONFIG

MARKUP = "<script>alert(1)</script>"
T1_WRONG = f'@app.get("/double/{{number}}")\ndef double(number: int) -> str:\n    return "{MARKUP}"'


@pytest.fixture(params=["command", "api"])
def page(small, environment, request):
    """Return a function that grades what is handed in, and gives a student's feedback page.

    It is made by nbgrader's command, and by its API, which formgrader's button calls.
    """

    def made(student):
        assert small.grade().code == 0
        by = {"command": by_command, "api": by_api}[request.param]
        by(small, student, environment)
        return (small.path / "feedback" / student / small.lab / f"{small.lab}.html").read_text()

    return made


def by_command(small, student, environment):
    command = Path(sys.executable).with_name("nbgrader")
    subprocess.run(
        [command, "generate_feedback", small.lab, "--student", student, "--force"],
        cwd=small.path, env=environment, check=True, capture_output=True,
    )  # fmt: skip


def by_api(small, student, _environment):
    config = PyFileConfigLoader(CONFIG, path=str(small.path)).load_config()
    config.CourseDirectory.root = str(small.path)
    # What formgrader sets for all pages that it makes.
    config.HTMLExporter.template_name = "formgrade"
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    result = api.generate_feedback(small.lab, student, force=True)
    assert result["success"], result


def text_of(page):
    """Return what a reader sees, without styles, in one line."""
    page = re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(page.split())


def test_what_was_lost_and_why_comes_first(small, page):
    """Mark, points of each task, each failed test with its reason and hint, then all the rest."""
    small.hand_in("amy", t1=T1_WRONG)
    text = text_of(page("amy"))
    top = text[: text.index("Every test")]
    assert f"{small.lab}: 0 of 4.5 points" in top
    assert "0 of 2 The double of a number comes back." in top
    assert "Expected:" in top
    assert "1 more test was not run" in top
    assert "0 of 1.5 1 test was not run" in top
    assert text.index("Every test") < text.index("Your notebook")


def test_the_page_asks_no_other_host_and_runs_nothing(small, page):
    """No script, no picture or style from elsewhere; what a student answers is text."""
    small.hand_in("amy", t1=T1_WRONG)
    made = page("amy")
    assert "<script" not in made
    assert not re.search(r"""<[^>]+\b(src|href)=["']?(https?:)?//""", made)
    assert not re.search(r"url\(['\"]?(https?:)?//|@import", made)
    assert "&lt;script&gt;alert(1)" in made


def test_the_tests_are_folded(small, page):
    """A check's source opens by a click, and says where its verdict stands."""
    small.hand_in("amy")
    made = page("amy")
    folded = "".join(re.findall(r"<details>.*?</details>", made, flags=re.DOTALL))
    assert "test_the_double_comes_back" in folded
    unfolded = re.sub(r"<details>.*?</details>", "", made, flags=re.DOTALL)
    assert "async" not in text_of(unfolded)
    assert 'href="#tests-check-t1"' in made
    assert 'name="tests-check-t1"' in made


def test_a_comment_and_lateness_are_on_top(small, page):
    """A person's comment is linked from the top, and a penalty is in the mark."""
    with (small.path / "nbgrader_config.py").open("a") as config:
        config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    small.hand_in("amy").with_name("timestamp.txt").write_text("2026-02-01 12:00:00 UTC")
    small.grade()
    with Gradebook(f"sqlite:///{small.path / 'gradebook.db'}") as book:
        book.update_or_create_assignment(small.lab, duedate="2026-01-31 23:59:00 UTC")
        book.find_comment("why", small.lab, small.lab, "amy").manual_comment = "Say *more*."
        book.db.commit()
    made = page("amy")
    top = text_of(made)[: text_of(made).index("Every test")]
    assert "2 of 2 All 2 tests pass." in top
    assert "1.5 of 1.5 Its test passes." in top
    assert f"{small.lab}: 0 of 4.5 points 3.5 points were taken away" in top
    assert 'href="#comment-why"' in made
    assert "Say <em>more</em>." in made
