"""What a check cell is and does: pytest tests, fixtures, records.

A check cell imports its marks from here. They are ordinary pytest marks:

- `probe`: shows that the task has been begun; while it fails, the cell's other tests are blocked.
- `hint("first", "second")`: what to say after the first, the second, ... failed attempt.
- `weight(2)`: how many shares of the cell's points the test is worth; 1 unless told.
- `skill("d2.routes")`: what the test shows that the student can do, where it is not the cell's.
"""

import pytest

hint = pytest.mark.hint
probe = pytest.mark.probe
skill = pytest.mark.skill
weight = pytest.mark.weight

__all__ = ["hint", "probe", "skill", "weight"]
