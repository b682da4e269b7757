"""Tasks and their checks: what labs and the exercises of lessons have in common."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.authoring import words
from autograder.authoring.markdown import Cell, Document
from autograder.authoring.problems import Problem
from autograder.authoring.regions import Marker, regions
from autograder.authoring.words import Role
from autograder.checks.stubs import PLACEHOLDER


def cells_of(document: Document, role: Role) -> list[Cell]:
    """Return the code cells of one role."""
    return [cell for cell in document.cells if cell.kind == "code" and words.role(cell) is role]


def pair_problems(document: Document) -> Iterator[Problem]:
    """Yield tasks and checks that are doubled or lack the other, or stand in a wrong order."""
    places: dict[Role, dict[str, int]] = {Role.TASK: {}, Role.CHECK: {}}
    for role, known in places.items():
        for cell in cells_of(document, role):
            name = words.task(cell)
            if name in known:
                what = "tasks are" if role is Role.TASK else "checks are"
                yield document.problem(
                    cell.fence,
                    f"two {what} called {name}",
                    f"Give each {role} a name of its own.",
                )
            known.setdefault(name, cell.fence)
    asked, checked = places[Role.TASK], places[Role.CHECK]
    for name in checked.keys() - asked.keys():
        yield document.problem(
            checked[name],
            f"there is no task {name} to check",
            f"The tasks are: {', '.join(asked) or 'none'}.",
        )
    for name in asked.keys() - checked.keys():
        yield document.problem(
            asked[name],
            f"task {name} has no check",
            f'Add a ```python check="{name}" cell below it, or take the word task away.',
        )
    for name in asked.keys() & checked.keys():
        if checked[name] < asked[name]:
            yield document.problem(
                checked[name], f"task {name} is checked above its cell", "Move the check below it."
            )


def stub(cell: Cell) -> str:
    """Return a task cell as students get it, so that `%stub` can bring it back."""
    lines = cell.text.split("\n")
    for region in reversed(regions(cell, Marker.BEGIN_SOLUTION)):
        marker = lines[region.begin]
        indent = marker[: len(marker) - len(marker.lstrip())]
        lines[region.begin : region.end + 1] = [f"{indent}{line}" for line in PLACEHOLDER]
    return "\n".join(lines)


def answer(cell: Cell) -> str:
    """Return a task cell with its answer and without the markers."""
    markers = {Marker.BEGIN_SOLUTION, Marker.END_SOLUTION}
    return "\n".join(line for line in cell.text.split("\n") if line.strip() not in markers)


def check_line(notebook: str, cell: Cell, *, entry: str = "app") -> str:
    """Return the first line of a check cell: what a magic cannot read from the metadata.

    Args:
        notebook: Short name of the lab or lesson, such as `lab03` or `lesson03`.
        cell: The check.
        entry: What a submission defines: `app` or `create_app`.
    """
    parts = [f"%%check {notebook}/{words.task(cell)}"]
    if "points" in cell.words:
        parts.append(f"points={words.points(cell):g}")
    parts += [
        f"{word}={words.text(cell, word)}" for word in ("needs", "skill") if word in cell.words
    ]
    if entry != "app":
        parts.append(f"entry={entry}")
    return " ".join(parts)
