"""The gates of every lab: what its corpus says is what the grader finds, test by test."""

import math
from collections import Counter

import pytest

from autograder.checks.records import Outcome

from .judged import Ledger
from .labs import BLANK, CLASSES, CORPORA, COURSE, LABS, READABLE, SOLUTION, function_of, short

every_lab = pytest.mark.parametrize("lab", LABS, ids=short)
every_submission = pytest.mark.parametrize(
    ("lab", "submission"),
    [(lab, one) for lab in LABS for one in CLASSES[lab].values()],
    ids=short,
)
every_readable_submission = pytest.mark.parametrize(("lab", "submission"), READABLE, ids=short)


@every_lab
def test_the_released_lab_scores_nothing_in_every_test(graded, lab):
    """The blank lab earns no test, not only no points, and every test has been looked at."""
    class_ = graded(lab)
    blank, solved = class_.outcomes(BLANK), class_.outcomes(SOLUTION)
    assert blank.keys() == solved.keys()
    assert not [test for test, outcome in blank.items() if outcome is Outcome.PASSED]
    assert class_.ran.lines[BLANK]["score"] == 0


@every_lab
def test_right_designs_get_exactly_full_marks(graded, lab):
    """The solution and every other right design pass every test, without a remark."""
    class_ = graded(lab)
    for name in [name for name, one in class_.corpus.items() if one.kind == "right"]:
        line = class_.ran.lines[name]
        assert (line["score"], line["message"], line["altered"]) == (line["max_score"], "", []), (
            name
        )
        assert set(class_.outcomes(name).values()) == {Outcome.PASSED}, name


@every_readable_submission
def test_a_submission_loses_the_tests_it_names_and_no_others(graded, lab, submission):
    """Every test of every submission has the outcome that the corpus states."""
    found = graded(lab).outcomes(submission.name)
    lost = {test for test, outcome in found.items() if outcome is not Outcome.PASSED}
    stated = {test for test in found if submission.is_lost(test)}
    assert lost == stated, (
        f"{submission.name} got {sorted(lost - stated)} wrong besides what it states, and passed "
        f"{sorted(stated - lost)}, which it says that it loses."
    )
    tasks = {test.partition(".")[0] for test in found}
    assert submission.loses <= found.keys() | tasks, "it names tests that do not exist"


@every_submission
def test_a_submission_gets_the_mark_it_states(graded, lab, submission):
    """The command, the gradebook and the sum of the records say the mark of the corpus."""
    class_ = graded(lab)
    line = class_.ran.lines[submission.name]
    assert line["score"] == submission.points, (
        f"{submission.name} states {submission.points} points and got {line['score']}."
    )
    if submission.kind == "unreadable":
        assert line["status"] == "review"
    else:  # a mark that may be lost to time or to the sandbox is for a person, with its reason
        assert line["status"] in {"graded", "cached"} or (
            line["status"] == "review" and submission.kind == "wrong" and line["message"]
        )
    assert line["sandbox"] in {"strong", "contained"}
    row = class_.rows[submission.name]
    assert row["score"] == pytest.approx(submission.points, abs=1e-9)
    if submission.kind != "unreadable":
        points = [check.points for check in class_.checks(submission.name)]
        assert math.fsum(points) == pytest.approx(submission.points, abs=1e-9)


@every_readable_submission
def test_a_lost_test_says_what_to_do(graded, lab, submission):
    """A visible one says why it is lost; a hidden one says no more than its meaning and hint."""
    for test in graded(lab).tests(submission.name):
        assert test.meaning
        if test.outcome is Outcome.PASSED:
            continue
        assert test.hint, test.id
        if test.hidden:
            told = (test.sent_and_got, test.difference, test.message, test.raised)
            assert not any(told), test.id
        else:
            assert test.message, test.id


@every_lab
def test_a_corpus_holds_enough_of_each_kind(lab):
    """The solution and three other right designs, ten wrong ones, and a partial one."""
    kinds = Counter(one.kind for one in CORPORA[lab].values() if one.name != BLANK)
    assert SOLUTION in CORPORA[lab]
    assert kinds["right"] >= 4, f"{kinds}: the lab's own answer is one of the right ones"
    assert kinds["wrong"] >= 10, kinds
    assert kinds["partial"] >= 1, kinds


@every_lab
def test_every_test_can_be_failed(graded, lab):
    """Each test fails on some submission, itself: a check that cannot fail is worth nothing."""
    class_, judged = graded(lab), Ledger(COURSE, lab).read()
    failed = class_.failed() | set(judged.failed if judged else [])
    assert sorted({function_of(test) for test in class_.outcomes(SOLUTION)} - failed) == []


@every_lab
def test_a_second_run_takes_everything_over(graded, grade, lab):
    """Nothing is run again, nothing is written again, and the marks stay."""
    class_ = graded(lab)
    files = [class_.trial.autograded_file(name) for name in class_.corpus]
    before = [state(file) for file in files]
    again = grade(class_.trial, lab)
    assert again.statuses() <= {"cached", "review"}
    scores = {name: line["score"] for name, line in again.lines.items()}
    assert scores == {name: one.points for name, one in class_.corpus.items()}
    assert [state(file) for file in files] == before


def state(file):
    status = file.stat()
    return status.st_mtime_ns, status.st_ino
