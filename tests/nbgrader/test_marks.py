"""What becomes of a mark on its way through nbgrader, on a lab of one small task."""

import csv
import json
import shutil

import nbformat
import pytest
from nbformat import v4

LAB = "lab90-shares"
ANSWER = """\
@app.get("/numbers/{number}")
def read_number(number: int) -> int:
    return number
"""
CHECK = '''\
%%check lab90/t1 points=1
import pytest


@pytest.mark.parametrize("number", range(9))
async def test_a_number_comes_back(client, number):
    """The number comes back."""
    reply = await client.get(f"/numbers/{number}")
    assert reply.json() == number
'''
SET_UP = "%load_ext autograder\nfrom fastapi import FastAPI\n\napp = FastAPI()"

pytestmark = pytest.mark.notebook


def cell(name, source, **flags):
    made = v4.new_code_cell(source, id=name)
    told = {"grade": False, "solution": False, "locked": False, "task": False, **flags}
    made.metadata.nbgrader = {"schema_version": 3, "grade_id": name, **told}
    return made


def notebook(answer):
    """Return the lab with an answer; its nine tests share one point."""
    cells = [
        cell("setup", SET_UP, locked=True),
        cell("t1", answer, solution=True),
        cell("check-t1", CHECK, grade=True, locked=True, points=1),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def copied():
    """Return, as JSON, a notebook whose task cell a student has copied."""
    made = notebook(ANSWER)
    made.cells.insert(2, made.cells[1])
    return json.dumps(made)


def skipped():
    """Return a notebook without an answer, whose check carries a tag that nbclient obeys."""
    made = notebook("")
    made.cells[2].metadata.tags = ["skip-execution"]
    return made


def write(file, content):
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        file.write_text(content)
    else:
        nbformat.write(content, file)


@pytest.fixture(scope="module")
def small(released, tmp_path_factory):
    """A class that handed in the small lab, marked as docs/instructors.md says."""
    path = tmp_path_factory.mktemp("small")
    shutil.copy(released.path / "nbgrader_config.py", path)
    with (path / "nbgrader_config.py").open("a") as config:
        config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    folder = type(released)(path, released.env)
    answer = f"### BEGIN SOLUTION\n{ANSWER}### END SOLUTION"
    write(path / "solutions" / LAB / f"{LAB}.ipynb", notebook(answer))
    folder.nbgrader("generate_assignment", LAB)
    folder.nbgrader("db", "assignment", "add", LAB, "--duedate", "2026-01-31 23:59:00 UTC")
    handed_in = {
        "amy": copied(),
        "bob": notebook(ANSWER),
        "cleo": notebook(ANSWER.replace("return number", "return min(number, 7)")),
        "dora": "This is no notebook.",
        "emil": notebook(ANSWER),
        "fred": skipped(),
    }
    for student, content in handed_in.items():
        there = path / "submitted" / student / LAB
        write(there / f"{LAB}.ipynb", content)
        day = "2026-02-01" if student == "emil" else "2026-01-31"
        (there / "timestamp.txt").write_text(f"{day} 12:00:00 UTC")
    return folder


@pytest.fixture(scope="module")
def stopped(small):
    """What plain nbgrader says about the whole class, and who has been marked."""
    printed = small.nbgrader("autograde", LAB, code=1)
    return printed, list((small.path / "autograded").glob("*/*/*.ipynb"))


@pytest.fixture(scope="module")
def marked(small, stopped):
    """What it says when the copied cell is left out, and the rows of its table."""
    printed = small.nbgrader("autograde", LAB, "--CourseDirectory.student_id_exclude=amy", code=1)
    small.nbgrader("export", "--to", "marks.csv")
    with (small.path / "marks.csv").open() as file:
        return printed, {row["student_id"]: row for row in csv.DictReader(file)}


def test_a_copied_cell_stops_the_class(stopped):
    """Plain nbgrader marks nobody when one student has copied a cell, as the manual warns."""
    printed, marked = stopped
    assert "use an old version" in printed
    assert marked == []


def test_nine_shares_of_a_point_are_exactly_one(marked):
    """All of nine shares give exactly 1 point, eight of them two decimals."""
    _, rows = marked
    assert float(rows["bob"]["score"]) == 1
    assert float(rows["cleo"]["score"]) == 0.88


def test_an_unreadable_submission_is_named_and_stops_nobody(marked):
    """A file that is no notebook gets 0 and is named; whoever comes behind it is marked."""
    printed, rows = marked
    assert f"There was an error processing assignment '{LAB}' for student 'dora'" in printed
    assert float(rows["dora"]["score"]) == 0
    assert float(rows["emil"]["raw_score"]) == 1


def test_a_skipped_check_earns_full_marks(marked):
    """Plain nbgrader can be cheated with a tag and no code at all, as the manual warns."""
    _, rows = marked
    assert float(rows["fred"]["score"]) == 1


def test_a_late_submission_can_be_made_to_cost_everything(marked):
    """With a due date and nbgrader's `zero` penalty, the export takes a late mark away."""
    _, rows = marked
    assert float(rows["emil"]["late_submission_penalty"]) == 1
    assert float(rows["emil"]["score"]) == 0
    assert float(rows["bob"]["late_submission_penalty"]) == 0
