"""What has to be judged: everything where something has changed, and else a fair sample."""

import shutil

import pytest

from autograder.course import Course

from . import judged
from .judged import SOLUTION, Ledger, to_judge
from .labs import CORPORA, COURSE, LABS

LAB = next(lab for lab in LABS if lab.short == "lab01")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of the course with what a fingerprint is made of, whose lab 01 was judged whole."""
    monkeypatch.setattr(judged, "EVERYTHING", False)
    for name in ("classroom", "autograder", "content/labs", f"tests/corpus/{LAB.short}"):
        shutil.copytree(COURSE.root / name, tmp_path / name)
    for name in (f"solutions/{LAB.name}/{LAB.name}.ipynb", "requirements.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(COURSE.root / name, tmp_path / name)
    copied = Course(tmp_path)
    Ledger(copied, lab_of(copied)).write({"t1.test_one"})
    return copied


def lab_of(course):
    return next(lab for lab in course.labs if lab.short == LAB.short)


def is_known(course):
    """Tell whether the lab was judged as it is now."""
    return Ledger(course, lab_of(course)).read() is not None


def holds(course):
    """Tell whether it was judged by this engine, too; what was read of files is forgotten."""
    judged._engine.cache_clear()
    found = Ledger(course, lab_of(course)).holds()
    judged._engine.cache_clear()
    return found


def append(file, text):
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize(
    "changed",
    [
        f"solutions/{LAB.name}/{LAB.name}.ipynb",
        f"tests/corpus/{LAB.short}/wrong-put-merges.md",
    ],
)
def test_a_changed_lab_is_seen(course, changed):
    """A change of the lab or of a submission has it judged whole."""
    assert is_known(course)
    append(course.root / changed, "\n")
    assert not is_known(course)
    assert to_judge(course, lab_of(course), CORPORA[LAB]) == CORPORA[LAB]


@pytest.mark.parametrize(
    "changed",
    [
        "autograder/checks/runner.py",
        "autograder/sandbox/report.py",
        "classroom/server.py",
        "classroom/upstream/gate.py",
    ],
)
def test_a_changed_engine_is_seen(course, changed):
    """A change of the engine, or of a helper that it imports, leaves the lab as it was."""
    assert holds(course)
    append(course.root / changed, "\n")
    assert is_known(course)
    assert not holds(course)


def test_another_version_of_a_package_counts_and_a_remark_does_not(course):
    """Who asked for a package decides nothing."""
    lock = course.root / "requirements.lock"
    append(lock, "# somebody\n")
    assert holds(course)
    append(lock, "a-package==1.0\n")
    assert not holds(course)


def test_what_only_other_labs_import_does_not_count(course):
    """A helper of lab 09, or of a lesson, changes no verdict of lab 01."""
    append(course.root / "classroom/watched_database.py", "\n")
    append(course.root / "classroom/drill/drill.py", "\n")
    assert is_known(course)
    assert holds(course)


def test_a_sample_has_something_of_each_kind_and_of_each_task(course):
    """Of a lab that is known, the solution, some right designs and wrong ones are judged again."""
    lab, corpus = lab_of(course), CORPORA[LAB]
    sample = to_judge(course, lab, corpus)
    left_out = [corpus[name] for name in corpus.keys() - sample.keys()]
    assert {one.kind for one in left_out} == {"wrong", "right"}
    assert SOLUTION in sample
    assert sum(one.kind == "right" for one in sample.values()) == 3
    tasks = {test.partition(".")[0] for one in corpus.values() for test in one.loses}
    assert all(any(one.costs_only(task) for one in sample.values()) for task in tasks)


def test_another_engine_judges_a_third_of_the_wrong_ones(course):
    """Every right design is judged again, and many others."""
    append(course.root / "autograder/checks/runner.py", "\n")
    judged._engine.cache_clear()
    many = to_judge(course, lab_of(course), CORPORA[LAB])
    judged._engine.cache_clear()
    left_out = [CORPORA[LAB][name] for name in CORPORA[LAB].keys() - many.keys()]
    assert {one.kind for one in left_out} == {"wrong"}
    wrong = [one for one in CORPORA[LAB].values() if one.kind == "wrong"]
    assert sum(one.kind == "wrong" for one in many.values()) >= len(wrong) // 3
