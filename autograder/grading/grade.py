"""Grades a class: what has changed is judged by workers, all is written as nbgrader would.

Submissions are taken one by one and results given as they come, so memory does not grow with
the class. Whatever is done for a submission is done again without harm: a grader that is killed
is simply started again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from autograder.checks.deadlines import WHILE_GRADING
from autograder.course import is_plain_name
from autograder.grading import beside, cache
from autograder.grading.database import Database
from autograder.grading.folder import CourseFolder
from autograder.grading.gradebook import Marks, Total
from autograder.grading.handed_in import HandedIn, fetch
from autograder.grading.judging import Judging, Question, folder_of_data
from autograder.grading.lab import GradedLab, made_release, read_lab
from autograder.grading.outcome import Graded, Status
from autograder.grading.proof import Proof
from autograder.grading.sanitise import lost_answers
from autograder.grading.writer import Work, Writer
from autograder.judge.judged import Judged
from autograder.judge.messages import Answer
from autograder.judge.pool import Pool
from autograder.judge.staff import Staff
from autograder.judge.steps import steps_of

_log = logging.getLogger(__name__)
_LOOK_EVERY = 0.1
"""Seconds between looks at a submission that another grader is at work on."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to grade.

    Attributes:
        jobs: How many workers.
        cached: Whether to take over what an earlier run has found out.
        seed: What the tests' values are drawn from; drawn for each submission if None.
        unsafe: Run without a sandbox.
        wait: How many seconds a test waits for one answer or gate.
    """

    jobs: int
    cached: bool = True
    seed: int | None = None
    unsafe: bool = False
    wait: float = WHILE_GRADING.wait


@dataclass
class Grading:
    """The grading of one lab.

    Attributes:
        course: The course.
        lab: The lab.
        options: How to grade.
        staff: Workers that have started already; they are started when needed if None.
    """

    course: CourseFolder
    lab: GradedLab
    options: Options
    staff: Staff | None = None
    _undo: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __post_init__(self) -> None:
        self._judging = Judging(
            self.course,
            self.lab,
            seed=self.options.seed,
            unsafe=self.options.unsafe,
            wait=self.options.wait,
        )
        self._layout = cache.digest(self.lab.release, cache.hash_of_code(*cache.SHOWING))
        self._class_size = 0
        self._pool: Pool | None = None
        self._writer: Writer | None = None
        self._open: dict[str, Work] = {}

    def grade(self, students: Sequence[str]) -> Iterator[Graded]:
        """Grade submissions and yield what came of each, as it comes.

        Raises:
            CannotGradeError: Nothing can be graded, because of the lab or the machine.
            GradebookError: The gradebook cannot be opened.
            BadLabError: nbgrader refuses the lab.
        """
        self._class_size = len(students)
        with self._undo:
            waiting, taken = deque(filter(is_plain_name, students)), deque[str]()
            for student in students:
                if not is_plain_name(student):
                    yield self._refused(student)
            while waiting or taken or self._open:
                while waiting and (self._pool is None or self._pool.has_room):
                    student = waiting.popleft()
                    work = self._take(student)
                    if work is None:
                        taken.append(student)
                    else:
                        yield from self._begin(work)
                self._open_gradebook()  # only here, while the workers start
                if self._pool is not None and self._pool.is_busy:
                    for answer in self._pool.answers():
                        yield self._end(self._open.pop(answer.name), answer)
                elif taken and not waiting:
                    time.sleep(_LOOK_EVERY)
                    waiting, taken = taken, waiting

    def _refused(self, student: str) -> Graded:
        """Return the row of somebody whose name no gradebook can hold, and no page show."""
        return Graded(
            student=os.fsencode(student).decode("utf-8", "backslashreplace"),
            lab=self.lab.name,
            score=0.0,
            max_score=self.lab.max_score,
            status=Status.REVIEW,
            message="The name of this student's folder is no student's id: it is not UTF-8, as "
            "after unpacking an archive from another system, or holds markup. Rename the folder "
            "to the student's id.",
            sandbox=self._judging.sandbox,
        )

    def _open_gradebook(self) -> Writer:
        """Return what writes results, opened when it is asked for first."""
        if self._writer is None:
            self._writer = Writer(
                course=self.course,
                lab=self.lab,
                marks=self._gradebook(),
                records=self._judging.records,
                layout=self._layout,
                checks=self._judging.hashes,
            )
        return self._writer

    def _gradebook(self) -> Marks:
        """Open the gradebook, with the lab in it as it is in solutions/."""
        told = {
            cell.metadata.nbgrader.grade_id: cell
            for cell in self.lab.solution.cells
            if "nbgrader" in cell.metadata
        }
        points = {
            name: float(cell.metadata.nbgrader.points)
            for name, cell in told.items()
            if cell.metadata.nbgrader.get("grade") or cell.metadata.nbgrader.get("task")
        }
        sources = {
            name: cell.source
            for name, cell in told.items()
            if not cell.metadata.nbgrader.get("solution")
            and (cell.metadata.nbgrader.get("grade") or cell.metadata.nbgrader.get("locked"))
        }
        with cache.alone(self.course.state / "gradebook.lock"):
            database = self._undo.enter_context(
                Database(self.course.gradebook_url, str(self.course.nbgrader.course_id))
            )
            marks = Marks(database, self.lab.name, self.course.config)
            if not marks.holds(points, sources):
                made_release(self.course, self.lab.name)
        return marks

    def _take(self, student: str) -> Work | None:
        """Read a submission; None if another grader is at work on it."""
        begun = time.perf_counter()
        with contextlib.ExitStack() as lock:
            if not lock.enter_context(self._judging.records.lock(student)):
                return None
            folder = self.course.of_student(
                self.course.nbgrader.submitted_directory, student, self.lab.name
            )
            fetched = fetch(folder, f"{self.lab.name}.ipynb")
            files = beside.handed_on(fetched.folder)
            own = cache.hash_of_files(files)
            file = cache.digest(
                cache.hash_of(fetched.data), own, fetched.wrong, self._layout, self._judging.world
            )
            submission: HandedIn | None = None
            question: Question | None = None
            if self.options.cached:
                question = self._judging.unchanged(student, files, file)
            if question is not None:
                altered, reason = question.record.altered, ""
            else:
                submission = fetched.rebuilt(self.lab.release)
                altered, reason = submission.altered, submission.reason
                question = self._judging.question(
                    student,
                    steps_of(submission.notebook, self.lab.checks),
                    files,
                    cached=self.options.cached and not reason,
                )
            return Work(
                student=student,
                fetched=fetched,
                submission=submission,
                altered=altered,
                reason=reason,
                file=file,
                question=question,
                seconds=time.perf_counter() - begun,
                lock=lock.pop_all(),
            )
        raise AssertionError

    def _begin(self, work: Work) -> Iterator[Graded]:
        """Give a submission to a worker, or finish it when there is nothing to run."""
        if work.reason or work.question.is_answered:
            with work.lock:
                yield self._finish(work, work.question.known, work.reason)
            return
        if self._pool is None:
            self._pool = self._undo.enter_context(self._hired())
            self._proof().give(self._pool, seed=self._judging.drawn())
        self._open[work.student] = work
        self._pool.give(self._judging.task(work.question))

    def _proof(self) -> Proof:
        """Return the proof that the lab's own solution gets full marks."""
        file = self.course.state / f"{self.lab.name}.proven"
        return Proof(self.lab, file, world=self._judging.world, checks=self._judging.hashes)

    def _hired(self) -> Pool:
        """Start the workers."""
        set_up = self._judging.set_up
        if (folder := folder_of_data(self.lab.data)) is not None:
            set_up = replace(set_up, data=str(self._undo.enter_context(folder)))
        return Pool(set_up, jobs=min(self.options.jobs, self._class_size), staff=self.staff)

    def _end(self, work: Work, answer: Answer) -> Graded:
        """Finish a submission that a worker has judged."""
        with work.lock:
            return self._finish(work, answer.judged, answer.problem, judging=answer.seconds)

    def _finish(
        self, work: Work, judged: Judged | None, reason: str, *, judging: float | None = None
    ) -> Graded:
        """Write what came of a submission.

        Args:
            work: The submission.
            judged: What came of it, if anything.
            reason: Why a person should look at it; empty if nobody needs to.
            judging: Seconds that a worker took; None if none was asked.
        """
        if judged is not None:
            reason = reason or judged.reason or lost_answers(work.altered, self.lab.release)
        writer = self._open_gradebook()
        begun, cached = time.perf_counter(), judging is None
        try:
            total = writer.write(work, judged, reason, cached=cached)
        except OSError as error:
            total, reason = Total(0.0, 0.0), f"The result could not be written: {error.strerror}."
        status = Status.REVIEW if reason else Status.CACHED if cached else Status.GRADED
        if reason:
            _log.info("%s is for a person to look at: %s", work.student, reason)
        losses = ""
        if judged is not None:
            losses = " ".join(loss for loss in dict.fromkeys(judged.losses) if loss not in reason)
        return Graded(
            student=work.student,
            lab=self.lab.name,
            score=round(total.score, 4),
            penalty=round(total.penalty, 4),
            max_score=self.lab.max_score,
            status=status,
            checks=tuple(judged.checks.values()) if judged else (),
            altered=work.altered,
            message=" ".join(filter(None, (reason, losses))),
            seconds=round(work.seconds + (judging or 0) + time.perf_counter() - begun, 3),
            sandbox=judged.sandbox if judged else self._judging.sandbox,
            seed=judged.seed if judged else self.options.seed or 0,
        )


def open_grading(
    course: CourseFolder, lab: str, options: Options, staff: Staff | None = None
) -> Grading:
    """Prepare the grading of a lab, by workers that may have started already.

    Raises:
        BadLabError: It cannot be graded.
    """
    return Grading(course, read_lab(course, lab), options, staff)
