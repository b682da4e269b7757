"""How far somebody is with the course: read from the notebooks and what their checks said last."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.checks.last_said import Said, read
from autograder.course import part_of

_NAME = re.compile(r"(?P<number>\d\d)-[a-z0-9-]+")
_CHECK = re.compile(r"^%%check (?P<lab>\S+)/(?P<task>\S+)(?: points=(?P<points>[\d.]+))?")
_MINUTES = re.compile(r"(?P<minutes>\d+(?: \+ \d+)*) minutes")
_LARGEST = 20_000_000
"""Bytes of a notebook that is read; the course's own have less than a hundredth of it."""


@dataclass(frozen=True)
class Page:
    """A lesson or a lab.

    Attributes:
        path: Its notebook, from the course's root.
        title: Its heading.
        minutes: How long it takes, such as `60 + 70`; empty where it does not say so.
        tasks: What each task with a check is worth; 0 in a lesson.
        said: What the checks that were run said last.
    """

    path: str
    title: str
    minutes: str
    tasks: Mapping[str, float]
    said: Mapping[str, Said]

    @property
    def done(self) -> int:
        """How many tasks have a check whose visible tests all passed."""
        return sum(task in self.said and self.said[task].all_pass for task in self.tasks)

    @property
    def is_begun(self) -> bool:
        """Whether a check of it was ever run."""
        return any(task in self.said for task in self.tasks)

    @property
    def is_done(self) -> bool:
        """Whether all of its checks passed; False where it has none."""
        return 0 < len(self.tasks) == self.done

    @property
    def points(self) -> float:
        """The points so far: those of the visible tests."""
        return sum(self.said[task].points for task in self.tasks if task in self.said)

    @property
    def max_points(self) -> float:
        """What all tasks are worth, with their hidden tests."""
        return sum(self.tasks.values())


@dataclass(frozen=True)
class Step:
    """A lesson and its lab, if it has one."""

    number: int
    lesson: Page
    lab: Page | None


@dataclass(frozen=True)
class Course:
    """All steps in their order.

    Attributes:
        steps: The lessons with their labs.
        has_answers: Whether solutions and hidden tests are here, as they are not in a class.
    """

    steps: tuple[Step, ...]
    has_answers: bool = False

    @property
    def parts(self) -> list[tuple[str, list[Step]]]:
        """The steps by parts."""
        found: dict[str, list[Step]] = {}
        for step in self.steps:
            found.setdefault(part_of(step.number), []).append(step)
        return list(found.items())

    @property
    def is_begun(self) -> bool:
        """Whether any check was ever run."""
        return any(page.is_begun for page in self._pages())

    @property
    def next(self) -> Page | None:
        """The page to open next: the one begun last that is not done, or the first after it.

        A lesson counts as read when something behind it was begun: its exercises are no duty.
        """
        pages = list(self._pages())
        begun = [number for number, page in enumerate(pages) if page.is_begun]
        if not begun:
            return pages[0] if pages else None
        open_ones = [page for page in pages[begun[-1] :] if not page.is_done]
        return open_ones[0] if open_ones else None

    @property
    def points(self) -> tuple[float, float]:
        """The points of the labs that were begun, and what these labs are worth."""
        labs = [step.lab for step in self.steps if step.lab is not None and step.lab.is_begun]
        return sum(lab.points for lab in labs), sum(lab.max_points for lab in labs)

    def _pages(self) -> Iterator[Page]:
        for step in self.steps:
            yield step.lesson
            if step.lab is not None:
                yield step.lab


def read_course(root: Path) -> Course:
    """Return the course that a folder holds, as somebody has worked on it there.

    Args:
        root: A folder with `notebooks/` and, where there are labs, `labs/`.
    """
    labs = {page.path.rpartition("/lab")[2][:2]: page for page in _labs(root)}
    steps = []
    for file in sorted((root / "notebooks").glob("[0-9][0-9]-*.ipynb")):
        if (name := _NAME.fullmatch(file.stem)) and (lesson := _page(file, root)):
            number = name["number"]
            steps.append(Step(int(number), lesson, labs.get(number)))
    return Course(tuple(steps), has_answers=(root / "solutions").is_dir())


def _labs(root: Path) -> Iterator[Page]:
    for folder in sorted((root / "labs").glob("lab[0-9][0-9]-*")):
        if page := _page(folder / f"{folder.name}.ipynb", root):
            yield page


def _page(file: Path, root: Path) -> Page | None:
    """Return what a notebook says of itself; None where it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8") if file.stat().st_size < _LARGEST else ""
        sources = [_source(cell) for cell in json.loads(text)["cells"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    heading = next((source for source in sources if source.startswith("# ")), file.stem)
    found = [check for source in sources if (check := _CHECK.match(source))]
    links = next((source for source in sources[:4] if "[Glossary]" in source), "")
    minutes = _MINUTES.search(links)
    return Page(
        path=file.relative_to(root).as_posix(),
        title=heading.partition("\n")[0].removeprefix("# "),
        minutes=minutes["minutes"] if minutes else "",
        tasks={check["task"]: float(check["points"] or 0) for check in found},
        said=read(found[0]["lab"], file.parent) if found else {},
    )


def _source(cell: Mapping[str, object]) -> str:
    source = cell["source"]
    return "".join(source) if isinstance(source, list) else str(source)
