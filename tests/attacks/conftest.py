"""A class in which nearly everybody is up to something, graded once by the real command."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
import pytest
from nbgrader.api import Gradebook

from autograder.checks.output import RECORD_TYPE
from autograder.checks.records import CheckResult
from autograder.corpus import read_corpus
from autograder.grading.folder import CourseFolder

from .attack import COURSE, FILE, LAB, ROOT, Attack
from .by_answers import ANSWERS
from .in_cells import CODE
from .in_files import NOTEBOOKS
from .with_markup import MARKUP

AUTOGRADER = Path(sys.executable).with_name("autograder")
ATTACKS: list[Attack] = [*CODE, *ANSWERS, *NOTEBOOKS, *MARKUP]
HONEST_STUDENTS = {
    "amy": "right-solution",
    "bob": "right-sqlite",
    "cat": "partial-half-finished",
    "dora": "right-plain-dictionaries",
    "eve": "right-router-and-repository",
    "fay": "wrong-put-merges",
    "gil": "blank",
    "ned": "wrong-blank-names",
    "oz": "right-solution",
    "quinn": "wrong-secret-leaks",
    "si": "right-solution",
}
"""Names that stand between the attackers' in the alphabet, and whose submissions they hand in."""
CANARIES = {
    "hidden": "KEPT-HIDDEN-c41a",
    "answer": "KEPT-ANSWER-77e0",
    "other": "KEPT-OTHER-9b2f",
    "gradebook": "KEPT-GRADEBOOK-03dd",
    "environment": "KEPT-ENVIRONMENT-5e18",
    "outside": "KEPT-OUTSIDE-a6c3",
}
"""What stands where no student may look, by where that is."""
ANYWHERE = ("/tmp", "/var/tmp", "/dev/shm", "/root")  # noqa: S108 - attacked
"""Folders beside the course in which attackers try to leave something."""
TOKEN = "TAKEN-5d1e"  # noqa: S105 - a name to look for
"""What attackers try to leave behind."""


@dataclass
class Watch:
    """Everything that a grader starts, while it runs."""

    process: subprocess.Popen[str]
    seen: dict[tuple[int, float], str] = field(default_factory=dict)
    users: set[int] = field(default_factory=set)
    largest: int = 0

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> None:
        """Stop watching."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            with contextlib.suppress(psutil.Error):
                for one in psutil.Process(self.process.pid).children(recursive=True):
                    self._note(one)

    def _note(self, one: psutil.Process) -> None:
        with contextlib.suppress(psutil.Error):  # it has just ended
            self.seen[one.pid, one.create_time()] = " ".join(one.cmdline()[-3:])
            self.users.add(one.uids().real)
            if "autograder.judge.zygote_process" in one.cmdline():
                self.largest = max(self.largest, one.memory_info().rss)

    def left(self) -> list[str]:
        """Return what is still there."""
        found = []
        for pid, born in self.seen:
            try:
                if psutil.Process(pid).create_time() == born:
                    found.append(self.seen[pid, born])
            except psutil.Error:
                continue
        return found


@dataclass(frozen=True)
class Ran:
    """One run of `autograder grade --json`."""

    code: int
    lines: dict[str, dict]
    printed: str
    complaints: str
    watch: Watch


def watched(
    command: Sequence[str | Path], folder: Path, own: dict[str, str], *, seconds: float
) -> tuple[int, str, str, Watch]:
    """Run a command to its end and watch what it starts.

    Args:
        command: Its words.
        folder: Where it runs.
        own: What it finds in its environment beside this process's.
        seconds: How long it may take.

    Returns:
        How it ended, what it printed, what it complained of, and what was seen of it.
    """
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | own,
    )  # fmt: skip
    watch = Watch(process)
    try:
        printed, complaints = process.communicate(timeout=seconds)
    finally:
        watch.end()
        process.kill()
    return process.returncode, printed, complaints, watch


@dataclass(frozen=True)
class Room:
    """A course with a class."""

    path: Path
    places: dict[str, str]

    def hand_in(self, name: str, make) -> None:
        """Make a student's folder and have the submission written there."""
        folder = self.path / "submitted" / name / LAB.name
        folder.mkdir(parents=True)
        make(folder, self.places)

    def grade(self, *arguments: str, seconds: float = 1800) -> Ran:
        """Run the command to its end."""
        own = {"AUTOGRADER_CANARY": CANARIES["environment"], "TMPDIR": self.places["temporary"]}
        command = [AUTOGRADER, "grade", "lab01", "--json", *arguments]
        code, printed, complaints, watch = watched(command, self.path, own, seconds=seconds)
        lines = [json.loads(line) for line in printed.splitlines()]
        by_student = {line["student"]: line for line in lines}
        assert len(by_student) == len(lines), "a submission was given out twice"
        return Ran(code, by_student, printed, complaints, watch)

    def autograded(self, student: str) -> Path:
        return self.path / "autograded" / student / LAB.name / FILE

    def feedback(self, student: str) -> Path:
        return (self.path / "feedback" / student / LAB.name / FILE).with_suffix(".html")

    def records(self, student: str) -> list[CheckResult]:
        """Return the verdicts on a student's checks."""
        notebook = nbformat.read(self.autograded(student), as_version=4)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        found = [output.get("data", {}).get(RECORD_TYPE) for output in outputs]
        return [CheckResult.model_validate(record) for record in found if record]

    def told(self, student: str, line: dict) -> list[str]:
        """Return every line that a student is told: what was wrong, in the order of importance."""
        lines = [line["message"], *line["altered"]]
        for record in self.records(student):
            lines.append(record.problem)
            lines += [test.message for test in record.tests]
            lines += [test.raised for test in record.tests]
        notebook = nbformat.read(self.autograded(student), as_version=4)
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    lines.append(f"{output.ename}: {output.evalue}")
        return [one for one in lines if one]

    def gradebook(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.path / 'gradebook.db'}")


