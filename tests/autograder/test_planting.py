"""A planted fault: small, noticed by the lab's own tests, and never in the student's notebook."""

import nbformat
import pytest
from typer.testing import CliRunner

from autograder.checks.records import CheckResult, Outcome, TestRecord
from autograder.cli import app
from autograder.planting import command
from autograder.planting.command import CannotPlantError, plant
from autograder.planting.faults import faults_in

ANSWER = '''def price(count):
    """Return 5 for each."""
    if count > 3:  # many
        return count * 4
    return count * 5
'''
STUB = '''def price(count):
    """Return 5 for each."""
    # Write your answer here.
    pass
'''


@pytest.fixture
def lab(tmp_path):
    """A lab with two tasks that a student has answered, and a file beside it."""
    folder = tmp_path / "labs" / "lab99-shop"
    folder.mkdir(parents=True)
    (folder / "shop.py").write_text("RATE = 1\n")
    (folder / ".attempts").mkdir()
    cells = [
        task("t1", ANSWER, STUB),
        check("t1"),
        task("t2", "def name():\n    return 'bell'\n", "..."),
        check("t2"),
    ]
    path = folder / "lab99-shop.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def task(name, text, stub):
    """Return a solution cell, run by the student."""
    told = {"grade_id": name, "solution": True, "locked": False, "grade": False}
    told |= {"schema_version": 3, "task": False, "cell_type": "code"}
    metadata = {"nbgrader": told, "autograder": {"stub": stub}}
    cell = nbformat.v4.new_code_cell(text, metadata=metadata)
    cell.outputs = [nbformat.v4.new_output("stream", text="ran")]
    return cell


def check(name):
    """Return the check cell of a task."""
    return nbformat.v4.new_code_cell(f"%%check lab99/{name} points=2\ndef test_it(): ...")


def said(task, *outcomes):
    """Return what the check of a task says."""
    tests = tuple(
        TestRecord(id=f"{task}.test_{n}", meaning="It holds.", outcome=one, points=0, max_points=1)
        for n, one in enumerate(outcomes)
    )
    points = sum(one is Outcome.PASSED for one in outcomes)
    return CheckResult(lab="lab99", task=task, max_points=len(tests), points=points, tests=tests)


def verdicts_of(path):
    """Run the cells in place of a kernel: task 1 by its behaviour, task 2 by its text."""
    notebook = nbformat.read(path, as_version=4)
    results = []
    for cell in notebook.cells:
        if cell.source.startswith("%%check lab99/t1"):
            names = {}
            exec(notebook.cells[0].source, names)  # noqa: S102 - the text stands above
            holds = [names["price"](1) == 5, names["price"](3) == 15, names["price"](9) == 36]
            outcomes = [Outcome.PASSED if one else Outcome.FAILED for one in holds]
            results.append(said("t1", *outcomes))
        elif cell.source.startswith("%%check lab99/t2"):
            results.append(said("t2", Outcome.FAILED, Outcome.PASSED))
    return results


def test_a_fault_is_planted_in_a_task_that_works(lab):
    """One cell differs, in one place; the check of its task notices it, and not with every test."""
    planted = plant(lab, seed=1, again=False, checking=verdicts_of)
    assert planted.task == "t1"
    assert planted.path == lab.parent / "planted" / "lab99-shop.ipynb"
    before, after = (nbformat.read(path, as_version=4).cells for path in (lab, planted.path))
    differ = [old.id for old, new in zip(before, after, strict=True) if old.source != new.source]
    assert differ == [before[0].id]
    changed = zip(ANSWER.splitlines(), after[0].source.splitlines(), strict=True)
    assert sum(old != new for old, new in changed) == 1
    outcomes = [test.outcome for test in verdicts_of(planted.path)[0].tests]
    assert {*outcomes} == {Outcome.PASSED, Outcome.FAILED}
    assert not any(cell.outputs for cell in after)


def test_the_students_own_files_are_not_touched(lab):
    """Everything beside `planted/` stays as it was, and the lab's files lie beside the copy."""
    before = {path: path.read_bytes() for path in lab.parent.iterdir() if path.is_file()}
    plant(lab, seed=2, again=False, checking=verdicts_of)
    assert {path: path.read_bytes() for path in before} == before
    copied = sorted(path.name for path in (lab.parent / "planted").iterdir())
    assert copied == ["lab99-shop.ipynb", "shop.py"]


def test_a_seed_plants_the_same_fault_again(lab):
    """The same seed gives the same text, and ten seeds give several."""
    texts = [
        plant(lab, seed=seed, again=True, checking=verdicts_of).fault.text for seed in range(10)
    ]
    assert plant(lab, seed=3, again=True, checking=verdicts_of).fault.text == texts[3]
    assert len({*texts}) > 1


def test_a_copy_is_not_replaced_by_chance(lab):
    """A second time it refuses, and says how to replace the copy; a copy gets no second fault."""
    planted = plant(lab, seed=1, again=False, checking=verdicts_of)
    with pytest.raises(CannotPlantError, match="--again"):
        plant(lab, seed=2, again=False, checking=verdicts_of)
    with pytest.raises(CannotPlantError, match="has a fault already"):
        plant(planted.path, seed=2, again=True, checking=verdicts_of)


