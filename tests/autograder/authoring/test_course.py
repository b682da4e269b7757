"""The course on disk: found from below, with the names of its lessons and labs."""

import pytest

from autograder.authoring.skills import dimensions
from autograder.course import Course, CourseNotFoundError, LabNotFoundError


@pytest.fixture
def two_labs(course):
    other = course.root / "content/labs/02-group/lab.md"
    other.parent.mkdir()
    other.write_text("", encoding="utf-8")
    return Course.find(course.root)


def test_a_course_is_found_from_below(course):
    """The root is found from any folder inside."""
    inside = course.root / "content/labs/01-greetings"
    assert Course.find(inside).root == course.root.resolve()


def test_no_course_is_found_outside(tmp_path):
    """Outside a course the message says what was looked for and what to do."""
    with pytest.raises(CourseNotFoundError, match=r"holds nbgrader_config\.py and content/\. Go "):
        Course.find(tmp_path)


def test_names(two_labs):
    """Lessons and labs come in order, with the names nbgrader and students see."""
    assert [lesson.name for lesson in two_labs.lessons] == ["01-path-operations"]
    names = [(lab.number, lab.short, lab.name) for lab in two_labs.labs]
    assert names == [(1, "lab01", "lab01-greetings"), (2, "lab02", "lab02-group")]


@pytest.mark.parametrize("beginning", ["lab02", "lab02-g", "lab02-group"])
def test_a_unique_beginning_is_enough(two_labs, beginning):
    """A lab is found by any beginning of its name that no other lab shares."""
    assert two_labs.lab(beginning).folder == "02-group"


@pytest.mark.parametrize(
    ("beginning", "message"),
    [
        ("lab0", r'"lab0" begins more than one lab: lab01-greetings, lab02-group\. Say more\.'),
        ("lab9", r'No lab begins with "lab9"\. The labs are: lab01-greetings, lab02-group\.'),
        ("", r'No lab begins with ""\. The labs are: lab01-greetings, lab02-group\.'),
    ],
)
def test_other_beginnings_are_refused(two_labs, beginning, message):
    """A beginning that fits no lab, or several, is answered with their names."""
    with pytest.raises(LabNotFoundError, match=message):
        two_labs.lab(beginning)


def test_the_courses_own_skills(course):
    """The list has the four dimensions, and each skill says in a sentence what one can do."""
    found = dimensions(course.root / "content/skills.toml")
    assert list(found) == ["d1", "d2", "d3", "d4"]
    meanings = [meaning for one in found.values() for meaning in one.skills.values()]
    assert all(meaning[0].isupper() and meaning.endswith(".") for meaning in meanings)
    assert len(set(meanings)) == len(meanings)
    assert min(len(one.skills) for one in found.values()) >= 5
