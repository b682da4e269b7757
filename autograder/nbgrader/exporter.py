"""Where the engine gets hold of a run of nbgrader.

Of all that nbgrader lets a course replace, the exporter is made first: after the submissions
have been listed, before one of them is opened. The preprocessors come too late, because nbgrader
has read the notebook and copied the files beside it by then.
"""

from __future__ import annotations

from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.converters import Autograde  # type: ignore[import-untyped]  # it ships no types
from nbgrader.converters.base import NbGraderException  # type: ignore[import-untyped]
from traitlets import Bool, Float, Integer

from autograder.checks.deadlines import WHILE_GRADING
from autograder.course import CourseError
from autograder.grading.judging import Judging
from autograder.judge.pool import CannotGradeError
from autograder.nbgrader.labs import RunningCourse, judged_lab
from autograder.nbgrader.run import Run
from autograder.nbgrader.verdicts import Verdicts


class SubmissionExporter(NotebookExporter):
    """Reads submissions for nbgrader after the engine has rebuilt them.

    Raises:
        NbGraderException: The lab cannot be judged here; the log says why.
    """

    unsafe_no_sandbox = Bool(
        default_value=False, help="Grade without a sandbox: students' code may do as you may."
    ).tag(config=True)
    seed = Integer(
        default_value=None,
        allow_none=True,
        help="What the tests' values are drawn from; given again, it replays a verdict.",
    ).tag(config=True)
    wait = Float(
        default_value=WHILE_GRADING.wait,
        min=1,
        help="Seconds that a test waits for one answer; ends waits, decides nothing else.",
    ).tag(config=True)
    # One validation per pass instead of one per preprocessor.
    optimistic_validation = Bool(default_value=True).tag(config=True)

    run: Run | None = None
    """The run, if the engine judges this lab."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)  # type: ignore[no-untyped-call]  # nbconvert's
        if isinstance(self.parent, Autograde):
            try:
                self.run = self._begun(self.parent)
            except (CourseError, CannotGradeError) as error:
                self.log.error("%s", error)  # noqa: TRY400 - the reason, without a traceback
                raise NbGraderException(str(error)) from error

    def _begun(self, converter: Any) -> Run | None:
        name = converter.coursedir.assignment_id
        course = RunningCourse(converter.coursedir, converter.config)
        lab = judged_lab(course, name, self.log)
        if lab is None:
            self.log.warning(
                "%s holds no check cells (%%%%check): nbgrader's own kernel runs it, "
                "without a sandbox.",
                name,
            )
            return None
        if self.unsafe_no_sandbox:
            self.log.warning("Without a sandbox: students' code may do as you may.")
        judging = Judging(
            course, lab, seed=self.seed, unsafe=self.unsafe_no_sandbox, wait=self.wait
        )
        return Run(converter, course, lab, Verdicts(lab, judging))
