"""`autograder grade` gives every submission of lab 01's corpus its mark, and keeps secrets."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.checks.cell import BEGIN_HIDDEN, END_HIDDEN
from autograder.checks.output import RECORD_TYPE
from autograder.checks.records import CheckResult, Outcome

NBGRADER = Path(sys.executable).with_name("nbgrader")


def test_every_mark_is_the_one_that_the_corpus_states(lab01):
    """The mark, each test lost and the status are those of the corpus, in JSON and gradebook."""
    folder, graded, corpus = lab01
    assert graded.code == 1  # one submission is no notebook
    rows = folder.rows()
    for submission in corpus:
        line = graded.lines[submission.name]
        assert line["score"] == submission.points, submission.name
        assert rows[submission.name]["score"] == pytest.approx(submission.points)
        unreadable = submission.kind == "unreadable"
        assert line["status"] == ("review" if unreadable else "graded")
        assert line["sandbox"] in {"strong", "contained"}
        if not unreadable:
            records = records_of(folder.autograded(submission.name))
            assert {
                test.id: test.outcome is not Outcome.PASSED
                for record in records
                for test in record.tests
            } == {
                test.id: submission.is_lost(test.id) for record in records for test in record.tests
            }, submission.name


def test_a_second_run_takes_everything_over(lab01):
    """Nothing is run again, nothing is written again, and the marks stay."""
    folder, first, corpus = lab01
    before = {name: state(folder.autograded_file(name)) for name in first.lines}
    again = folder.grade()
    assert again.statuses() == {"cached", "review"}
    assert {name: line["score"] for name, line in again.lines.items()} == {
        submission.name: submission.points for submission in corpus
    }
    assert {name: state(folder.autograded_file(name)) for name in first.lines} == before


def test_no_hidden_test_is_in_what_students_may_see(lab01):
    """Not in the autograded notebooks, not in the feedback, not in what the command prints."""
    folder, graded, _ = lab01
    subprocess.run(
        [NBGRADER, "generate_feedback", folder.lab],
        cwd=folder.path,
        check=True,
        capture_output=True,
    )
    secrets = hidden_lines(nbformat.read(folder.source(), as_version=4))
    assert len(secrets) > 20
    seen = [*folder.path.glob("autograded/**/*.ipynb"), *folder.path.glob("feedback/**/*.html")]
    assert len(seen) == 2 * len(graded.lines)
    texts = [file.read_text() for file in seen]
    for text in [*texts, graded.printed, graded.complaints]:
        assert not [secret for secret in secrets if secret in text]
    # The search does find what is there.
    assert "Tests of Task 1" in texts[0]


def hidden_lines(notebook):
    """Return the lines of code that only hidden tests have, docstrings aside."""
    hidden, shown = set(), set()
    for cell in notebook.cells:
        inside = False
        for line in map(str.strip, cell.source.splitlines()):
            inside = (inside or line == BEGIN_HIDDEN) and line != END_HIDDEN
            (hidden if inside else shown).add(line)
    return {
        line
        for line in hidden
        if len(line) > 12
        and not any(line in other for other in shown)
        and not line.startswith(('"""', "###", "@hint"))
    }


def records_of(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [
        CheckResult.model_validate(output["data"][RECORD_TYPE])
        for output in outputs
        if RECORD_TYPE in output.get("data", {})
    ]


def state(file):
    status = file.stat()
    return status.st_mtime_ns, status.st_ino
