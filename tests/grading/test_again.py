"""What is graded again: only what has changed, and nothing is lost when the grader is killed."""

import json
import random
import shutil

import nbformat
import pytest

from autograder.trial import killed_after, run_again

CLASS = 20
RIGHT, WRONG = "return 2 * number", "return abs(2 * number)"


def double(line):
    return f'@app.get("/double/{{number}}")\ndef double(number: int) -> int:\n    {line}'


RIGHT_CELL = double(RIGHT)


@pytest.fixture
def many(small):
    """A class of twenty, each with a submission of his own."""
    for number in range(CLASS):
        answer = RIGHT if number % 3 else WRONG
        small.hand_in(f"student-{number:02}", double(f"{answer}  # {number}"))
    return small


def record(folder, student):
    return json.loads((folder.path / ".autograder" / folder.lab / f"{student}.json").read_text())


def test_a_changed_check_reruns_only_itself(small):
    """The other check's verdict is taken over, its times included; the seed stays."""
    small.hand_in("amy")
    seed = small.grade().lines["amy"]["seed"]
    before = record(small, "amy")["judged"]["checks"]
    small.change({'["one", "two"]': '["one", "three"]', ".split()": '.split()[:1] + ["three"]'})
    line = small.grade().lines["amy"]
    assert (line["status"], line["score"], line["seed"]) == ("graded", 2, seed)
    after = record(small, "amy")["judged"]["checks"]
    assert after["check-t1"] == before["check-t1"]
    assert after["check-t2"] != before["check-t2"]
    assert small.rows()["amy"]["score"] == 2


def test_a_check_that_needs_a_changed_one_follows_it(small):
    """When the forerunner's probe now fails, what was passed is blocked."""
    small.hand_in("amy")
    small.grade()
    small.change(
        {
            "== 2 * number\n": "== 3 * number + 1\n",
            "-15308642": "-22962962",
            "return 2 * number": "return 3 * number + 1",
        }
    )
    assert small.grade().lines["amy"]["score"] == 0
    after = record(small, "amy")["judged"]["checks"]["check-t2"]
    assert after["tests"][0]["outcome"] == "blocked"


@pytest.mark.parametrize("change", ["cells", "data", "grants", "no cache"])
def test_what_is_run_again(small, change):
    """A changed answer, data file or grant, and --no-cache."""
    small.hand_in("amy")
    first = small.grade().lines["amy"]
    assert first["status"] == "graded"
    options = []
    match change:
        case "cells":
            small.hand_in("amy", double(WRONG))
        case "data":
            small.source().with_name("words.txt").write_text("one\ntwo")
        case "grants":
            source = nbformat.read(small.source(), as_version=4)
            source.metadata.autograder = {"memory_mb": 512}
            nbformat.write(source, small.source())
        case "no cache":
            options = ["--no-cache"]
    again = small.grade(*options).lines["amy"]
    assert again["status"] == "graded"
    assert again["score"] == {"cells": 2.5}.get(change, 3.5)


def test_a_file_that_was_handed_in_anew_is_read(small):
    """A file beside the notebook is found by its cells; only that has changed."""
    file = small.submitted("amy").with_name("factor.txt")
    answer = double("return int(Path('factor.txt').read_text()) * number")
    for factor, score in (("3", 0), ("2", 3.5)):
        small.hand_in("amy", answer)
        file.write_text(factor)
        line = small.grade().lines["amy"]
        assert (line["status"], line["score"]) == ("graded", score)


def test_what_comes_before_the_first_change_is_not_judged_again(small):
    """A second task that is handed in later costs only itself.

    Its values are drawn anew: those of the first seed may have been seen.
    """
    small.hand_in("amy", RIGHT_CELL, "")
    first = small.grade().lines["amy"]
    assert first["score"] == 2
    before = record(small, "amy")["judged"]["checks"]
    small.hand_in("amy", RIGHT_CELL)
    again = small.grade().lines["amy"]
    assert (again["status"], again["score"]) == ("graded", 3.5)
    assert again["seed"] != first["seed"]
    after = record(small, "amy")["judged"]["checks"]
    assert after["check-t1"] == before["check-t1"]
    assert [check["seed"] for check in after.values()] == [first["seed"], again["seed"]]
    assert small.rows()["amy"]["score"] == 3.5
    replayed = small.grade("--seed", str(again["seed"])).lines["amy"]
    assert (replayed["status"], replayed["seed"]) == ("graded", again["seed"])
    replays = record(small, "amy")["judged"]["checks"]
    assert replays["check-t2"] == after["check-t2"]
    assert replays["check-t1"]["seed"] == again["seed"]
    small.hand_in("amy", double(WRONG))
    assert small.grade().lines["amy"]["score"] == 2.5


