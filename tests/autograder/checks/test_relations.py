"""What a comparison expected is said in words, each in its own."""

import pytest

from autograder.checks.difference import Comparison, difference


@pytest.mark.parametrize(
    ("op", "words"),
    [
        ("==", "3"),
        ("!=", "anything but 3"),
        ("<", "less than 3"),
        ("<=", "at most 3"),
        (">", "more than 3"),
        (">=", "at least 3"),
        ("is", "3"),
        ("is not", "anything but 3"),
    ],
)
def test_each_relation_has_its_words(op, words):
    """A student who reads "less than" for "at most" would look for a fault that is not there."""
    assert difference(Comparison(op, 5, 3), None).expected == words


@pytest.mark.parametrize(("op", "words"), [("in", "one of [1, 2]"), ("not in", "none of [1, 2]")])
def test_membership_has_its_words(op, words):
    """A value that should be among some, or should not."""
    assert difference(Comparison(op, 5, [1, 2]), None).expected == words
