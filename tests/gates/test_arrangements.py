"""No test depends on another's requests: alone, twice over and shuffled, the verdicts stay."""

import pytest

from autograder.checks.records import Outcome

from ..sampling import EVERYTHING, drawing
from .arrangements import Outcomes, Plan
from .judged import Ledger
from .labs import CORPORA, COURSE, LABS, SOLUTION, function_of, short

SEED = 1
"""Of the order in which the tests of each check are tried."""

FEW = 2
"""Tests that run alone, and right designs, where the lab has not changed since all were tried."""

every_lab = pytest.mark.parametrize("lab", LABS, ids=short)


@pytest.fixture(scope="session")
def arranged(graded):
    """Return a function that judges some of a lab's corpus by its checks in other arrangements."""
    known = {}

    def judge(lab):
        if lab not in known:
            plan = Plan(lab)
            plan.each_alone(CORPORA[lab][SOLUTION], alone(graded(lab)))
            for submission in submissions(graded(lab)):
                plan.twice_over(submission, SEED)
            known[lab] = plan.judged()
        return known[lab]

    return judge


def submissions(class_):
    """Return right designs; all of them and some others, where not all arrangements were tried."""
    right = [one for one in class_.corpus.values() if one.kind == "right"]
    if is_sampled(class_):
        return right[:FEW]
    some = class_.some(class_.tasks()).values()
    return [*right, *(one for one in some if one.kind != "right")]


def alone(class_):
    """Return the tests to run alone: all of them, or a sample where nothing has changed."""
    tests = sorted(usual(class_, SOLUTION))
    return drawing(COURSE.root, class_.lab.name).sample(tests, FEW) if is_sampled(class_) else tests


def is_sampled(class_):
    """Tell whether all arrangements were tried since the lab changed, so that some are enough."""
    judged = Ledger(COURSE, class_.lab).read()
    return not EVERYTHING and judged is not None and judged.arranged


def usual(class_, name) -> Outcomes:
    """Return a submission's outcomes in the arrangement of the lab."""
    found: Outcomes = {}
    for test, outcome in class_.outcomes(name).items():
        found.setdefault(function_of(test), []).append(outcome)
    return found


def failed_alone(class_, found):
    """Return the tests that the solution does not pass where no other test has run."""
    return [test for test in alone(class_) if set(found[test][test]) != {Outcome.PASSED}]


def changed(class_, found):
    """Return each submission and test that came to something else, twice over and shuffled."""
    return [
        (submission.name, test)
        for submission in submissions(class_)
        for test, outcomes in usual(class_, submission.name).items()
        # What is blocked in one order may be run in another, after another failure.
        if Outcome.BLOCKED not in {*found[submission.name][test], *outcomes}
        and not is_same(submission, outcomes, found[submission.name][test])
    ]


def is_same(submission, once, twice):
    """Tell whether a test came to the same twice as once.

    A wrong submission may lose more: a fault can show only when more has been stored.
    """
    if submission.kind == "right":
        return sorted(twice) == sorted(once * 2)
    return twice.count(Outcome.PASSED) <= 2 * once.count(Outcome.PASSED)


@every_lab
def test_every_test_passes_alone(graded, arranged, lab):
    """In a fresh process, on which no other test has worked, the solution passes a test."""
    assert failed_alone(graded(lab), arranged(lab)) == []


@every_lab
def test_the_verdicts_stay_the_same(graded, arranged, lab):
    """Shuffled and then a second time, a test that is run comes to the same as in the lab."""
    class_, found = graded(lab), arranged(lab)
    for submission in submissions(class_):
        assert found[submission.name].keys() == usual(class_, submission.name).keys()
    assert changed(class_, found) == []
    if EVERYTHING and not failed_alone(class_, found):
        Ledger(COURSE, lab).note_arranged()
