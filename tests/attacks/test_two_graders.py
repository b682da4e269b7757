"""Two graders that do not see each other's processes leave each other's folders alone."""

import json
import os
import subprocess

import pytest

from .neighbours import BIN, neighbours

APART = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
STUDENTS = [f"s{number}" for number in range(8)]
FIRST = {
    "autograder": (BIN / "autograder", "grade", "lab01", "--json", "--jobs", "1"),
    "nbgrader": (BIN / "nbgrader", "autograde", "lab01-path-operations"),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may leave for other process numbers")
@pytest.mark.parametrize("door", FIRST)
def test_a_second_grader_in_another_container_harms_nobody(door):
    """They share the folder for temporary files and the course; both bring everybody's marks."""
    with neighbours("lab01", tasks=["t1", "t2"]) as course:
        for student in STUDENTS:
            course.hand_in(student)
        around = {
            "cwd": course.path,
            "text": True,
            "env": os.environ | {"TMPDIR": course.temporary},
        }
        first = subprocess.Popen(
            [*APART, *FIRST[door]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **around
        )
        begun = [first.stdout.readline()]  # it has folders now
        second = subprocess.run(
            [*APART, *FIRST["autograder"], "--student", STUDENTS[-1]],
            capture_output=True, check=False, **around,
        )  # fmt: skip
        rest, _ = first.communicate()
        assert first.returncode == 0, [*begun, rest]
        assert json.loads(second.stdout)["score"] == json.loads(second.stdout)["max_score"]
        marks = course.marks()
    assert marks.keys() == set(STUDENTS)
    assert len(set(marks.values())) == 1
    assert marks["s0"] > 0
