"""Exercises in a lesson: a task, its check, and the answer folded below."""

import pytest

FRONT = "---\ntitle: Path operations\nminutes: 45\nlevel: beginner\nlab:\n---\n\n"
NOTEBOOK = "notebooks/01-path-operations.ipynb"
LOAD = "```python\n%load_ext autograder\n```\n"
TASK = """\
```python task="x1"
def greet(name: str) -> str:
    ### BEGIN SOLUTION
    return f"Hello {name}"
    ### END SOLUTION
```
"""
CHECK = '''\
```python check="x1"
async def test_greets(call):
    """It greets."""
    assert await call("greet", "Ada") == "Hello Ada"
```
'''


def write(course, *parts: str) -> None:
    course.lesson.write_text(f"{FRONT}# Title\n\n{chr(10).join(parts)}", encoding="utf-8")


def cells(course) -> dict[str, dict]:
    return {cell["id"]: cell for cell in course.cells(NOTEBOOK)}


def test_an_exercise_is_a_stub_a_folded_check_and_a_folded_answer(lesson_only):
    """The reader gets the stub and a check without marks; the answer opens by a click."""
    write(lesson_only, LOAD, TASK, CHECK)

    assert lesson_only.build() == 0

    found = cells(lesson_only)
    task, check, answer = found["x1"], found["check-x1"], found["answer-x1"]
    assert "".join(task["source"]) == (
        "def greet(name: str) -> str:\n    # Write your answer here.\n    pass"
    )
    assert "".join(check["source"]).startswith("%%check lesson01/x1\nasync def test_greets")
    assert check["metadata"]["jupyter"] == {"source_hidden": True}
    text = "".join(answer["source"])
    assert text.startswith("<details><summary>An answer</summary>")
    assert 'return f"Hello {name}"' in text
    assert "SOLUTION" not in text


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((TASK, CHECK), "the lesson has a check, and no cell loads what runs it"),
        ((LOAD, TASK), "task x1 has no check"),
        ((LOAD, CHECK, TASK), "task x1 is checked above its cell"),
        ((LOAD, TASK, CHECK.replace('    """It greets."""\n', "")), "test_greets has no docstring"),
        (
            (
                LOAD,
                TASK,
                CHECK.replace("```\n", "\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n```\n"),
            ),
            "an exercise of a lesson has a hidden test",
        ),
    ],
)
def test_a_fault_of_an_exercise_is_refused(lesson_only, capsys, parts, message):
    """An exercise has a task, a check below it that says what it shows, and no hidden test."""
    write(lesson_only, *parts)

    assert lesson_only.build() == 1

    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fence", "folded"),
    [
        ("```python fold\nplot = 1\n```", True),
        ('```python\npredict("How long?", answer="Long.")\n```', True),
        ("```python\nquiz(one, two)\n```", True),
        ('```python\nx = 1\npredict("How long?", answer="Long.")\n```', False),
        ("```python\n%matplotlib inline\n```", False),
    ],
)
def test_what_only_draws_or_asks_is_folded(lesson_only, fence, folded):
    """The source of a marked cell is hidden, and that of a cell which holds its own answer."""
    write(lesson_only, fence)

    assert lesson_only.build() == 0

    [cell] = [cell for cell in lesson_only.cells(NOTEBOOK) if cell["cell_type"] == "code"]
    assert (cell["metadata"].get("jupyter") == {"source_hidden": True}) is folded


def test_the_checks_of_a_lab_are_folded(course):
    """The tests of a lab, which give away their hints, open by a click."""
    assert course.build() == 0

    lab = course.cells("labs/lab01-greetings/lab01-greetings.ipynb")
    hidden = {cell["id"] for cell in lab if cell["metadata"].get("jupyter")}
    assert hidden == {"check-t1", "check-t2"}
