"""A class list and submissions of a learning management system, as docs/instructors.md says."""

import csv
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest

from .conftest import CORPUS, COURSE, LAB, ROOT

pytestmark = pytest.mark.notebook

ROSTER = """\
id,first_name,last_name,email,lms_user_id
annbee,Ann,Bee,ann@example.org,4711
bencee,Ben,Cee,ben@example.org,4712
"""
HANDED_IN = {
    f"annbee_LATE_4711_90001_{LAB.name}-1.ipynb": "right-sqlite",
    f"bencee_4712_90002_{LAB.name}.ipynb": "partial-half-finished",
}
"""Files as Canvas names them, and what of the corpus each is."""
DOCS = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")


def block(word: str) -> str:
    """Return the Python block of the instructors' page that has a word in it."""
    return next(
        text for text in re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL) if word in text
    )


@pytest.fixture(scope="module")
def course(new_course):
    """A course whose class list is imported, and whose submissions came in one archive."""
    zero = '\nc.LateSubmissionPlugin.penalty_method = "zero"\n'
    folder = new_course("lms", f"\n{block('FileNameCollectorPlugin')}{zero}")
    (folder.path / "roster.csv").write_text(ROSTER)
    folder.run("db", "student", "import", "roster.csv")
    folder.run("generate_assignment", LAB.name, "--force")
    folder.run("db", "assignment", "add", LAB.name, "--duedate", "2025-01-31 23:59:00 UTC")
    archive = folder.path / "downloaded" / LAB.name / "archive"
    archive.mkdir(parents=True)
    with zipfile.ZipFile(archive / "submissions.zip", "w") as packed:
        for name, submission in HANDED_IN.items():
            packed.writestr(name, nbformat.writes(CORPUS[submission].notebook(COURSE, LAB)))
    folder.run("zip_collect", LAB.name)
    late = folder.path / "submitted" / "annbee" / LAB.name / "timestamp.txt"
    late.write_text("2025-02-02 10:00:00 UTC")
    return folder


def exported(folder):
    """Grade the class, and return the rows of the exported table by student."""
    folder.run("autograde", LAB.name, "--force")
    folder.run("export", "--to", "marks.csv")
    with (folder.path / "marks.csv").open() as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def test_an_archive_of_a_whole_class_is_marked(course):
    """Files of an archive get the marks they earn, with the names of the class list beside them.

    A longer time for one student, by the lines of the page, takes the late penalty away.
    """
    rows = exported(course)
    half = CORPUS["partial-half-finished"].points
    marks = {name: (float(row["raw_score"]), float(row["score"])) for name, row in rows.items()}
    assert marks == {"annbee": (20, 0), "bencee": (half, half)}
    assert rows["annbee"]["first_name"] == "Ann"
    assert rows["annbee"]["email"] == "ann@example.org"

    snippet = block("grant_extension").replace('"ann"', '"annbee"')
    subprocess.run([sys.executable, "-c", snippet], cwd=course.path, env=course.env, check=True)
    assert float(exported(course)["annbee"]["score"]) == 20
