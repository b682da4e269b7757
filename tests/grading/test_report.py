"""`autograder report` on a class that was really graded."""

from __future__ import annotations

import json
import subprocess

from nbgrader.api import Gradebook

from autograder.trial import AUTOGRADER


def test_a_report_tells_failed_from_blocked_and_takes_a_persons_points(small):
    """Tests, tasks and marks are those of the graded class, points by hand included."""
    small.hand_in("amy")
    small.hand_in("bob", t1="pass")
    assert small.grade().code == 0
    with Gradebook(f"sqlite:///{small.path / 'gradebook.db'}", "course") as book:
        grade = book.find_grade("why", small.lab, small.lab, "amy")
        grade.manual_score = 0.5
        grade.needs_manual_grade = False
        book.db.commit()
    subprocess.run([str(AUTOGRADER), "report"], cwd=small.path, check=True, capture_output=True)
    told = json.loads((small.path / "reports" / "class.json").read_text())["labs"][small.lab]
    assert told["marks"]["amy"]["score"] == 4
    assert told["marks"]["bob"]["score"] == 0
    counts = {
        name.partition("[")[0]: (one["passed"], one["failed"], one["blocked"])
        for name, one in told["tests"].items()
    }
    assert counts["t1.test_the_double_comes_back"] == (1, 1, 0)
    assert counts["t1.test_below_zero"] == (1, 0, 1)
    assert not told["marks"]["amy"]["waits_for_a_person"]
    assert told["marks"]["bob"]["waits_for_a_person"]