@contextlib.contextmanager
def made_room(path: Path) -> Iterator[Room]:
    """Make a course with lab 01, with something to steal and something to break."""
    # Not below `path`: the names of sockets must be short.
    with tempfile.TemporaryDirectory(prefix="attacks-") as temporary:
        yield _room(path, temporary)


def _room(path: Path, temporary: str) -> Room:
    course, outside = path / "course", path / "outside"
    course.mkdir()
    outside.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", course)
    shutil.copytree(ROOT / "solutions" / LAB.name, course / "solutions" / LAB.name)
    shutil.copytree(ROOT / "labs" / LAB.name, course / "labs" / LAB.name)
    (outside / "secret.txt").write_text(CANARIES["outside"])
    solution = course / "solutions" / LAB.name / FILE
    notebook = nbformat.read(solution, as_version=4)
    for cell in notebook.cells:
        cell.source = re.sub(
            "(### BEGIN HIDDEN TESTS\n)", rf'\1KEPT = "{CANARIES["hidden"]}"\n\n\n', cell.source
        )
        cell.source = re.sub(
            "(### BEGIN SOLUTION\n)", rf"\1# {CANARIES['answer']}\n", cell.source, count=1
        )
    nbformat.write(notebook, solution)
    room = Room(
        course,
        {
            "course": str(course),
            "solution": str(solution),
            "released": str(course / "labs" / LAB.name / FILE),
            "other": str(course / "submitted" / "amy" / LAB.name / FILE),
            "gradebook": str(course / "gradebook.db"),
            "outside": str(outside),
            "temporary": temporary,
            "anywhere": "()",  # what an attacker may try beside the course
            "token": TOKEN,
        },
    )
    CourseFolder(course)  # its settings let nbgrader find `alembic`
    with room.gradebook() as gradebook:
        gradebook.add_student("zoe", last_name=CANARIES["gradebook"])
    return room


def hand_in_honest(room: Room, students: dict[str, str]) -> dict[str, float]:
    """Hand in submissions of the corpus, and return their marks."""
    corpus = {submission.name: submission for submission in read_corpus(COURSE, LAB)}
    for student, name in students.items():
        room.hand_in(student, lambda folder, _, one=corpus[name]: one.write(folder, COURSE, LAB))
    file = Path(room.places["other"])
    notebook = nbformat.read(file, as_version=4)
    next(cell for cell in notebook.cells if cell.id == "t1").source += f"\n# {CANARIES['other']}"
    nbformat.write(notebook, file)
    return {student: corpus[name].points for student, name in students.items()}


@dataclass(frozen=True)
class Graded:
    """The class, and what came of it."""

    room: Room
    ran: Ran
    honest: dict[str, float]
    before: dict[str, str]
    knocked: list[str]


@pytest.fixture(scope="session")
def graded(tmp_path_factory) -> Iterator[Graded]:
    """The whole class, graded once."""
    with (
        made_room(tmp_path_factory.mktemp("attacks")) as room,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
    ):
        udp.bind(("127.0.0.1", 0))
        room.places["tcp"], room.places["udp"] = (str(one.getsockname()[1]) for one in (tcp, udp))
        room.places["anywhere"] = repr(ANYWHERE)
        honest = hand_in_honest(room, HONEST_STUDENTS)
        for attack in ATTACKS:
            room.hand_in(attack.name, attack.make)
        before = contents(room)
        ran = room.grade("--jobs", "4")  # the endless ones need time more than processors
        knocked = []
        for one in (tcp, udp):
            one.settimeout(0)
            try:
                one.accept() if one is tcp else one.recv(100)
                knocked.append(str(one.getsockname()))
            except BlockingIOError:
                pass
        yield Graded(room, ran, honest, before, knocked)


def contents(room: Room) -> dict[str, str]:
    """Return the contents of what no submission may change."""
    folders = [room.path / name for name in ("solutions", "labs", "submitted")]
    found = {}
    for folder in [*folders, Path(room.places["outside"])]:
        for path in sorted(folder.rglob("*")):
            kept = path.is_file() and not path.is_symlink()
            told = path.read_bytes().hex() if kept else ""
            found[str(path)] = f"{oct(path.lstat().st_mode)} {path.lstat().st_mtime_ns} {told}"
    return found


@pytest.fixture(scope="session")
def feedback(graded) -> list[Path]:
    """Nbgrader's own feedback on everybody."""
    subprocess.run(
        [AUTOGRADER.with_name("nbgrader"), "generate_feedback", LAB.name],
        cwd=graded.room.path, check=True, capture_output=True,
    )  # fmt: skip
    return sorted(graded.room.path.glob("feedback/**/*.html"))
