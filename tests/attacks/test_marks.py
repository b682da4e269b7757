"""No attack earns a point, and everybody is told in a line what happened."""

import re

import pytest

from .conftest import ATTACKS


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_earns_what_its_honest_part_earns(attack, graded):
    """The mark is that of the honest cells, in `--json` and in the gradebook."""
    line = graded.ran.lines[attack.name]
    least = attack.points if attack.least is None else attack.least
    assert least <= line["score"] <= attack.points
    assert line["max_score"] == 20
    with graded.room.gradebook() as gradebook:
        row = gradebook.find_submission(line["lab"], attack.name)
        assert row.score == pytest.approx(line["score"])


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_its_student_is_told(attack, graded):
    """A line says what came of it; whatever cannot be graded is for a person to look at."""
    line = graded.ran.lines[attack.name]
    assert line["status"] in {attack.status, "review"}
    told = graded.room.told(attack.name, line)
    assert re.search(attack.says, "\n".join(told)), told
    assert "\n" not in line["message"]
    assert len(line["message"]) < 500
