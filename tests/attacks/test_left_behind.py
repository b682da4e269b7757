"""After the class nothing is changed, nothing runs, nothing listens."""

import os
from pathlib import Path

import psutil
from nbgrader.api import MissingEntry

from .conftest import ANYWHERE, CANARIES, TOKEN, contents


def test_nothing_outside_was_changed(graded):
    """Solutions, releases, submissions and strangers' files are as they were."""
    assert contents(graded.room) == graded.before


def test_nothing_was_left_in_places_that_anybody_may_write(graded):
    """No file that an attacker tried to make exists."""
    room = graded.room
    places = [*ANYWHERE, room.path, room.places["outside"]]
    found = [
        str(path)
        for place in {*places, room.path / "autograded", room.path / ".autograder"}
        if os.access(place, os.R_OK)
        for path in Path(place).iterdir()
        if TOKEN in path.name
    ]
    assert found == []


def test_the_gradebook_says_of_others_what_it_said(graded):
    """Nobody has a row who handed in nothing, and a stranger is as before."""
    with graded.room.gradebook() as gradebook:
        students = {student.id: student for student in gradebook.students}
        assert students.keys() == {"zoe", *graded.ran.lines}
        assert students["zoe"].last_name == CANARIES["gradebook"]
        try:
            gradebook.find_submission(next(iter(graded.ran.lines.values()))["lab"], "zoe")
        except MissingEntry:
            pass
        else:
            raise AssertionError("zoe has a submission")


def test_nothing_runs_any_more(graded):
    """Every process that the grader has started, of whatever generation, is gone."""
    assert len(graded.ran.watch.seen) > 20
    assert graded.ran.watch.left() == []


def test_no_process_of_the_sandboxes_users_is_left(graded):
    """Where submissions run as throw-away users, those have no process any more."""
    users = graded.ran.watch.users - {os.geteuid()}
    assert users or os.geteuid() != 0
    left = [one for one in psutil.process_iter(["uids"]) if one.info["uids"].real in users]
    assert left == []


def test_nobody_was_called(graded):
    """Neither TCP nor UDP from a submission has reached anybody."""
    assert graded.knocked == []


def test_nothing_listens(graded):
    """No socket that a submission's user owns is open."""
    users = {str(user) for user in graded.ran.watch.users - {os.geteuid()}}
    for table in ("tcp", "tcp6", "udp", "udp6"):
        rows = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        assert [row for row in rows if row.split()[7] in users] == []


def test_no_socket_or_folder_of_the_grader_is_left(graded):
    """What the grader itself makes in the folder for temporary files is gone."""
    assert list(Path(graded.room.places["temporary"]).iterdir()) == []