def test_after_a_cell_that_ended_the_process_all_is_judged_again(small):
    """It was left out before every check, so what they found may not hold without it."""
    ends = "import os\nos._exit(1)"
    small.hand_in("amy", RIGHT_CELL, ends)
    assert small.grade().lines["amy"]["score"] == 2
    before = record(small, "amy")["judged"]["checks"]
    small.hand_in("amy", RIGHT_CELL)
    assert small.grade().lines["amy"]["score"] == 3.5
    after = record(small, "amy")["judged"]["checks"]
    assert after["check-t1"] != before["check-t1"]


def test_what_is_lost_is_written_again_without_a_run(small):
    """The notebook, a row, or what is remembered of having written them."""
    small.hand_in("amy")
    small.grade()
    rows, notebook = small.rows(), small.autograded_file("amy").read_bytes()
    shutil.rmtree(small.path / "autograded")
    assert small.grade().statuses() == {"cached"}
    assert small.autograded_file("amy").read_bytes() == notebook
    (small.path / "gradebook.db").unlink()
    assert small.grade().statuses() == {"cached"}
    assert small.rows() == rows
    small.autograded_file("amy").chmod(0o644)
    small.autograded_file("amy").write_text("half")
    assert small.grade().statuses() == {"cached"}
    assert small.autograded_file("amy").read_bytes() == notebook
    (small.path / ".autograder" / small.lab / "amy.json").write_text('{"half')
    assert small.grade().statuses() == {"graded"}
    assert small.rows() == rows


def test_killed_at_any_moment_and_started_again(many, tmp_path):
    """SIGKILL in the middle, again and again: the same gradebook, and no half notebook."""
    shutil.copytree(many.path, tmp_path / "undisturbed")
    undisturbed = type(many)(tmp_path / "undisturbed")
    undisturbed.grade("--seed", "1")
    moments = random.Random(7)  # noqa: S311 - moments, not secrets
    kills, done, runs = 0, 0, []
    while kills < 6:
        runs.append(killed_after(moments.randrange(1, 5), many.start("--seed", "1")))
        kills += 1
        for file in many.path.glob(f"autograded/*/{many.lab}/*.ipynb"):
            nbformat.validate(nbformat.read(file, as_version=4))
        now = len(many.rows())
        assert now >= done, "what was written is lost"
        done = now
    assert 0 < done < CLASS
    last = many.grade("--seed", "1")
    assert last.code == 0
    assert not run_again([*runs, last.lines.values()])
    assert len([line for line in last.lines.values() if line["status"] == "cached"]) >= done - 4
    assert many.rows() == undisturbed.rows()
    for student in many.rows():
        assert marks(many.autograded(student)) == marks(undisturbed.autograded(student))
    assert not list(many.path.glob("autograded/**/.*"))


def marks(notebook):
    return [
        output.data["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "execute_result"
    ]


def test_two_graders_at_once_share_the_work(many):
    """Each submission is run by one of them; both end well, and the gradebook is whole."""
    first, second = many.start("--jobs", "1"), many.start("--jobs", "1")
    lines = []
    for process in (first, second):
        printed, complaints = process.communicate()
        assert process.returncode == 0, complaints
        lines += [json.loads(line) for line in printed.splitlines()]
    assert len(lines) == 2 * CLASS
    graded = [line["student"] for line in lines if line["status"] == "graded"]
    assert sorted(graded) == sorted({line["student"] for line in lines})
    rows = many.rows()
    assert len(rows) == CLASS
    assert {row["score"] for row in rows.values()} == {3.5, 2.5}


def test_a_lab_whose_own_solution_loses_points_grades_nobody(small):
    """The command names the test and the file, and leaves gradebook and submissions alone."""
    small.change({"return 2 * number": "return abs(2 * number)"})
    small.hand_in("amy")
    graded = small.grade()
    assert (graded.code, graded.lines) == (2, {})
    assert "does not pass its own tests: t1.test_below_zero" in graded.complaints
    assert "`autograder check solutions/" in graded.complaints
    assert f"solutions/{small.lab}/{small.lab}.ipynb" in graded.complaints
    assert not small.autograded_file("amy").exists()
    small.change({"return abs(2 * number)": "return 2 * number"})
    assert small.grade().code == 0


def test_a_solution_is_judged_once(small):
    """It is not judged again until something has changed on which its verdict depends."""
    small.hand_in("amy")
    small.grade()
    proven = small.path / ".autograder" / f"{small.lab}.proven"
    before = proven.stat().st_mtime_ns
    small.hand_in("bob")
    small.grade()
    assert proven.stat().st_mtime_ns == before
    small.change({"assert reply.json() == 2 * number": "assert 2 * number == reply.json()"})
    small.grade()
    assert proven.stat().st_mtime_ns != before
