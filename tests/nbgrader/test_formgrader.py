"""formgrader in a real Jupyter server: its page, its table, its button, and a hostile output."""

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest

from autograder.corpus import read_corpus
from autograder.course import Course

COURSE = Course.find(Path(__file__).parent)
LAB = COURSE.lab("lab01")
CORPUS = {one.name: one for one in read_corpus(COURSE, LAB)}
MARKUP = """
from IPython.display import HTML, Javascript, Markdown, display

print("<script>printed()</script>")
display(HTML("<script>shown()</script><img src='x' onerror='shown()'><b>bold</b>"))
display(HTML("<details open ontoggle='shown()'><summary>more</summary>text</details>"))
display(Javascript("shown()"))
display(Markdown("[link](javascript:shown()) <iframe src='javascript:shown()'></iframe>"))
"<script>result()</script>"
"""
HOSTILE = replace(
    CORPUS["blank"],
    name="mallory",
    tasks={
        "t1": """
class AgentIn(BaseModel):
    name: str = "<script>answered()</script>"


@app.post("/drafts")
def read_draft() -> AgentIn:
    print("<img src='x' onerror='logged()'>")
    return AgentIn()
""",
        "t2": MARKUP,
    },
)

pytestmark = pytest.mark.notebook


@pytest.fixture(scope="module")
def course(new_course):
    """A course in which two students have handed in, and nothing is marked yet."""
    folder = new_course("formgrader")
    for student, one in {"ann": CORPUS["partial-half-finished"], "mallory": HOSTILE}.items():
        one.write(folder.path / "submitted" / student / LAB.name, COURSE, LAB)
    return folder


@pytest.fixture(scope="module")
def formgrader(course):
    """A client of a Jupyter server that was started in the course's folder."""
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
        *("--IdentityProvider.token=secret", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"),
    ]
    log = course.path / "server.txt"
    with (
        log.open("w") as file,
        subprocess.Popen(
            command, cwd=course.path, env=course.env, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        try:
            address = next(
                found
                for line in iter(process.stderr.readline, "")
                if file.write(line) and (found := re.search(r"http://[^/]+", line))
            )
            with httpx2.Client(
                base_url=address[0],
                headers={"Authorization": "token secret"},
                trust_env=False,
                follow_redirects=True,
                timeout=60,
            ) as client:
                yield client
        finally:
            process.terminate()
            process.stderr.read()


def submissions(client):
    rows = client.get(f"/formgrader/api/submissions/{LAB.name}").raise_for_status().json()
    return {row["student"]: row for row in rows}


def press(client, button):
    """Press one of formgrader's buttons, with the token against forgery that its page has."""
    token = {"X-XSRFToken": client.cookies["_xsrf"]}
    reply = client.post(f"/formgrader/api/{button}", headers=token).raise_for_status().json()
    assert reply["success"], reply["log"]


@pytest.fixture(scope="module")
def marked(formgrader):
    """The same client, after the buttons Autograde and Generate feedback."""
    formgrader.get("/formgrader").raise_for_status()
    before = submissions(formgrader)
    assert {row["autograded"] for row in before.values()} == {False}
    for student in ("ann", "mallory"):
        press(formgrader, f"submission/{LAB.name}/{student}/autograde")
    press(formgrader, f"assignment/{LAB.name}/mallory/generate_feedback")
    return formgrader


def test_the_page_lists_the_lab(formgrader):
    """The page opens, and its table has the lab with the points of its checks."""
    assert "manage_assignments" in str(formgrader.get("/formgrader").raise_for_status().url)
    [row] = formgrader.get("/formgrader/api/assignments").raise_for_status().json()
    assert row["name"] == LAB.name
    assert row["max_code_score"] == 20
    assert row["num_submissions"] == 2


def test_the_mark_arrives_after_the_button(marked):
    """After Autograde the table of submissions has the mark that the corpus states."""
    row = submissions(marked)["ann"]
    assert row["autograded"]
    assert row["score"] == pytest.approx(CORPUS["partial-half-finished"].points)
    assert row["max_score"] == 20


class Active(HTMLParser):
    """Collects what would run if a page were opened."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.shown = ""
        self.in_script = False

    def handle_starttag(self, tag, attrs):
        self.in_script = tag == "script"
        self.found += [f"{name}={value}" for name, value in attrs if name.startswith("on")]
        self.found += [value for _, value in attrs if value and "javascript:" in value]
        self.found += [tag] if tag == "iframe" else []

    def handle_endtag(self, _tag):
        self.in_script = False

    def handle_data(self, data):
        if self.in_script:
            self.found.append(data)
        else:
            self.shown += data


CALLS = re.compile(r"(printed|shown|result|answered|logged)\(\)|iframe")


def ran(page):
    """Return what of the submission would run in a page, and the text that it shows."""
    active = Active()
    active.feed(page)
    return [found for found in active.found if CALLS.search(found)], active.shown


def test_nothing_of_a_submission_runs_in_formgrader(marked):
    """The page on which a submission is looked at shows its markup as text, and the checks."""
    rows = marked.get(f"/formgrader/api/submitted_notebooks/{LAB.name}/{LAB.name}").json()
    [row] = [row for row in rows if row["student"] == "mallory"]
    page = marked.get(f"/formgrader/submissions/{row['id']}").raise_for_status().text
    running, shown = ran(page)
    assert running == []
    assert "<script>printed()</script>" in shown
    assert "<script>answered()</script>" in shown
    assert page.count('class="tests"') >= 5


def test_nothing_of_a_submission_runs_in_the_feedback(marked, course):
    """The feedback shows markup as text too, bold as bold, and the tables of the checks."""
    file = course.path / "feedback" / "mallory" / LAB.name / f"{LAB.name}.html"
    page = file.read_text(encoding="utf-8")
    running, shown = ran(page)
    assert running == []
    for text in ("<script>printed()", "<script>result()", "<script>answered()", "onerror='logged"):
        assert text in shown
    assert "<b>bold</b>" in page
    assert page.count('class="tests"') >= 5
    assert ".check table.tests{" in page


def test_the_feedback_shows_hidden_tests(marked, course):
    """Plain nbgrader's feedback has the source of hidden tests, as the manual warns."""
    file = course.path / "feedback" / "mallory" / LAB.name / f"{LAB.name}.html"
    _, shown = ran(file.read_text(encoding="utf-8"))
    assert shown.count("### BEGIN HIDDEN TESTS") == 5
