"""What a lab's submissions are judged by, and what is known of them before anything runs.

Both doors, `autograder grade` and nbgrader's own commands, ask here. They differ in how they read
what was handed in and where they write what came of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.grading import cache
from autograder.grading.cache import Cells, Record, Records
from autograder.grading.folder import CourseFolder
from autograder.grading.lab import GradedLab
from autograder.judge.judged import Judged
from autograder.judge.messages import SetUp, Task
from autograder.judge.steps import Step, without_checks
from autograder.own_folder import OwnFolder
from autograder.sandbox import layers
from autograder.sandbox.layers import Level
from autograder.sandbox.report import held_here


@dataclass(frozen=True, kw_only=True)
class Question:
    """A submission that is to be judged, with what is known of it.

    Attributes:
        student: Whose it is.
        steps: Its cells, in order; none where nothing needs to be run.
        files: Its own files that they may read, by name.
        record: What is remembered of it.
        cells: Hashes of its cells and of all that they run in.
        known: The verdicts that can be taken over.
    """

    student: str
    steps: tuple[Step, ...]
    files: Mapping[str, Path]
    record: Record
    cells: Cells
    known: Judged | None

    @property
    def is_answered(self) -> bool:
        """Whether nothing has to be run."""
        return self.record.tells_all(self.known, self.cells)


class Judging:
    """What the submissions of one lab are judged by.

    Args:
        course: The course.
        lab: The lab.
        seed: What the tests' values are drawn from; drawn for each submission if None.
        unsafe: Run without a sandbox.
        wait: How many seconds a test waits for one answer or gate.

    Attributes:
        records: What is remembered of the lab's submissions.
        hashes: Hash of each check, by its cell's id.
        sandbox: Name of the sandbox's level here.
        world: Hash of all that cells and checks run in.
        set_up: What a worker is told; whoever starts it adds where the data files lie.
    """

    def __init__(
        self, course: CourseFolder, lab: GradedLab, *, seed: int | None, unsafe: bool, wait: float
    ) -> None:
        self._seed = seed
        self.records = Records(course.state / lab.name)
        checks = {
            cell.id: lab.checks[name]
            for cell in lab.release.cells
            if (name := cell.metadata.get("nbgrader", {}).get("grade_id")) in lab.checks
        }
        self.hashes = {cell: cache.hash_of_check(check) for cell, check in checks.items()}
        held = held_here()
        level = layers.level([layer for layer, problem in held.items() if problem is None])
        self.sandbox = (Level.NONE if unsafe else level).name.lower()
        self.world = cache.world(data=lab.data_digest(), sandbox=self.sandbox)
        self.set_up = SetUp(
            checks=checks,
            grants=lab.grants,
            secrets=tuple(map(str, course.secrets)),
            hidden=(str(course.root),),
            unsafe=unsafe,
            layers=held,
            wait=wait,
        )

    def question(
        self,
        student: str,
        steps: tuple[Step, ...],
        files: Mapping[str, Path],
        *,
        cached: bool = True,
    ) -> Question:
        """Look up what is known of a submission.

        Args:
            student: Whose it is.
            steps: Its cells, in order.
            files: Its own files that they may read, by name.
            cached: Whether verdicts may be taken over.
        """
        record = self.records.read(student)
        cells = cache.hashes_of_cells(steps, self.world, cache.hash_of_files(files))
        known = record.known(cells, self.hashes, self._seed) if cached else None
        return Question(
            student=student, steps=steps, files=files, record=record, cells=cells, known=known
        )

    def unchanged(self, student: str, files: Mapping[str, Path], handed_in: str) -> Question | None:
        """Return a submission whose verdicts all stand, without a look into its notebook.

        Args:
            student: Whose it is.
            files: Its own files that it may read, by name.
            handed_in: Hash of what was handed in and of all that it is judged in.
        """
        record = self.records.read(student)
        known = record.known(record.cells, self.hashes, self._seed)
        if record.handed_in != handed_in or not record.tells_all(known, record.cells):
            return None
        return Question(
            student=student, steps=(), files=files, record=record, cells=record.cells, known=known
        )

    def task(self, question: Question) -> Task:
        """Return what a worker is given to answer a question."""
        known = question.known
        return Task(
            name=question.student,
            steps=without_checks(question.steps),
            seed=question.record.seed(known, question.cells, self.drawn()),
            known=known.checks if known else {},
            files={name: str(path) for name, path in question.files.items()},
        )

    def drawn(self) -> int:
        """Return a seed for one submission: what one student saw tells another nothing."""
        return secrets.randbits(32) if self._seed is None else self._seed


def folder_of_data(data: Mapping[str, Path]) -> OwnFolder | None:
    """Copy a lab's data files to where submissions may read them; None if it has none.

    Args:
        data: The files, by their path in the lab's folder.
    """
    if not data:
        return None
    folder = OwnFolder("autograder-data-")
    folder.path.chmod(0o755)
    for name, path in data.items():
        cache.write_whole(folder.path / name, path.read_bytes(), mode=0o444)
    return folder
