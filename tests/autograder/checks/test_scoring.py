"""How points are shared."""

import pytest

from autograder.checks.scoring import as_number, mark, shares


@pytest.mark.parametrize("tests", range(1, 60))
@pytest.mark.parametrize("points", [1, 2.5, 3, 7, 10])
def test_all_passed_is_exactly_the_points_and_one_less_is_less(points, tests):
    """Rounding neither exceeds full marks nor gives them away."""
    split = shares(points, [1] * tests)
    assert mark(points, split, all_passed=True) == points
    assert 0 <= mark(points, split[1:], all_passed=False) < points


def test_weights_share_the_points():
    """A test of weight two is worth two shares."""
    assert shares(4, [2, 1, 1]) == [2, 1, 1]


def test_a_mark_is_cut_to_two_decimals():
    """Two of three shares of one point are 0.66."""
    assert mark(1, [1 / 3, 1 / 3], all_passed=False) == 0.66
    assert mark(1, [0.1] * 7, all_passed=False) == 0.7


@pytest.mark.parametrize(("value", "text"), [(3.0, "3"), (2.5, "2.5"), (0, "0"), (0.25, "0.25")])
def test_points_are_written_as_people_do(value, text):
    """No trailing zeros, and still a number."""
    assert as_number(value) == text
    assert float(as_number(value)) == value
