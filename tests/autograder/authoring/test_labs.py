"""A lab's Markdown becomes nbgrader's source, and by nbgrader the student's notebook."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = "solutions/lab01-greetings/lab01-greetings.ipynb"
RELEASE = "labs/lab01-greetings/lab01-greetings.ipynb"


def by_id(course, notebook: str) -> dict[str, dict]:
    return {cell["id"]: cell for cell in course.cells(notebook)}


def source(cell: dict) -> str:
    return "".join(cell["source"])


def test_words_become_metadata_of_nbgrader(course):
    """Set-up, task and check cells carry exactly what nbgrader asks for, and named ids."""
    assert course.build() == 0

    cells = by_id(course, SOURCE)
    shared = {"cell_type": "code", "schema_version": 3, "task": False}
    assert {name: cells[name]["metadata"]["nbgrader"] for name in ("setup", "t1", "check-t2")} == {
        "setup": {
            **shared,
            "grade": False,
            "grade_id": "setup",
            "locked": True,
            "solution": False,
        },
        "t1": {**shared, "grade": False, "grade_id": "t1", "locked": False, "solution": True},
        "check-t2": {
            **shared,
            "grade": True,
            "grade_id": "check-t2",
            "locked": True,
            "points": 1.5,
            "solution": False,
        },
    }
    marked = {name for name, cell in cells.items() if "nbgrader" in cell["metadata"]}
    assert marked == {"setup", "t1", "t2", "check-t1", "check-t2"}


def test_what_a_lab_grants_is_told_to_the_grader(course):
    """Grants of the front matter stand in the source's metadata, and without any, nothing does."""
    from autograder.judge.grants import Grants, grants_of  # noqa: PLC0415 - the grader's side

    assert course.build() == 0
    assert "autograder" not in course.metadata(SOURCE)

    lab = course.lab.read_text(encoding="utf-8")
    told = "entry: app\ngrants:\n  processes: 2\n  memory_mb: 2048"
    course.lab.write_text(lab.replace("entry: app", told), encoding="utf-8")
    assert course.build() == 0
    assert course.metadata(SOURCE)["autograder"] == {"processes": 2, "memory_mb": 2048}
    assert grants_of(course.metadata(SOURCE)) == Grants(processes=2, memory_mb=2048)


def test_a_check_says_in_its_first_line_what_a_magic_cannot_see(course):
    """The line names lab, task, points, forerunner, skill and entry, as the magic reads them."""
    from autograder.checks.cell import CheckCell  # noqa: PLC0415 - the magic's side, only here

    lab = course.lab.read_text(encoding="utf-8")
    course.lab.write_text(lab.replace("entry: app", "entry: create_app"), encoding="utf-8")
    assert course.build() == 0

    line, body = source(by_id(course, SOURCE)["check-t2"]).split("\n", 1)
    assert line == "%%check lab01/t2 points=1.5 needs=t1 skill=d2.errors entry=create_app"
    cell = CheckCell.parse(line.removeprefix("%%check "), body)
    assert (cell.lab, cell.task, cell.points, cell.needs) == ("lab01", "t2", 1.5, "t1")
    assert (cell.skill, cell.entry) == ("d2.errors", "create_app")


def test_an_app_needs_no_entry(course):
    """The entry is left out where it is `app`, and `needs` where there is none."""
    assert course.build() == 0
    line = source(by_id(course, SOURCE)["check-t1"]).split("\n", 1)[0]
    assert line == "%%check lab01/t1 points=3 skill=d2.routes"


def test_the_release_holds_no_answer_and_no_hidden_test(course):
    """What a student gets has the stub and the visible tests, and nothing of the rest."""
    assert course.build() == 0

    release = (course.root / RELEASE).read_text(encoding="utf-8")
    for secret in ("Hello {name}", "Goodbye {name}", "Zoe", "anyone", "HIDDEN", "SOLUTION"):
        assert secret in (course.root / SOURCE).read_text(encoding="utf-8")
        assert secret not in release
    assert source(by_id(course, RELEASE)["t1"]) == (
        'def greet(name: str) -> str:\n    """Greet someone."""\n'
        "    # Write your answer here.\n    pass"
    )
    assert "async def test_greets(call):" in source(by_id(course, RELEASE)["check-t1"])


def test_every_cell_of_a_release_compiles(course):
    """The stub leaves Python that runs, so that Run All on a fresh lab reaches its end."""
    assert course.build() == 0
    for name in ("t1", "t2"):
        ast.parse(source(by_id(course, RELEASE)[name]))


def test_a_release_keeps_ids_order_and_locks(course):
    """Source and release have the same cells; nbgrader locks what must not be changed."""
    assert course.build() == 0
    cells = course.cells(RELEASE)
    assert [cell["id"] for cell in cells] == [cell["id"] for cell in course.cells(SOURCE)]
    locked = {cell["id"] for cell in cells if cell["metadata"].get("editable") is False}
    assert locked == {"setup", "check-t1", "check-t2"}


