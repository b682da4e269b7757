"""The whole way through an exchange, between accounts of one machine, by both doors.

The accounts are those that every Debian has for its services; nothing is added to the machine.
"""

from __future__ import annotations

import csv
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.corpus import read_corpus
from autograder.course import Course

from ..accounts import as_account

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course.find(ROOT)
LAB = COURSE.lab("lab01")
NOTEBOOK = f"{LAB.name}.ipynb"
CORPUS = {one.name: one for one in read_corpus(COURSE, LAB)}
SCRIPTS = Path(sys.executable).parent
INSTRUCTOR = "daemon"
MARKS = {
    "games": 20.0,  # the right design with SQLite
    "man": CORPUS["partial-half-finished"].points,
    "mail": 20.0,  # right, without ids and metadata, as some editors save
    "news": 0.0,  # no notebook, but a text in its place
    "uucp": 0.0,  # a notebook under another name
    "proxy": 0.0,  # a link to the instructor's solution
    "backup": 0.0,  # a folder that only its owner may open
    "list": 20.0,  # right, with a pipe beside it
    "irc": 20.0,  # right, with more files beside it than anybody needs
}
"""Students, and the mark that each has earned."""
BADLY_HANDED_IN = {"news", "uucp", "proxy", "backup"}

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as several accounts"),
]


