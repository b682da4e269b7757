"""formgrader's button in a real Jupyter server, and hostile markup on the pages that follow."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import nbformat
import pytest

from autograder.course import Course

LAB = Course.find(Path(__file__).parent).lab("lab01").name
ESSAY = "essay"
MARKUP = """
from IPython.display import HTML, Javascript, display

print("<script>evil()</script>")
display(HTML("<script>evil()</script><img src='x' onerror='evil()'>"))
display(Javascript("evil()"))
"<script>evil()</script>"
"""
PROSE = """
Because **order** matters, see [the docs](https://fastapi.tiangolo.com/).

<script>evil()</script> <img src="x" onerror="evil()"> <iframe src="javascript:evil()"></iframe>
[click](javascript:evil()) <details open ontoggle="evil()"><summary>more</summary>text</details>
<svg onload="evil()"><a xlink:href="javascript:evil()">x</a></svg>
<form action="/formgrader/api/submission" method="post"><button>win</button></form>
$\\href{javascript:evil()}{x}$ and $a < b$
"""
CHECK = '''\
%%check essay/t1 points=1
async def test_hello(client):
    """The root answers."""
    assert (await client.get("/")).status_code == 200
'''

pytestmark = pytest.mark.notebook


class Active(HTMLParser):
    """Collects what would run, load or send if a page were opened, and the text it shows."""

    def __init__(self, page):
        super().__init__()
        self.found, self.shown, self.inside = [], "", False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "script"
        values = dict(attrs)
        self.found += [f"{tag} {name}" for name in values if name.startswith("on")]
        self.found += [f"{tag} {name}" for name, value in attrs if "javascript:" in (value or "")]
        if tag in {"iframe", "form", "svg"}:
            self.found.append(tag)

    def handle_endtag(self, _tag):
        self.inside = False

    def handle_data(self, data):
        if not self.inside:
            self.shown += data
        elif "evil" in data:
            self.found.append("script")


@pytest.fixture(scope="module")
def course(new_course, write_lab, make_cell):
    """A course with lab 01 and one that has an answer in Markdown; nothing is marked yet."""
    folder = new_course("formgrader")
    app = "from fastapi import FastAPI\n\napp = FastAPI()"
    answer = '### BEGIN SOLUTION\n@app.get("/")\ndef root(): return 1\n### END SOLUTION'
    write_lab(
        folder,
        ESSAY,
        make_cell("setup", app, locked=True),
        make_cell("t1", answer, solution=True),
        make_cell("c1", CHECK, grade=True, locked=True, points=1),
        make_cell("why", "Because.", kind="markdown", grade=True, solution=True, points=4),
    )
    folder.run("generate_assignment", ESSAY)
    release = nbformat.read(folder.path / "labs" / ESSAY / f"{ESSAY}.ipynb", as_version=4)
    answers = {"t1": MARKUP, "why": PROSE}
    for cell in release.cells:
        cell.source = answers.get(cell.id, cell.source)
    release.cells.append(nbformat.v4.new_markdown_cell("<script>evil()</script> added", id="more"))
    folder.hand_in("mallory", release, ESSAY)
    folder.hand_in_corpus("ann", "partial-half-finished")
    folder.hand_in("eve", "This is no notebook.")
    folder.run("generate_assignment", LAB, "--force")
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
                timeout=120,
            ) as client:
                client.get("/formgrader").raise_for_status()
                yield client
        finally:
            process.terminate()
            process.stderr.read()


def press(client, button):
    """Press one of formgrader's buttons, with the token against forgery that its page has."""
    token = {"X-XSRFToken": client.cookies["_xsrf"]}
    reply = client.post(f"/formgrader/api/{button}", headers=token).raise_for_status().json()
    assert reply["success"], reply["log"]
    return reply["log"]


def submission(client, lab, student):
    rows = client.get(f"/formgrader/api/submissions/{lab}").raise_for_status().json()
    return next(row for row in rows if row["student"] == student)


def page_of(client, lab, student):
    rows = client.get(f"/formgrader/api/submitted_notebooks/{lab}/{lab}").json()
    [row] = [row for row in rows if row["student"] == student]
    return client.get(f"/formgrader/submissions/{row['id']}").raise_for_status().text


@pytest.fixture(scope="module")
def marked(formgrader):
    """The same client after the button Autograde for everybody, and Generate feedback."""
    press(formgrader, f"submission/{LAB}/ann/autograde")
    press(formgrader, f"submission/{LAB}/eve/autograde")
    press(formgrader, f"submission/{ESSAY}/mallory/autograde")
    for lab in (LAB, ESSAY):
        press(formgrader, f"assignment/{lab}/generate_feedback")
    return formgrader


def test_the_mark_arrives_after_the_button(marked, corpus):
    """The table has the mark of the corpus; a second press gives the same mark."""
    expected = corpus["partial-half-finished"].points
    assert submission(marked, LAB, "ann")["score"] == pytest.approx(expected)
    press(marked, f"submission/{LAB}/ann/autograde")
    assert submission(marked, LAB, "ann")["score"] == pytest.approx(expected)
    assert not submission(marked, LAB, "ann")["needs_manual_grade"]


def test_what_a_person_must_see_is_flagged(marked):
    """formgrader lists an unreadable submission as one to be graded by hand, with the reason."""
    assert submission(marked, LAB, "eve")["needs_manual_grade"]
    assert submission(marked, LAB, "eve")["score"] == 0
    assert "it is not JSON" in page_of(marked, LAB, "eve")


def test_the_page_of_a_submission_has_the_tables_and_no_hidden_test(marked, course):
    """All five checks are rendered; no hidden test's name is on the page."""
    page = page_of(marked, LAB, "ann")
    assert page.count('class="tests"') == 5
    source = (course.path / "solutions" / LAB / f"{LAB}.ipynb").read_text()
    shown = (course.path / "labs" / LAB / f"{LAB}.ipynb").read_text()
    names = set(re.findall(r"def (test_\w+)", source)) - set(re.findall(r"def (test_\w+)", shown))
    assert names
    assert not [name for name in names if name in page]


def pages(client, course):
    """Return formgrader's page and the feedback of the hostile submission."""
    feedback = course.path / "feedback" / "mallory" / ESSAY / f"{ESSAY}.html"
    return page_of(client, ESSAY, "mallory"), feedback.read_text()


def test_nothing_of_a_submission_runs(marked, course):
    """Neither outputs nor answers in Markdown nor cells of the student's own bring a script."""
    for page in pages(marked, course):
        active = Active(page.split('id="notebook"')[-1])
        assert active.found == []
        assert "<script>evil()</script>" in active.shown


def test_markdown_is_still_markdown(marked, course):
    """Emphasis, links and formulas of an answer are shown as such; added prose is dropped."""
    for page in pages(marked, course):
        assert "<strong>order</strong>" in page
        assert '<a href="https://fastapi.tiangolo.com/">the docs</a>' in page
        assert "$a &lt; b$" in page
        # MathJax would make a link of this one.
        assert "$\\text{javascript:evil()}{x}$" in page
        assert "added</p>" not in page
