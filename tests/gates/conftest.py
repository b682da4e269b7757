"""Each lab's corpus, graded once for all gates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.grading.grade import Options
from autograder.judge.staff import Staff
from autograder.trial import Trial

from ..sampling import EVERYTHING
from .labs import CLASSES, COURSE, SOLUTION, WAIT, GradedClass, Kept, jobs_for, ran_here


@pytest.fixture(scope="session")
def grade():
    """Return a function that does what the command does, for all labs with the same staff.

    What they share takes five seconds to start: the imports, the nursery, the zygote.
    """
    with Staff(0) as staff:

        def once(trial, lab, *students):
            options = Options(jobs=jobs_for(lab), wait=WAIT)
            return ran_here(trial, students, options, staff)

        yield once


@pytest.fixture(scope="session")
def graded(tmp_path_factory, grade, pytestconfig):
    """Return a function that gives a lab's corpus, graded; each lab is graded only once.

    Where nothing has changed since it was last graded whole, that is a sample (`judged.py`).

    What an earlier run of the tests found as the corpus states it is taken over, as the command
    takes over what has not changed: the lab, the submission, the engine, the packages. Everybody
    else seems to have handed in the solution before, so that a submission is judged from its
    first change on. `test_doors.py` has all of it judged.
    """
    known = {}

    def once(lab):
        if lab not in known:
            trial = Trial.of(tmp_path_factory.mktemp(lab.short), COURSE, lab, CLASSES[lab])
            kept = Kept(pytestconfig.cache.mkdir("gates") / lab.name, trial)
            kept.take_over(SOLUTION)
            first = grade(trial, lab, SOLUTION)
            for name in CLASSES[lab].keys() - {SOLUTION}:
                kept.take_over(name, otherwise=SOLUTION)
            rest = grade(trial, lab)
            ran = replace(rest, lines=rest.lines | first.lines)
            assert ran.lines.keys() == CLASSES[lab].keys(), ran.complaints
            known[lab] = GradedClass(lab, trial, ran)
            for name in CLASSES[lab]:
                kept.keep(name, known[lab])
            if EVERYTHING:
                known[lab].write_down()
        return known[lab]

    return once