@dataclass(frozen=True)
class Account:
    """Somebody with an account on the machine.

    Attributes:
        name: The account's name.
        home: The folder of the account, in which its commands are started.
    """

    name: str
    home: Path

    @classmethod
    def of(cls, name: str, place: Path) -> Account:
        """Make a home for an account."""
        account = cls(name, place / name)
        account.home.mkdir(mode=0o700)
        account.own(account.home)
        return account

    def own(self, folder: Path) -> None:
        """Give the account a folder with all that is in it."""
        row = pwd.getpwnam(self.name)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, row.pw_uid, row.pw_gid, follow_symlinks=False)

    def start(self, program: str, *arguments: str) -> subprocess.Popen:
        """Start a program of this environment as this account."""
        row = pwd.getpwnam(self.name)
        with (self.home / "printed.txt").open("w") as printed:
            return subprocess.Popen(
                [*as_account(row.pw_uid, row.pw_gid), SCRIPTS / program, *arguments],
                cwd=self.home,
                env={"HOME": str(self.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
                umask=0o022,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )

    def end(self, process: subprocess.Popen, codes=(0,)) -> str:
        """Wait for a program's end and return what it printed."""
        process.wait()
        printed = (self.home / "printed.txt").read_text()
        assert process.returncode in codes, f"{self.name}: {printed}"
        return printed

    def run(self, program: str, *arguments: str, codes=(0,)) -> str:
        """Run a program to its end and return what it printed."""
        return self.end(self.start(program, *arguments), codes)


def at_once(students, *arguments):
    """Run one command of nbgrader as each student, all at the same time."""
    running = [(one, one.start("nbgrader", *arguments)) for one in students]
    return {one.name: one.end(process) for one, process in running}


@pytest.fixture(scope="module")
def place():
    """A folder that every account may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def exchange(place):
    """The folder through which all goes; everybody may write into it."""
    folder = place / "exchange"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture(scope="module")
def instructor(place, exchange):
    """The instructor, with a course in which lab 01 is released."""
    account = Account.of(INSTRUCTOR, place)
    config = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    config += f"\nc.Exchange.root = {str(exchange)!r}\n"
    (account.home / "nbgrader_config.py").write_text(config, encoding="utf-8")
    for folder in ("solutions", "labs"):
        shutil.copytree(ROOT / folder / LAB.name, account.home / folder / LAB.name)
    account.own(account.home)
    account.run("nbgrader", "generate_assignment", LAB.name, "--force")
    account.run("nbgrader", "release_assignment", LAB.name)
    return account


@pytest.fixture(scope="module")
def students(place, instructor):
    """Everybody else, who knows the course's settings."""
    accounts = {name: Account.of(name, place) for name in MARKS}
    for account in accounts.values():
        shutil.copy(instructor.home / "nbgrader_config.py", account.home)
        account.own(account.home)
    return accounts


def fill(account: Account) -> None:
    """Put into a student's folder what this student hands in."""
    folder = account.home / LAB.name
    file = folder / NOTEBOOK
    right = CORPUS["right-sqlite"].notebook(COURSE, LAB)
    match account.name:
        case "man":
            nbformat.write(CORPUS["partial-half-finished"].notebook(COURSE, LAB), file)
        case "mail":
            right.nbformat_minor = 4
            for cell in right.cells:
                cell.metadata.clear()
                cell.pop("id", None)
            nbformat.write(right, file)
        case "news":
            file.write_text("This is my homework, in words.")
        case "uucp":
            nbformat.write(right, folder / "my-homework.ipynb")
            file.unlink()
            relaxed = (account.home / "nbgrader_config.py").read_text(encoding="utf-8")
            relaxed += "\nc.ExchangeSubmit.strict = False\n"
            (account.home / "nbgrader_config.py").write_text(relaxed, encoding="utf-8")
        case _:
            nbformat.write(right, file)
    account.own(account.home)


def spoil(account: Account, instructor: Account, inbound: Path) -> None:
    """Do to what a student has handed in what submitting itself does not do."""
    [folder] = inbound.glob(f"{account.name}+{LAB.name}+*")
    match account.name:
        case "proxy":
            (folder / NOTEBOOK).unlink()
            (folder / NOTEBOOK).symlink_to(instructor.home / "solutions" / LAB.name / NOTEBOOK)
        case "backup":
            folder.chmod(0o700)
        case "list":
            os.mkfifo(folder / "pipe")
        case "irc":
            (folder / "z").mkdir()
            for number in range(10_001):
                (folder / "z" / str(number)).touch()
    account.own(folder)


@pytest.fixture(scope="module")
def handed_in(instructor, students, exchange):
    """The class has fetched and handed in, and some have written into the exchange themselves."""
    at_once(students.values(), "fetch_assignment", LAB.name)
    for account in students.values():
        fill(account)
    at_once(students.values(), "submit", LAB.name)
    [inbound] = exchange.glob("*/inbound")
    for account in students.values():
        spoil(account, instructor, inbound)
    forged = students["man"]
    forged.run("nbgrader", "submit", LAB.name, "--student", "games")
    for name in (f"games+{LAB.name}+no time+x", f"<b>+{LAB.name}+2026-11-30 10:00:00 UTC+x"):
        (inbound / name).mkdir()
        forged.own(inbound / name)
    (inbound / f"man+{LAB.name}+2099-01-01 10:00:00 UTC+x").symlink_to(instructor.home)
    return instructor


@pytest.fixture(scope="module")
def collected(handed_in):
    """What the instructor's command said while it collected."""
    return handed_in.run("nbgrader", "collect", LAB.name)


@dataclass(frozen=True)
class Done:
    """A class whose feedback is released, and what its export says."""

    instructor: Account
    said: str
    released: str
    rows: dict[str, dict[str, str]]


@pytest.fixture(scope="module", params=["nbgrader", "autograder"])
def done(request, instructor, collected):
    """The same class, marked by one of the two commands, with its feedback released."""
    for made in ("autograded", "feedback", ".autograder"):
        shutil.rmtree(instructor.home / made, ignore_errors=True)
    instructor.run("nbgrader", "db", "assignment", "remove", LAB.name, "--force")
    grade = {"nbgrader": ("autograde", LAB.name), "autograder": ("grade", LAB.name)}
    said = instructor.run(request.param, *grade[request.param], codes=(0, 1))
    instructor.run("nbgrader", "generate_feedback", LAB.name, "--force")
    released = instructor.run("nbgrader", "release_feedback", LAB.name)
    instructor.run("nbgrader", "export", "--to", "marks.csv")
    with (instructor.home / "marks.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    return Done(instructor, said, released, rows)


def test_everybody_has_the_mark_that_he_earned(done):
    """The export has each student once, and a bad submission costs only who handed it in."""
    marks = {student: float(row["score"]) for student, row in done.rows.items()}
    assert marks == MARKS


def test_what_cannot_be_marked_is_for_a_person(done):
    """Each bad submission is for review, the log has the reasons, and no other one is."""
    with Gradebook(f"sqlite:///{done.instructor.home / 'gradebook.db'}") as gradebook:
        rows = gradebook.assignment_submissions(LAB.name)
        for_review = {row.student.id for row in rows if row.needs_manual_grade}
    assert for_review == BADLY_HANDED_IN
    for reason in ("is no notebook", "was not handed in", "is a link"):
        assert reason in done.said


def test_every_student_fetches_his_own_feedback(done, students):
    """Feedback comes back to each account, with its mark; who cannot get it is named."""
    # What gives the page its name in the exchange lay in a folder that nobody else can open.
    assert "/feedback/backup/" in done.released
    fetching = [account for account in students.values() if account.name != "backup"]
    for account in fetching:
        shutil.rmtree(account.home / LAB.name / "feedback", ignore_errors=True)
    at_once(fetching, "fetch_feedback", LAB.name)
    for account in fetching:
        pages = list((account.home / LAB.name / "feedback").glob("*/*.html"))
        assert len(pages) == 1, account.name
        text = pages[0].read_text(encoding="utf-8")
        assert f"{MARKS[account.name]:g} of 20 points" in text


def test_a_student_cannot_hand_in_for_another(collected, instructor, students):
    """What `man` has handed in as `games` is refused by name, and the own one is collected."""
    assert "it was handed in by man, not by games" in collected
    held = instructor.home / "submitted" / "games" / LAB.name / NOTEBOOK
    assert json.loads(held.read_text()) == json.loads(
        (students["games"].home / LAB.name / NOTEBOOK).read_text()
    )


def test_names_that_are_none_stop_nobody(collected, instructor):
    """A name without a time, a name that is markup, and a link are each told and left."""
    assert "its name does not say who handed in what, and when" in collected
    assert "'<b>' cannot be a student's name" in collected
    assert "it is no folder" in collected
    assert {path.name for path in (instructor.home / "submitted").iterdir()} == MARKS.keys()


def test_a_link_brings_nothing_of_the_instructors(collected, instructor):
    """A link is collected as a link, and a pipe is left where it is."""
    held = instructor.home / "submitted"
    assert (held / "proxy" / LAB.name / NOTEBOOK).is_symlink()
    assert not (held / "list" / LAB.name / "pipe").exists()
    assert "was not collected whole: it has more than 10,000 files" in collected
