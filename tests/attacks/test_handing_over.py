"""Two submissions that between them would stop the grader: it must neither wait nor be blocked."""

import pytest

from .attack import insert, notebook, write
from .conftest import made_room


@pytest.fixture
def room(tmp_path):
    """A course in which somebody says much, and the next has written much."""
    loud, long = notebook("solution"), notebook("solution")
    for _ in range(12):
        insert(loud, "import time\nprint('x' * 70_000)\ntime.sleep(0.2)")
        insert(long, "# " + "y" * 60_000)  # below what a notebook may hold in all
    with made_room(tmp_path) as made:
        made.hand_in("loud", lambda folder, places: write(loud, folder, places))
        made.hand_in("the-next", lambda folder, places: write(long, folder, places))
        yield made


def test_a_long_answer_and_a_long_submission_pass_each_other(room):
    """A worker that hands over a long answer is handed a long submission at the same time."""
    ran = room.grade("--jobs", "1", seconds=90)
    assert {name: line["score"] for name, line in ran.lines.items()} == {"loud": 20, "the-next": 20}
