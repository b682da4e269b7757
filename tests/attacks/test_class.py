"""The class comes through: honest marks stay, the grader lives, verdicts can be replayed."""

import os

import pytest

from autograder.checks.records import Outcome
from autograder.judge.judged import SUBMISSION_SECONDS
from autograder.judge.pool import PATIENCE

from .attack import HONEST
from .conftest import ATTACKS, HONEST_STUDENTS


@pytest.mark.parametrize("student", HONEST_STUDENTS)
def test_an_honest_student_has_the_mark_of_the_corpus(student, graded):
    """Whoever sits beside attackers gets exactly the stated mark, without any remark."""
    line = graded.ran.lines[student]
    assert line["score"] == graded.honest[student]
    assert (line["status"], line["altered"], line["message"]) == ("graded", [], "")


REASONS = ("In the student's own kernel", "lost to time", "Time decided a verdict")
"""What is said of a row that is for a person because of what the sandbox withheld, or of time."""


def test_everybody_has_a_line(graded):
    """Nobody is missing, and the command ends with the list of those to be looked at."""
    assert graded.ran.lines.keys() == {attack.name for attack in ATTACKS} | HONEST_STUDENTS.keys()
    reviewed = {name for name, line in graded.ran.lines.items() if line["status"] == "review"}
    assert reviewed >= {attack.name for attack in ATTACKS if attack.status == "review"}
    # Whatever else is for a person failed for what the sandbox withheld, or for time, and says so.
    for attack in ATTACKS:
        if attack.name in reviewed and attack.status != "review":
            message = graded.ran.lines[attack.name]["message"]
            assert any(reason in message for reason in REASONS), message
    assert all(graded.ran.lines[name]["message"] for name in reviewed)
    assert graded.ran.code == 1
    assert graded.ran.complaints == ""


def test_the_sandbox_was_on(graded):
    """Every line names the level that held."""
    assert {line["sandbox"] for line in graded.ran.lines.values()} <= {"strong", "contained"}


def test_the_honest_part_is_worth_what_is_said(graded):
    """What attackers start from earns its points when it stands alone, so nothing hides a loss."""
    assert graded.ran.lines["harmless"]["score"] == HONEST


def test_guessing_is_not_remembering(graded):
    """An app without a store passes no test that reads back what it has written."""
    passed = {
        test.id
        for record in graded.room.records("answers-guessed")
        for test in record.tests
        if test.outcome is Outcome.PASSED
    }
    assert not passed & {
        "t2.test_a_name_is_given_only_once",
        "t3.test_an_agent_can_be_read",
        "t3.test_each_number_leads_to_its_own_agent",
        "t5.test_the_replacement_stays",
        "t5.test_an_agent_can_be_removed_only_once",
    }
    assert len(passed) > 20


def test_no_answer_makes_the_grader_large(graded):
    """A small answer that unpacks to a gigabyte is not unpacked."""
    assert 0 < graded.ran.watch.largest < 600 * 2**20


def test_nobody_waits_long(graded):
    """No submission took longer than all its attempts together may."""
    most = 3 * SUBMISSION_SECONDS + PATIENCE
    assert max(line["seconds"] for line in graded.ran.lines.values()) < most


def test_a_second_run_takes_everything_over(graded):
    """Nothing runs again, and no mark changes."""
    again = graded.room.grade()
    assert again.code == 1
    assert not again.watch.users - {os.geteuid()}, "somebody's code was run"
    for name, line in again.lines.items():
        first = graded.ran.lines[name]
        assert line["status"] == ("review" if first["status"] == "review" else "cached"), name
        same = ("score", "altered", "message", "sandbox")
        assert [line[key] for key in same] == [first[key] for key in same]


@pytest.mark.parametrize("student", ["cat", "patch-equality", "dies-in-a-request"])
def test_a_seed_replays_a_verdict(student, graded):
    """Graded anew with the recorded seed, every test ends as it did, with the same values."""
    before = graded.room.records(student)
    seed = before[0].seed
    line = graded.room.grade("--student", student, "--no-cache", "--seed", str(seed)).lines[student]
    assert (line["score"], line["status"]) == (graded.ran.lines[student]["score"], "graded")
    assert line["seed"] == seed
    assert [without_times(one) for one in graded.room.records(student)] == [
        without_times(one) for one in before
    ]


def without_times(result):
    tests = tuple(test.model_copy(update={"seconds": 0}) for test in result.tests)
    return result.model_copy(update={"tests": tests})
