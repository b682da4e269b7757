"""`autograder grade` on a class: rows as nbgrader writes them, and nobody stops the others."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.grading.stock import StockCourse

from .conftest import T1

HIDDEN = "KEPT_FROM_STUDENTS"
KILLS = (
    '@app.get("/double/{number}")\ndef double(number: int) -> str:\n    return "kill the grader"'
)


def double(body):
    return f'@app.get("/double/{{number}}")\ndef double(number: int) -> int:\n    {body}'


WRONG = '@app.get("/double/{number}")\ndef double(number: int) -> int:\n    return abs(2 * number)'


def test_the_rows_are_those_that_nbgrader_writes(small, tmp_path):
    """Scores, comments, flags and times of a class equal stock nbgrader's, kernel and all."""
    small.hand_in("amy").with_name("timestamp.txt").write_text("2026-01-31 12:00:00 UTC")
    small.hand_in("bob", WRONG)
    small.hand_in("cleo", "pass", "1 / 0")
    shutil.copy(small.path / "labs" / small.lab / f"{small.lab}.ipynb", small.submitted("dora"))
    small.submitted("eve").write_text("This is no notebook.")
    shutil.copytree(small.path, tmp_path / "stock")
    stock = StockCourse(tmp_path / "stock")
    by_nbgrader = {
        graded.student: graded.score for graded in stock.grade(small.lab, stock.students(small.lab))
    }
    graded = small.grade()
    assert graded.code == 1
    assert {name: line["score"] for name, line in graded.lines.items()} == by_nbgrader
    assert by_nbgrader == {"amy": 3.5, "bob": 2.5, "cleo": 0, "dora": 0, "eve": 0}
    ours = small.rows()
    theirs = type(small)(tmp_path / "stock").rows()
    for row in (ours["eve"], theirs["eve"]):
        row["comments"] = {name: comment for name, comment in row["comments"].items() if comment}
    assert ours == theirs
    assert ours["amy"]["timestamp"] == dt.datetime(2026, 1, 31, 12)  # noqa: DTZ001 - as nbgrader keeps it
    assert ours["dora"]["comments"] == dict.fromkeys(("t1", "t2", "why"), "No response.")


def test_a_late_submission_costs_what_the_plug_in_says(small):
    """With nbgrader's `zero` penalty; a due date that is set later counts without a new run."""
    with (small.path / "nbgrader_config.py").open("a") as config:
        config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    small.hand_in("amy").with_name("timestamp.txt").write_text("2026-02-01 12:00:00 UTC")
    small.hand_in("bob").with_name("timestamp.txt").write_text("2026-01-31 12:00:00 UTC")
    small.grade()
    assert [row["late"] for row in small.rows().values()] == [0, 0]
    with Gradebook(f"sqlite:///{small.path / 'gradebook.db'}") as gradebook:
        gradebook.update_or_create_assignment(small.lab, duedate="2026-01-31 23:59:00 UTC")
    again = small.grade()
    assert again.statuses() == {"cached"}
    shown = {name: (line["score"], line["penalty"]) for name, line in again.lines.items()}
    assert shown == {"amy": (0, 3.5), "bob": (3.5, 0)}
    rows = small.rows()
    assert (rows["amy"]["late"], rows["bob"]["late"]) == (3.5, 0)
    assert rows["amy"]["score"] == 3.5  # nbgrader takes the penalty off when it exports


