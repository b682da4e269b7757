"""The corpus: submissions with known marks, which hold the checks of a lab to their word.

CONTRIBUTING.md describes the files in `tests/corpus/labNN/`. A submission is a notebook made
from the lab's solution or its release, with some tasks written differently.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import nbformat
import yaml  # type: ignore[import-untyped]  # it ships no types
from nbformat import NotebookNode
from pydantic import BaseModel, ConfigDict

from autograder.course import Course, Lab

_FENCE = re.compile(
    r'^```python task="(?P<task>[^"]+)"(?: (?P<part>old|new))?\n(?P<code>.*?)^```$',
    flags=re.MULTILINE | re.DOTALL,
)


class BadSubmission(ValueError):
    """A file of the corpus does not say what it should; the message names file and fault."""


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid")

    about: str
    kind: Literal["right", "wrong", "partial", "unreadable"]
    base: Literal["solution", "release"] = "solution"
    loses: list[str]
    points: float


@dataclass(frozen=True)
class Edit:
    """A piece of a task's answer that a submission writes differently."""

    task: str
    old: str
    new: str


@dataclass(frozen=True)
class Submission:
    """One submission of the corpus.

    Attributes:
        name: Its file's name without the ending.
        about: What is right or wrong about it, in a sentence.
        kind: right, wrong, partial or unreadable.
        base: What stands in the tasks that it does not write: `solution` or `release`.
        loses: The tests that it must lose; a task's name stands for all of the task's tests.
        points: The mark that it must get.
        tasks: The source of each task that it writes anew.
        edits: Changes to the base's tasks.
        text: The whole content of a file that is no notebook.
    """

    name: str
    about: str
    kind: str
    base: str
    loses: frozenset[str]
    points: float
    tasks: dict[str, str] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    text: str = ""

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a submission from its file.

        Raises:
            BadSubmission: The file does not follow CONTRIBUTING.md.
        """
        _, header, body = file.read_text(encoding="utf-8").split("---\n", 2)
        try:
            told = _Header.model_validate(yaml.safe_load(header))
            tasks, edits = _changes(body)
        except (ValueError, yaml.YAMLError) as error:
            raise BadSubmission(f"{file}: {error}") from error
        return cls(
            name=file.stem,
            about=told.about,
            kind=told.kind,
            base=told.base,
            loses=frozenset(told.loses),
            points=told.points,
            tasks=tasks,
            edits=edits,
            text=_text(body) if told.kind == "unreadable" else "",
        )

    def is_lost(self, test: str) -> bool:
        """Tell whether this submission must lose a test, given as `t1.test_name`."""
        return test in self.loses or test.partition(".")[0] in self.loses

    def costs_only(self, task: str) -> bool:
        """Tell whether this submission must lose tests of one task and of no other."""
        return {test.partition(".")[0] for test in self.loses} == {task}

    def write(self, folder: Path, course: Course, lab: Lab) -> Path:
        """Write the submission as a student would hand it in, and return the notebook's path."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{lab.name}.ipynb"
        if self.kind == "unreadable":
            file.write_text(self.text, encoding="utf-8")
        else:
            nbformat.write(self.notebook(course, lab), file)
        return file

    def notebook(self, course: Course, lab: Lab) -> NotebookNode:
        """Return the notebook that is handed in: the release with this submission's answers."""
        released = _notebook(course, "labs", lab)
        based_on = released if self.base == "release" else _notebook(course, "solutions", lab)
        answers = _answers(based_on)
        unknown = (self.tasks.keys() | {edit.task for edit in self.edits}) - answers.keys()
        if unknown:
            raise BadSubmission(f"{self.name}: {lab.name} has no task {', '.join(unknown)}.")
        answers |= self.tasks
        for edit in self.edits:
            if answers[edit.task].count(edit.old) != 1:
                raise BadSubmission(
                    f"{self.name}: the answer of {edit.task} does not hold exactly once: {edit.old}"
                )
            answers[edit.task] = answers[edit.task].replace(edit.old, edit.new)
        for cell in released.cells:
            if (task := _task(cell)) is not None:
                cell.source = answers[task]
        return released


def read_corpus(course: Course, lab: Lab) -> list[Submission]:
    """Return a lab's corpus with its solution and its blank release, which need no file."""
    folder = course.root / "tests" / "corpus" / lab.short
    found = [Submission.read(file) for file in sorted(folder.glob("*.md"))]
    points = _points(_notebook(course, "solutions", lab))
    return [
        Submission("right-solution", "The course's own solution", "right", "solution",
                   frozenset(), math.fsum(points.values())),
        Submission("blank", "The lab as it was released", "partial", "release",
                   frozenset(points), 0.0),
        *found,
    ]  # fmt: skip


def _changes(body: str) -> tuple[dict[str, str], tuple[Edit, ...]]:
    tasks: dict[str, str] = {}
    edits: list[Edit] = []
    old: tuple[str, str] | None = None
    for match in _FENCE.finditer(body):
        task, code = match["task"], match["code"].rstrip("\n")
        if match["part"] == "old":
            old = (task, code)
        elif match["part"] == "new":
            if old is None or old[0] != task:
                raise ValueError(f"`new` for {task} without the `old` that it replaces")
            edits.append(Edit(task, old[1], code))
            old = None
        else:
            tasks[task] = code
    if old is not None:
        raise ValueError(f"`old` for {old[0]} without a `new`")
    return tasks, tuple(edits)


def _text(body: str) -> str:
    match = re.search(r"^```text\n(.*?)^```$", body, flags=re.MULTILINE | re.DOTALL)
    if match is None:
        raise BadSubmission("an unreadable submission needs a ```text fence with its content")
    return match[1]


def _notebook(course: Course, folder: str, lab: Lab) -> NotebookNode:
    file = course.root / folder / lab.name / f"{lab.name}.ipynb"
    notebook: NotebookNode = nbformat.read(file, as_version=4)
    return notebook


def _task(cell: NotebookNode) -> str | None:
    told: dict[str, Any] = cell.metadata.get("nbgrader", {})
    return told["grade_id"] if told.get("solution") and cell.cell_type == "code" else None


def _points(notebook: NotebookNode) -> dict[str, float]:
    """Return what each task's check is worth."""
    told = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
    return {
        entry["grade_id"].removeprefix("check-"): float(entry["points"])
        for entry in told
        if entry.get("grade") and not entry.get("solution")
    }


def _answers(notebook: NotebookNode) -> dict[str, str]:
    return {task: cell.source for cell in notebook.cells if (task := _task(cell)) is not None}
