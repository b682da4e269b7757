"""The drill asks what is due, and what was known comes back after more and more days."""

from datetime import date, timedelta

import nbformat
import pytest

from classroom.drill import Drill
from classroom.drill.drill import DAYS


class Day:
    """A day that the test moves on."""

    def __init__(self):
        self.now = date(2026, 3, 1)

    def __call__(self):
        return self.now

    def pass_by(self, days):
        self.now += timedelta(days=days)


@pytest.fixture
def day():
    return Day()


@pytest.fixture
def notebook(tmp_path):
    """A notebook with two questions."""
    texts = ["# 19 Interview", "### 1 What is `await`?\n\nA place to *pause*.", "### Exercise",
             "### 2 What is CORS?\n\nA rule of browsers.\n\n- Follow-up: whose?"]  # fmt: skip
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    file = tmp_path / "19-interview.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), file)
    return file


def test_new_questions_are_due_in_their_order(notebook, day):
    """Both are due, the first is asked, and its answer is folded below it."""
    drill = Drill(notebook, today=day)
    assert [card.number for card in drill.due] == [1, 2]
    shown = drill.ask().picture()
    assert "<code>await</code>" in shown.html
    assert "<details>" in shown.html
    assert "A place to *pause*." in shown.text


def test_what_was_known_comes_back_after_more_and_more_days(notebook, day):
    """Each right answer moves a question on by one box."""
    drill = Drill(notebook, today=day)
    for days in DAYS[1:]:
        while (asked := drill.ask().card) and asked.number != 1:
            drill.knew()
        assert drill.knew().endswith(f"{day.now + timedelta(days=days)}.")
        day.pass_by(days)
    assert 1 in {card.number for card in drill.due}


def test_what_was_missed_is_due_at_once(notebook, day):
    """It comes back the same day, and its box is the first again."""
    drill = Drill(notebook, today=day)
    drill.ask()
    drill.missed()
    assert {card.number for card in drill.due} == {1, 2}


def test_a_restart_forgets_nothing(notebook, day):
    """What was known lies beside the notebook."""
    first = Drill(notebook, today=day)
    first.ask()
    first.knew()
    assert [card.number for card in Drill(notebook, today=day).due] == [2]


@pytest.mark.parametrize("text", ["", "[1]", '{"1": 3}', '{"x": [1, "2026-01-01"]}'])
def test_a_broken_file_is_as_good_as_none(notebook, day, text):
    """Whatever lies there, all questions are due."""
    folder = notebook.parent / ".attempts"
    folder.mkdir()
    (folder / "19-interview.drill.json").write_text(text, encoding="utf-8")
    assert len(Drill(notebook, today=day).due) == 2


def test_when_nothing_is_due_it_says_when(notebook, day):
    """The next day is named, and nothing can be noted."""
    drill = Drill(notebook, today=day)
    for _ in range(2):
        drill.ask()
        drill.knew()
    assert str(day.now + timedelta(days=1)) in drill.ask().picture().text
    assert "ask()" in drill.knew()


def test_without_the_notebook_it_says_so(tmp_path):
    """A kernel that was started elsewhere gets a sentence and no traceback."""
    shown = Drill(tmp_path / "19-interview.ipynb").ask().picture()
    assert "was not found" in shown.text
