"""A check cell as text."""

import pytest

from autograder.checks.cell import BadCheckLine, CheckCell

BODY = """\
def test_seen(client):
    pass

### BEGIN HIDDEN TESTS
def test_unseen(client):
    assert (
        1
        == 1
    )
### END HIDDEN TESTS
def test_seen_again(client):
    pass
"""


def test_the_first_line_names_lab_task_points_and_options():
    """Everything behind %%check is read."""
    cell = CheckCell.parse("lab01/t2 points=2.5 needs=t1 skill=d2.routes entry=create_app", "")
    assert (cell.lab, cell.task, cell.points) == ("lab01", "t2", 2.5)
    assert (cell.needs, cell.skill, cell.entry) == ("t1", "d2.routes", "create_app")


@pytest.mark.parametrize(
    "line",
    ["", "lab01", "lab01/t1 points=", "lab01/t1 points=many", "lab01/ points=1",
     "lab01/t1 points=1 colour=red", "lab01/t1 points=nan", "lab01/t1 points=-1"],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_refused_with_its_usage(line):
    """A wrong first line is answered with what it should be."""
    with pytest.raises(BadCheckLine, match=r"LAB/TASK \[points=NUMBER\]"):
        CheckCell.parse(line, "")


def test_an_exercise_of_a_lesson_has_no_points():
    """Points may be missing: the check counts nowhere."""
    cell = CheckCell.parse("lesson04/x1 entry=create_app", "")
    assert (cell.lab, cell.task, cell.points, cell.entry) == ("lesson04", "x1", 0, "create_app")


def test_hidden_lines_are_those_between_the_markers():
    """Only tests between the markers are hidden."""
    cell = CheckCell(lab="l", task="t", points=1, body=BODY)
    assert {5, 6} <= cell.hidden_lines
    assert not {1, 11, 12} & cell.hidden_lines


def test_an_assert_is_found_by_each_of_its_lines():
    """A failing line leads to the whole assert statement."""
    cell = CheckCell(lab="l", task="t", points=1, body=BODY)
    assert cell.asserts[6] is cell.asserts[8]
