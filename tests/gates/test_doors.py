"""Both doors of every lab, what nbgrader's own button says of it, and what students may see."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config.loader import PyFileConfigLoader

from autograder.checks.records import task_title
from autograder.course import CONFIG
from autograder.grading.database import Database
from autograder.grading.folder import CourseFolder
from autograder.nbgrader import workers
from autograder.trial import Trial

from ..hidden_lines import hidden_lines
from ..sampling import some
from .labs import COURSE, LABS, WAIT, short

NBGRADER = Path(sys.executable).with_name("nbgrader")
VALIDATED = re.compile(r"VALIDATION FAILED ON (?P<failed>\d+) CELL|(?P<right>passes all the tests)")

every_lab = pytest.mark.parametrize("lab", LABS, ids=short)
some_labs = pytest.mark.parametrize("lab", some(LABS, "doors", share=0.4), ids=short)
pytestmark = [
    pytest.mark.notebook,
    # nbgrader adds rows in an order that SQLAlchemy warns about, without harm.
    pytest.mark.filterwarnings(f"ignore::{SAWarning.__module__}.{SAWarning.__name__}"),
]


def started(environment, folder, *arguments):
    """Start a command of nbgrader."""
    return subprocess.Popen(
        [NBGRADER, *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process):
    """Wait for a command and return what it printed."""
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    return printed


@pytest.fixture(scope="session")
def by_nbgrader(graded, tmp_path_factory):
    """Return a function that has nbgrader's own API grade some of a lab's corpus.

    It is what formgrader's button calls, and what plain `nbgrader autograde` does; that command
    itself is in `tests/plugin`. Here it would start and import anew for each lab.
    """

    def grade(lab):
        class_ = graded(lab)
        picked = class_.some(class_.tasks()[::2])
        trial = Trial.of(tmp_path_factory.mktemp(lab.short), COURSE, lab, picked)
        course = CourseFolder(trial.path)
        # Made here in 0.1 s; nbgrader takes 4 s for a new one.
        Database(course.gradebook_url, str(course.nbgrader.course_id)).close()
        config = PyFileConfigLoader(CONFIG, path=str(trial.path)).load_config()
        config.CourseDirectory.root = str(trial.path)
        config.SubmissionExporter.wait = WAIT
        api = NbGraderAPI(CourseDirectory(config=config), config=config)
        result = api.autograde(lab.name, "*")
        assert result["success"], result
        return trial, list(picked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.environ["PATH"])  # the settings put nbgrader's folder into it
        yield grade
    workers.close()


@some_labs
def test_both_doors_give_the_same_marks(graded, by_nbgrader, lab):
    """nbgrader writes the same rows as `autograder grade`, and the same outcomes."""
    class_ = graded(lab)
    trial, picked = by_nbgrader(lab)
    assert len(picked) > 2
    assert trial.rows() == {name: class_.rows[name] for name in picked}
    for name in picked:
        records = trial.records(name)
        found = {test.id: test.outcome for record in records for test in record.tests}
        assert found == class_.outcomes(name), name
        assert [record.points for record in records] == [
            record.points for record in class_.checks(name)
        ], name


def test_validate_agrees(environment, tmp_path):
    """A fresh lab fails in each check, and the solution passes."""
    labs = some(LABS, "validate", share=0.4)
    shutil.copy(COURSE.root / "nbgrader_config.py", tmp_path)
    for folder in ("solutions", "labs"):
        for lab in labs:
            shutil.copytree(COURSE.root / folder / lab.name, tmp_path / folder / lab.name)
    files = [f"{lab.name}/{lab.name}.ipynb" for lab in labs]
    blank, solved = ([f"{top}/{file}" for file in files] for top in ("labs", "solutions"))
    # One command for all of them: nbgrader takes longer to start than a fresh lab to run.
    commands = [
        started(environment, tmp_path, "validate", *arguments) for arguments in (blank, solved)
    ]
    # Its exit code is 0 either way: what it prints counts.
    fresh, solutions = (list(VALIDATED.finditer(ended(one))) for one in commands)
    checks = [sum(map(is_check, nbformat.read(tmp_path / path, 4).cells)) for path in blank]
    assert [match["failed"] for match in fresh] == [str(count) for count in checks]
    assert len(solutions) == len(labs)
    assert all(match["right"] for match in solutions)


def is_check(cell):
    """Tell whether a cell is marked by nbgrader's tests."""
    marked = cell.metadata.get("nbgrader", {})
    return bool(marked.get("grade")) and not marked.get("solution")


@every_lab
def test_no_hidden_test_is_in_what_students_may_see(graded, lab):
    """Neither the autograded notebooks nor what the command prints have a line of them."""
    class_ = graded(lab)
    texts = [class_.trial.autograded_file(name).read_text() for name in class_.corpus]
    secrets = secrets_of(class_)
    for text in [*texts, class_.ran.printed, class_.ran.complaints]:
        assert not [secret for secret in secrets if secret in text]
    # The search does find what is there.
    assert title_of(class_) in texts[0]


@pytest.mark.parametrize("lab", LABS[:1], ids=short)
def test_no_hidden_test_is_in_the_feedback(graded, environment, lab):
    """nbgrader makes every page from those notebooks, so those of a few are enough."""
    class_ = graded(lab)
    some = ("--student", "[bp]*")  # the blank and the partial ones, which lose the most
    ended(started(environment, class_.trial.path, "generate_feedback", lab.name, *some))
    pages = [file.read_text() for file in class_.trial.path.glob("feedback/**/*.html")]
    assert len(pages) == len([name for name in class_.corpus if name[0] in "bp"]) > 1
    secrets = secrets_of(class_)
    for page in pages:
        assert not [secret for secret in secrets if secret in page]
    assert any(title_of(class_) in page for page in pages)


def title_of(class_):
    return f"Tests of {task_title(class_.tasks()[0])}"


def secrets_of(class_):
    secrets = hidden_lines(nbformat.read(class_.trial.source(), as_version=4))
    assert secrets
    return secrets