def test_without_an_answer_there_is_nothing_to_plant(lab):
    """If no task passes its tests, it says so, and writes nothing."""

    def nothing_works(path):
        return [said("t1", Outcome.FAILED, Outcome.BLOCKED)]

    with pytest.raises(CannotPlantError, match="Answer one first"):
        plant(lab, seed=1, again=False, checking=nothing_works)
    assert not (lab.parent / "planted").exists()


def test_a_fault_that_nobody_notices_is_not_planted(lab):
    """If the tests pass with every fault, it says so, and writes nothing."""

    def all_is_well(path):
        return [said("t1", Outcome.PASSED)]

    with pytest.raises(CannotPlantError, match="notice none"):
        plant(lab, seed=1, again=False, checking=all_is_well)
    assert not (lab.parent / "planted").exists()


def test_a_loud_fault_is_the_last_resort(lab):
    """If every fault fails all tests, one of these is planted all the same."""

    def strict(path):
        (result, *_) = verdicts_of(path)
        return [result if result.all_pass else said("t1", Outcome.FAILED)]

    planted = plant(lab, seed=1, again=False, checking=strict)
    assert planted.path.is_file()


def test_other_checks_do_not_run(lab):
    """While faults are tried, only the task's own check and those it needs are in the notebook."""
    seen = []

    def looks(path):
        cells = nbformat.read(path, as_version=4).cells
        seen.append([cell.source.split()[1] for cell in cells if cell.source.startswith("%%check")])
        return verdicts_of(path)

    plant(lab, seed=1, again=False, checking=looks)
    assert seen[0] == ["lab99/t1", "lab99/t2"]
    assert all(checks == ["lab99/t1"] for checks in seen[1:])


def test_given_lines_and_magics_stay():
    """No fault is in a line that was given, in a docstring, or in a cell with a magic."""
    given = "LIMIT = 3\n\n\ndef f(x):\n    ...\n"
    text = 'LIMIT = 3\n\n\ndef f(x):\n    """Return 7."""\n    return x + 7\n'
    assert {fault.line for fault in faults_in(text, given=given)} == {6}
    assert faults_in("%%writefile a.py\nx = 3", given="") == []


@pytest.mark.parametrize(
    ("text", "faulty"),
    [
        ("x = a < b", "x = a <= b"),
        ("x = a not in b", "x = a in b"),
        ("x = a is None", "x = a is not None"),
        ("raise HTTPException(404)", "raise HTTPException(400)"),
        ("x = range(7)", "x = range(8)"),
        ("x = True", "x = False"),
        ("x = a and b", "x = a or b"),
        ("if seen:\n    x()", "if not seen:\n    x()"),
        ("if not seen:\n    x()", "if seen:\n    x()"),
        ("y = await asyncio.to_thread(f, 'ü', k=a)", "y = f('ü', k=a)"),
        ("try:\n    f()\nfinally:\n    g()\n    h()", "try:\n    f()\nfinally:\n    pass"),
        ("async with locks[a]:  # one\n    f()", "if True:  # one\n    f()"),
        ("ö = 1; store.remove(a)", "ö = 1; pass"),
    ],
)
def test_kinds_of_faults(text, faulty):
    """Each kind changes a few characters, and the rest stays as it was written."""
    assert faulty in [fault.text for fault in faults_in(text, given="")]


def test_the_command_says_where_and_not_what(lab, monkeypatch):
    """It names the task, the copy and the seed; what it cannot do is a line and code 2."""
    monkeypatch.setattr(command, "_checked", verdicts_of)
    monkeypatch.chdir(lab.parents[2])
    told = CliRunner().invoke(app, ["plant", "lab99", "--seed", "4"])
    assert told.exit_code == 0, told.output
    assert "fault in task t1 of" in told.output
    assert "--seed 4" in told.output
    again = CliRunner().invoke(app, ["plant", "lab99"])
    assert again.exit_code == 2
    assert "--again" in again.output
    unknown = CliRunner().invoke(app, ["plant", "lab98"])
    assert unknown.exit_code == 2
    assert "No lab begins" in unknown.output


@pytest.mark.notebook
def test_a_real_lab_is_planted(tmp_path):
    """In a lab of the course, answered, the real checks notice the fault."""
    from pathlib import Path  # noqa: PLC0415 - only here

    root = Path(__file__).parents[2]
    source = root / "solutions" / "lab03-pydantic"
    folder = tmp_path / "labs" / source.name
    folder.mkdir(parents=True)
    for file in source.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    path = folder / f"{source.name}.ipynb"
    planted = plant(path, seed=1, again=False, checking=command._checked)
    results = {result.task: result for result in command._checked(planted.path)}
    assert not results[planted.task].all_pass
    assert any(test.outcome is Outcome.PASSED for test in results[planted.task].tests)
