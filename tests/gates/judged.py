"""What of a lab's corpus has to be judged: all of it, or a sample where nothing has changed.

`tests/corpus/LAB/judged.json` says that the whole corpus was judged as it states, with a lab of a
certain fingerprint, by an engine of another. A lab that has changed since is judged whole. Where
only the engine or the packages have changed, the gates judge every right design and a third of
the wrong ones. Where nothing has, they judge a few of each kind and of each task. A sample is
another one for each commit. The same holds of the other arrangements of a lab's tests, if the
file says that they were all tried. `make gates` judges everything, and writes these files.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from autograder.corpus import Submission
from autograder.course import Course, Lab

from ..sampling import EVERYTHING, drawing

_ENGINE = (
    *("autograder/checks", "autograder/child", "autograder/grading", "autograder/judge"),
    *("autograder/sandbox", "autograder/corpus.py", "autograder/trial.py"),
)
"""What verdicts depend on beside the lab, the submission, the packages and `classroom`."""
_PIN = re.compile(r"^[A-Za-z0-9_.\[\]-]+==[^ \\]+", flags=re.MULTILINE)
_IMPORT = re.compile(
    r"^\s*(?:import (?P<module>classroom[\w.]*)"
    r"|from (?P<origin>classroom[\w.]*) import (?:\((?P<many>[^)]*)\)|(?P<few>.*)))",
    flags=re.MULTILINE,
)
SOLUTION = "right-solution"
"""The name of the lab's own answers in its corpus."""
_RIGHT = 2
"""Right designs of a sample where nothing has changed, beside the lab's solution."""
_SHARE = 3
"""One of so many wrong submissions is in a sample for another engine."""


class Judged(BaseModel):
    """What a run of the gates over a whole corpus has found.

    Attributes:
        lab: The fingerprint of the lab and its corpus.
        engine: The fingerprint of the engine, the packages and the helpers that the lab imports.
        failed: The tests that failed themselves on some submission.
        arranged: Whether every test was also tried alone, and every right design twice over.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lab: str
    engine: str
    failed: list[str]
    arranged: bool = False


@dataclass(frozen=True)
class Ledger:
    """Where a lab's last whole run is written down.

    Args:
        course: The course.
        lab: The lab.
    """

    course: Course
    lab: Lab

    @property
    def file(self) -> Path:
        """Return the file that holds it."""
        return self.course.root / "tests" / "corpus" / self.lab.short / "judged.json"

    def read(self) -> Judged | None:
        """Return what was found, if lab and corpus are as they were."""
        if not self.file.is_file():
            return None
        judged = Judged.model_validate_json(self.file.read_bytes())
        return judged if judged.lab == self._lab() else None

    def holds(self) -> bool:
        """Tell whether engine and packages are as they were, too."""
        judged = self.read()
        return judged is not None and judged.engine == self._engine()

    def write(self, failed: set[str]) -> None:
        """Write down that every submission came to what the corpus states."""
        self._write(Judged(lab=self._lab(), engine=self._engine(), failed=sorted(failed)))

    def note_arranged(self) -> None:
        """Write down that the arrangements came to the same, beside what `write` has written."""
        if (judged := self.read()) and self.holds():
            self._write(judged.model_copy(update={"arranged": True}))

    def _write(self, judged: Judged) -> None:
        self.file.write_text(judged.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def _lab(self) -> str:
        root, name = self.course.root, self.lab.name
        source = self.lab.source.parent
        own = [file for file in source.rglob("*") if file.is_file()]
        own += [root / "solutions" / name / f"{name}.ipynb", *self.file.parent.glob("*.md")]
        return _fingerprint(root, sorted(own))

    def _engine(self) -> str:
        root = self.course.root
        helpers = _classroom(root, self.lab.source.read_text(encoding="utf-8"))
        return hashlib.sha256(f"{_engine(root)} {_fingerprint(root, helpers)}".encode()).hexdigest()


def to_judge(course: Course, lab: Lab, corpus: Mapping[str, Submission]) -> dict[str, Submission]:
    """Return the submissions of a lab that have to be judged now."""
    ledger = Ledger(course, lab)
    if EVERYTHING or ledger.read() is None:
        return dict(corpus)
    draw = drawing(course.root, lab.name)
    wrong = [one for one in corpus.values() if one.kind == "wrong"]
    picked = _of_each_task(wrong, draw)
    others = [one for one in corpus.values() if one.kind != "wrong"]
    if ledger.holds():
        right = [one for one in others if one.kind == "right" and one.name != SOLUTION]
        left_out = draw.sample(right, max(0, len(right) - _RIGHT))
        picked += [one for one in others if one not in left_out]
    else:
        picked += others + draw.sample(wrong, len(wrong) // _SHARE)
    names = {one.name for one in picked}
    return {name: one for name, one in corpus.items() if name in names}


def _of_each_task(wrong: Sequence[Submission], draw: random.Random) -> list[Submission]:
    """Draw, for each task, a submission that loses all of it and one that loses a part."""
    drawn = []
    for task in sorted({test.partition(".")[0] for one in wrong for test in one.loses}):
        ways = [one for one in wrong if one.costs_only(task)]
        whole = [one for one in ways if task in one.loses]
        parts = [one for one in ways if task not in one.loses]
        drawn += [draw.choice(kind) for kind in (whole, parts) if kind]
    return drawn


@cache
def _engine(root: Path) -> str:
    """Return the fingerprint of what judges every lab: engine, interpreter and packages."""
    files = list(_engine_files(root))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    judges = _fingerprint(root, [*files, *_classroom(root, text)])
    return hashlib.sha256(f"{sys.version_info[:2]} {_pins(root)} {judges}".encode()).hexdigest()


def _fingerprint(root: Path, files: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        found.update(f"{file.relative_to(root)} {digest}\n".encode())
    return found.hexdigest()


def _engine_files(root: Path) -> Iterator[Path]:
    for part in _ENGINE:
        path = root / part
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _classroom(root: Path, text: str) -> list[Path]:
    """Return the modules of `classroom` that a text imports, and those that these import."""
    found: dict[Path, None] = {}
    texts = [text]
    while texts:
        for name in _imported(texts.pop()):
            place = root.joinpath(*name.split("."))
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if file.is_file() and file not in found:
                    found[file] = None
                    texts.append(file.read_text(encoding="utf-8"))
    return sorted(found)


def _imported(text: str) -> set[str]:
    """Return the names in `classroom` that a text imports, with the packages that hold them."""
    names: set[str] = set()
    for match in _IMPORT.finditer(text):
        origin = match["module"] or match["origin"]
        inside = re.findall(r"\w+", match["many"] or match["few"] or "")
        names |= {origin, *(f"{origin}.{name}" for name in inside)}
    parts = [name.split(".") for name in names]
    return {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)}


def _pins(root: Path) -> str:
    """Return the versions of all packages: who asked for one, and its hashes, decide nothing."""
    return " ".join(_PIN.findall((root / "requirements.lock").read_text(encoding="utf-8")))
