"""Each lab's corpus, graded once for all gates."""

from __future__ import annotations

import pytest

from autograder.trial import Trial

from .labs import CORPORA, COURSE, WAIT, GradedClass, jobs_for


@pytest.fixture(scope="session")
def graded(tmp_path_factory):
    """Return a function that gives a lab's corpus, graded; each lab is graded only once."""
    known = {}

    def grade(lab):
        if lab not in known:
            path = tmp_path_factory.mktemp(lab.short)
            trial = Trial.of(path, COURSE, lab, CORPORA[lab])
            ran = trial.grade("--jobs", str(jobs_for(lab)), "--wait", str(WAIT))
            assert ran.lines.keys() == CORPORA[lab].keys(), ran.complaints
            known[lab] = GradedClass(lab, trial, ran)
        return known[lab]

    return grade
