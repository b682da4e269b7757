"""nbgrader's steps that differ for a lab that the engine judges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbformat import NotebookNode
from nbgrader import preprocessors as stock  # type: ignore[import-untyped]  # it ships no types
from nbgrader import utils
from nbgrader.api import Gradebook  # type: ignore[import-untyped]

from autograder.grading.autograded import notebook_of
from autograder.nbgrader.exporter import SubmissionExporter
from autograder.nbgrader.run import Run
from autograder.nbgrader.verdicts import Verdict

Step = tuple[NotebookNode, Any]


def _run(preprocessor: Any) -> Run | None:
    """Return the run that a preprocessor belongs to; None if the lab is nbgrader's."""
    exporter = preprocessor.parent
    if not isinstance(exporter, SubmissionExporter):
        raise TypeError(
            "The engine's preprocessors need its exporter. Add to nbgrader_config.py: "
            'c.Autograde.exporter_class = "autograder.nbgrader.exporter.SubmissionExporter"'
        )
    return exporter.run


class OverwriteCells(stock.OverwriteCells):  # type: ignore[misc]  # untyped base
    """Restores nothing where the engine has rebuilt the submission.

    Its locked cells are the release's already. What the gradebook holds in their place are the
    hidden tests, which are to be neither in the autograded notebook nor in the feedback.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> Step:
        """Restore a notebook's locked cells, if nbgrader grades it."""
        if _run(self) is not None:
            return nb, resources
        restored: Step = super().preprocess(nb, resources)
        return restored


class Judge(stock.Execute):  # type: ignore[misc]  # untyped base
    """Has the engine judge a submission, where nbgrader would run it in a kernel."""

    def preprocess(self, nb: NotebookNode, resources: Any, km: Any = None) -> Step:
        """Return the notebook with what its cells put out, and the tables of its checks."""
        run = _run(self)
        if run is None:
            executed: Step = super().preprocess(nb, resources, km)
            return executed
        verdict = run.judge(resources["nbgrader"]["student"])
        marked = notebook_of(
            nb,
            checks=run.lab.checks,
            judged=verdict.judged,
            altered=run.altered,
            reason=verdict.reason,
        )
        return marked, resources


class SaveAutoGrades(stock.SaveAutoGrades):  # type: ignore[misc]  # untyped base
    """Writes nbgrader's rows, and flags a submission that a person must look at."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> Step:
        """Write the marks of a notebook into the gradebook."""
        saved: Step = super().preprocess(nb, resources)
        run = _run(self)
        if run is not None and run.verdict.reason:
            with Gradebook(self.db_url) as gradebook:
                self._flag(gradebook, nb, run.verdict)
                gradebook.db.commit()
        return saved

    def _flag(self, gradebook: Any, notebook: NotebookNode, verdict: Verdict) -> None:
        """Flag the first mark, and say why where formgrader and feedback show it."""
        place = (self.notebook_id, self.assignment_id, self.student_id)
        for number, name in enumerate(_names(notebook, utils.is_grade)):
            grade = gradebook.find_grade(name, *place)
            if verdict.judged is None:
                grade.auto_score = 0
                grade.needs_manual_grade = grade.manual_score is not None
            if number == 0:
                grade.needs_manual_grade = True
        for name in _names(notebook, _is_answer)[:1]:
            gradebook.find_comment(name, *place).auto_comment = verdict.reason


def _names(notebook: NotebookNode, belongs: Callable[[NotebookNode], bool]) -> list[str]:
    return [cell.metadata.nbgrader["grade_id"] for cell in notebook.cells if belongs(cell)]


def _is_answer(cell: NotebookNode) -> bool:
    return bool(utils.is_solution(cell) or utils.is_task(cell))