def test_files_beside_a_lab_reach_the_student(course):
    """Data files go into source and release; the text of the lab does not."""
    assert course.build() == 0
    for folder in ("solutions", "labs"):
        held = {path.name for path in (course.root / folder / "lab01-greetings").iterdir()}
        assert held == {"lab01-greetings.ipynb", "names.csv"}


def test_several_answers_in_one_task(course):
    """A task may ask for more than one function, each with a region of its own."""
    text = course.lab.read_text(encoding="utf-8").replace(
        '    return f"Goodbye {name}"\n    ### END SOLUTION\n',
        '    return f"Goodbye {name}"\n    ### END SOLUTION\n\n\n'
        "def wave() -> str | None:\n    def hand() -> int:\n        return 1\n\n"
        "    if not hand():\n        return None\n"
        '    ### BEGIN SOLUTION\n    return "~"\n    ### END SOLUTION\n',
    )
    course.lab.write_text(text, encoding="utf-8")
    assert course.build() == 0
    assert source(by_id(course, RELEASE)["t2"]).count("# Write your answer here.\n    pass") == 2


def test_given_code_may_stand_behind_a_class(course):
    """Below a class that is to be completed may stand given code that uses it."""
    text = course.lab.read_text(encoding="utf-8").replace(
        '    return f"Goodbye {name}"\n    ### END SOLUTION\n',
        '    return f"Goodbye {name}"\n    ### END SOLUTION\n\n\n'
        'class Form:\n    """A form."""\n\n    ### BEGIN SOLUTION\n    name: str\n'
        "    ### END SOLUTION\n\n\ndef given(form: Form) -> Form:\n    return form\n",
    )
    course.lab.write_text(text, encoding="utf-8")
    assert course.build() == 0
    task = source(by_id(course, RELEASE)["t2"])
    assert task.endswith("    pass\n\n\ndef given(form: Form) -> Form:\n    return form")


def test_plain_nbgrader_makes_the_same_release(course):
    """`nbgrader generate_assignment` in the course, without activation, changes no byte."""
    assert course.build() == 0
    before = course.generated()
    scripts = Path(sys.executable).parent
    path = os.pathsep.join(
        part for part in os.environ["PATH"].split(os.pathsep) if Path(part) != scripts
    )
    subprocess.run(
        [
            *(sys.executable, "-m", "nbgrader", "generate_assignment", "lab01-greetings"),
            "--force",
        ],
        cwd=course.root,
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
    )
    assert (course.root / "gradebook.db").is_file()
    assert course.generated() == before


def test_a_lab_that_nbgrader_refuses_ends_the_build(course, capsys):
    """When nbgrader itself says no, its reason is shown and nothing is written."""
    config = course.root / "nbgrader_config.py"
    config.write_text(
        config.read_text(encoding="utf-8") + '\nc.ClearSolutions.code_stub = {"R": "stop()"}\n',
        encoding="utf-8",
    )
    assert course.build() == 1
    said = capsys.readouterr().err
    assert "nbgrader could not release lab01-greetings" in said
    assert "language 'python' has not been specified" in said
    assert not course.generated()


def test_a_build_leaves_nothing_else_behind(course):
    """No gradebook, log or scratch file stays in the course or its folders."""
    assert course.build() == 0
    assert {path.name for path in course.root.iterdir()} == {
        *("content", "labs", "nbgrader_config.py", "notebooks", "solutions"),
    }


@pytest.mark.parametrize("gone", ["lab", "lesson"])
def test_what_was_removed_vanishes(course, capsys, gone):
    """The notebooks of a lab or lesson that is gone are removed, with their folders."""
    assert course.build() == 0
    if gone == "lab":
        shutil.rmtree(course.lab.parent)
        text = course.lesson.read_text(encoding="utf-8")
        course.lesson.write_text(text.replace("lab01-greetings", ""), encoding="utf-8")
    else:
        text = course.lab.read_text(encoding="utf-8").replace("01#path-operations", "01#again")
        course.lab.write_text(text, encoding="utf-8")
        new = course.lesson.read_text(encoding="utf-8").replace("# Path operations", "# Again")
        course.lesson.with_name("01-again.md").write_text(new, encoding="utf-8")
        course.lesson.unlink()

    assert course.build() == 0

    said = capsys.readouterr().out
    if gone == "lab":
        assert f"removed {RELEASE}" in said
        assert f"removed {SOURCE}" in said
        assert not (course.root / "labs/lab01-greetings").exists()
    else:
        assert "removed notebooks/01-path-operations.ipynb" in said
        assert (course.root / "notebooks/01-again.ipynb").is_file()