def test_what_a_person_has_given_stays(small):
    """A manual score stands, also when the submission changes; then it is to be looked at again."""
    file = small.hand_in("amy")
    small.grade()
    with Gradebook(f"sqlite:///{small.path / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("why", small.lab, small.lab, "amy")
        grade.manual_score, grade.needs_manual_grade = 0.75, False
        gradebook.db.commit()
    assert small.grade().lines["amy"]["score"] == 4.25
    assert small.rows()["amy"]["grades"]["why"] == (None, 0.75, False)
    file.write_text(file.read_text().replace("2 * number", "number * 2"))
    assert small.grade().lines["amy"]["status"] == "graded"
    assert small.rows()["amy"]["grades"]["why"] == (None, 0.75, True)


def test_a_submission_that_takes_the_worker_down_is_for_a_person(small):
    """It is tried twice; the rest of the class is graded, and nothing of it is remembered."""
    for student in ("amy", "bob", "cleo", "dora"):
        small.hand_in(student)
    small.hand_in("eve", KILLS)
    graded = small.grade()
    assert graded.code == 1
    eve = graded.lines.pop("eve")
    assert (eve["status"], eve["score"]) == ("review", 0)
    assert eve["message"] == "The grader's worker ended unexpectedly in 2 attempts."
    assert {(line["status"], line["score"]) for line in graded.lines.values()} == {("graded", 3.5)}
    row = small.rows()["eve"]
    assert row["manual"]
    assert row["comments"]["t1"] == eve["message"]
    assert eve["message"] in small.autograded("eve").cells[0].source
    assert small.grade("--student", "eve").lines["eve"]["message"] == eve["message"]


def test_what_was_altered_is_told(small):
    """In one line of JSON and in the first cell of the feedback; points are won by none of it."""
    file = small.hand_in("amy", "pass")
    notebook = nbformat.read(file, as_version=4)
    check = next(cell for cell in notebook.cells if cell.id == "check-t1")
    check.metadata.nbgrader.points = 100
    check.metadata.tags = ["skip-execution"]
    check.source = "1"
    notebook.cells.append(check.copy())
    notebook.cells[-1].id = "copied"
    nbformat.write(notebook, file)
    line = small.grade().lines["amy"]
    assert line["score"] == 0
    assert line["altered"] == [
        "tags of check-t1", "source of check-t1", "points of check-t1", "duplicated: check-t1",
    ]  # fmt: skip
    note = small.autograded("amy").cells[0]
    assert note.cell_type == "markdown"
    assert "points of check-t1" in note.source


def test_what_cells_put_out_is_shown_and_cannot_run(small):
    """Printed text, values and errors are in the notebook as text, cut where it is long."""
    markup = "<script>alert(1)</script>"
    small.hand_in(
        "amy", f"print({markup!r})\nprint('x\\n' * 5_000)\n{markup!r}", "raise ValueError('no')"
    )
    small.grade()
    cells = {cell.id: cell for cell in small.autograded("amy").cells}
    stream, value = cells["t1"].outputs
    assert stream.text.startswith(markup)
    assert stream.text.endswith("... Output truncated ...")
    assert value.data == {"text/plain": repr(markup)}
    assert cells["t2"].outputs[0].ename == "ValueError"
    result = cells["check-t1"].outputs[0]
    assert result.data["text/plain"] == "0"
    assert HIDDEN not in json.dumps(small.autograded("amy"))
    assert HIDDEN in small.source().read_text()


def test_files_beside_the_notebook(small, tmp_path):
    """Regular files are copied, links are not; the lab's data files win."""
    folder = small.hand_in("amy").parent
    (folder / "notes.txt").write_text("mine")
    (folder / "words.txt").write_text("three")
    (folder / "link.txt").symlink_to(small.source())
    os.mkfifo(folder / "pipe")
    (folder / "deep").mkdir()
    (folder / "deep" / "one.txt").write_text("1")
    line = small.grade().lines["amy"]
    assert line["score"] == 3.5
    target = small.autograded_file("amy").parent
    found = {str(path.relative_to(target)): path for path in target.rglob("*") if path.is_file()}
    assert sorted(found) == ["deep/one.txt", f"{small.lab}.ipynb", "notes.txt", "words.txt"]
    assert found["words.txt"].read_text() == "one two\n"
    (folder / "notes.txt").unlink()
    small.grade()
    assert not found["notes.txt"].exists()


def test_what_lies_beside_the_notebook_is_there_when_graded(small):
    """A module and a text file of the student's own; the lab's own file stays the lab's."""
    answer = double("from helper import FACTOR\n    return FACTOR * number")
    folder = small.hand_in("amy", answer).parent
    (folder / "helper.py").write_text(
        "from pathlib import Path\nFACTOR = int(Path('own/factor.txt').read_text())"
    )
    (folder / "own").mkdir()
    (folder / "own" / "factor.txt").write_text("2")
    (folder / "words.txt").write_text("three four")
    line = small.grade().lines["amy"]
    assert (line["status"], line["score"]) == ("graded", 3.5)


def test_what_cells_show_reaches_the_marker_and_is_harmless(small):
    """Pictures stay, HTML stays without its scripts."""
    shows = (
        "\nfrom IPython.display import HTML, display\nimport matplotlib.pyplot as plt\n"
        "plt.plot([1, 2])\nplt.show()\ndisplay(HTML('<b onclick=x()>bold</b><script>x()</script>'))"
    )
    small.hand_in("amy", T1 + shows)
    small.grade()
    outputs = next(cell for cell in small.autograded("amy").cells if cell.id == "t1").outputs
    shown = [output.data for output in outputs if output.output_type == "display_data"]
    kinds = [kind for data in shown for kind in data if kind != "text/plain"]
    assert sorted(kinds) == ["image/png", "text/html"]
    html = next(data["text/html"] for data in shown if "text/html" in data)
    assert "<b>bold</b>" in html
    assert "script" not in html


def test_what_the_sandbox_withholds_is_for_a_person(small):
    """A cell that fails for what is not there while grading costs nothing in silence.

    Once known, it is said again without a new run.
    """
    small.hand_in("amy", "import subprocess\nsubprocess.run(['ls'])\n" + T1)
    small.hand_in("bob", "import not_installed_here\n" + T1)
    small.hand_in("cleo", T1 + "\n1 / 0")
    first, second = small.grade(), small.grade()
    assert first.lines["cleo"]["status"] == "graded"
    for graded in (first, second):
        amy, bob = (graded.lines[name] for name in ("amy", "bob"))
        assert (amy["status"], bob["status"]) == ("review", "review")
        assert "Cell t1 ended with PermissionError" in amy["message"]
        assert "the module `not_installed_here`" in bob["message"]
    assert second.lines["amy"]["seed"] == first.lines["amy"]["seed"]
    assert "lacked a permission" in small.autograded("amy").cells[0].source
    assert small.rows()["amy"]["manual"]


def test_a_folder_whose_name_is_no_text_stops_nobody(small):
    """The student is named, with what to do; everybody else is graded."""
    small.hand_in("amy")
    name = os.fsencode(small.path) + b"/submitted/M\xfcller"
    shutil.copytree(os.fsencode(small.path / "submitted" / "amy"), name)
    graded = small.grade()
    assert graded.code == 1
    assert graded.lines["amy"]["score"] == 3.5
    row = graded.lines["M\\xfcller"]
    assert (row["status"], row["score"]) == ("review", 0)
    assert "not UTF-8" in row["message"]


def test_a_task_that_was_removed_is_told_with_the_way_out(small):
    """Cells cannot go while the gradebook holds submissions; the reason and the cure are said."""
    small.hand_in("amy")
    small.grade()
    for file in (small.source(), small.path / "labs" / small.lab / f"{small.lab}.ipynb"):
        notebook = nbformat.read(file, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if not cell.id.endswith("t2")]
        nbformat.write(notebook, file)
    graded = small.grade()
    assert graded.code == 2
    assert "Traceback" not in graded.complaints
    assert f"nbgrader db assignment remove {small.lab} --force" in graded.complaints
    assert "holds submissions" in graded.complaints


def test_a_seed_replays_a_verdict(small):
    """The seed that a line names gives the same values again; another one gives others."""
    small.hand_in("amy", "pass")
    small.hand_in("bob", WRONG.replace("abs(2 * number)", "0"))
    first = small.grade().lines["bob"]
    sent = sent_by(small, "bob")
    assert (
        small.grade("--no-cache", "--seed", str(first["seed"] + 1)).lines["bob"]["status"]
        == "graded"
    )
    assert sent_by(small, "bob") != sent
    again = small.grade("--seed", str(first["seed"])).lines["bob"]
    assert (again["seed"], again["score"], again["status"]) == (
        first["seed"],
        first["score"],
        "graded",
    )
    assert sent_by(small, "bob") == sent


def sent_by(small, student):
    check = next(cell for cell in small.autograded(student).cells if cell.id == "check-t1")
    record = check.outputs[0].data["application/vnd.autograder.check+json"]
    return record["tests"][0]["sent_and_got"][0]["request"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["lab92"], 'No lab begins with "lab92". The labs are: lab91-small.'),
        (["lab91"], "There are no submissions of lab91-small"),
        (["lab91", "--student", "zoe"], "Nothing of zoe is in"),
    ],
)
def test_wrong_use_is_told_in_a_line(small, arguments, says):
    """Exit code 2 and what to do, without a traceback."""
    command = [autograder(), "grade", *arguments]
    done = subprocess.run(command, cwd=small.path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1


def test_outside_a_course(tmp_path):
    """A folder without nbgrader_config.py is no course."""
    done = subprocess.run(
        [autograder(), "grade", "lab01"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "is not inside a course" in done.stderr


def test_a_class_gets_a_table(small):
    """Without --json: a line per student, and a tally."""
    small.hand_in("amy")
    small.submitted("eve").write_text("This is no notebook.")
    done = subprocess.run(
        [autograder(), "grade", "lab9", "--unsafe-no-sandbox"],
        cwd=small.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "2 submissions of lab91-small: 1 graded, 1 review." in done.stdout
    assert "it is not JSON" in done.stdout
    assert "Without a sandbox" in done.stderr
    # What was graded without a sandbox is not taken for what was graded in one.
    graded = small.grade()
    assert (graded.lines["amy"]["status"], graded.lines["amy"]["sandbox"]) != ("cached", "none")


def autograder():
    return shutil.which("autograder", path=str(Path(sys.executable).parent))
