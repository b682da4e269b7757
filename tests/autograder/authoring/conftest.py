"""A small course to build."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.authoring import command

ROOT = Path(__file__).resolve().parents[3]

LESSON = """\
---
title: Path operations
minutes: 45
level: beginner
lab: lab01-greetings
---

# Path operations

One promise.

![A route](figures/route.svg)

## Status codes

```python
answer = 42
```
"""

LAB = '''\
---
title: Greetings
minutes: 60
lesson: 1
entry: app
---

# Lab 01: greetings

A story.

```python setup
%load_ext autograder
```

## Task 1

```python task="t1"
def greet(name: str) -> str:
    """Greet someone."""
    ### BEGIN SOLUTION
    return f"Hello {name}"
    ### END SOLUTION
```

```python
greet("Ada")
```

```python check="t1" points=3 skill="d2.routes" taught="01#status-codes"
from autograder.checks import probe, skill, weight


@probe
@weight(3)
async def test_greets(call):
    """It greets."""
    assert await call("greet", "Ada") == "Hello Ada"


### BEGIN HIDDEN TESTS
async def test_greets_anyone(call):
    """It greets anyone."""
    assert await call("greet", "Zoe") == "Hello Zoe"
### END HIDDEN TESTS
```

## Task 2

```python task="t2"
def leave(name: str) -> str:
    """Say goodbye."""
    ### BEGIN SOLUTION
    return f"Goodbye {name}"
    ### END SOLUTION
```

```python check="t2" points=1.5 skill="d2.errors" taught="01#path-operations" needs="t1"
async def test_says_goodbye(call):
    """It says goodbye."""
    assert await call("leave", "Ada") == "Goodbye Ada"
```
'''


@dataclass(frozen=True)
class SmallCourse:
    """A course in a temporary folder: one lesson and one lab."""

    root: Path

    @property
    def lesson(self) -> Path:
        return self.root / "content/lessons/01-path-operations.md"

    @property
    def lab(self) -> Path:
        return self.root / "content/labs/01-greetings/lab.md"

    def build(self) -> int:
        return command.run(self.root, check=False)

    def check(self) -> int:
        return command.run(self.root, check=True)

    def cells(self, notebook: str) -> list[dict]:
        return json.loads((self.root / notebook).read_text(encoding="utf-8"))["cells"]

    def metadata(self, notebook: str) -> dict[str, object]:
        return json.loads((self.root / notebook).read_text(encoding="utf-8"))["metadata"]

    def generated(self) -> dict[str, bytes]:
        folders = ("notebooks", "solutions", "labs")
        files = [path for folder in folders for path in (self.root / folder).rglob("*")]
        return {str(p.relative_to(self.root)): p.read_bytes() for p in files if p.is_file()}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def course(tmp_path: Path) -> SmallCourse:
    root = tmp_path / "course"
    made = SmallCourse(root)
    write(made.lesson, LESSON)
    write(made.lab, LAB)
    write(root / "content/lessons/figures/route.svg", "<svg/>")
    write(root / "content/labs/01-greetings/names.csv", "Ada\nZoe\n")
    shutil.copy(ROOT / "content/skills.toml", root / "content")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    return made


@pytest.fixture
def lesson_only(course: SmallCourse) -> SmallCourse:
    """Return a course without labs, which builds without nbgrader in a blink."""
    shutil.rmtree(course.root / "content/labs")
    course.lesson.write_text(LESSON.replace("lab: lab01-greetings", "lab:"), encoding="utf-8")
    return course
