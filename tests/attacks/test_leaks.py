"""Nothing that is kept from students is in what they may see, whoever looked for it."""

import html

import pytest

from .attack import in_a_cell
from .conftest import CANARIES, contents, hand_in_honest, made_room
from .in_cells import HIDDEN_REQUESTS, READ, WRITE


def everything_of(room, student):
    """Return all that a student may be shown, as text."""
    shown = room.autograded(student).read_text()
    feedback = room.feedback(student)
    if feedback.exists():
        shown += html.unescape(feedback.read_text())
    return shown


@pytest.mark.parametrize("place", CANARIES)
def test_nothing_is_leaked(place, graded, feedback):
    """No canary is in any notebook, feedback or line of anybody but its owner."""
    canary = CANARIES[place]
    owners = {"amy"} if place == "other" else set()
    students = graded.ran.lines.keys() - owners
    assert len(feedback) == len(graded.ran.lines)
    assert [one for one in students if canary in everything_of(graded.room, one)] == []
    assert canary not in graded.ran.printed + graded.ran.complaints
    if owners:
        assert canary in everything_of(graded.room, "amy")


def test_hidden_tests_are_not_in_a_submissions_memory(graded):
    """Whoever searched its own process found nothing of them."""
    told = graded.room.autograded("files-memory").read_text()
    assert "FOUND " not in told


HIDDEN_INPUTS = ["warm", "\N{LATIN SMALL LETTER E WITH ACUTE}" * 40, r"\u00e9\u00e9\u00e9"]
"""What only hidden tests of task 1 send."""


@pytest.mark.parametrize("student", [attack.name for attack in HIDDEN_REQUESTS])
def test_what_hidden_tests_send_does_not_come_back(student, graded, feedback):
    """An app that keeps every request has no later chance to show those of hidden tests."""
    shown = everything_of(graded.room, student)
    assert [one for one in HIDDEN_INPUTS if one in shown] == []


@pytest.fixture
def room(tmp_path):
    """A course with one honest student."""
    with made_room(tmp_path) as made:
        hand_in_honest(made, {"amy": "right-solution"})
        yield made


def test_a_reader_finds_all_of_it_where_nothing_protects_it(room):
    """The same attack succeeds without a sandbox, so the searches above can fail."""
    room.hand_in("reader", in_a_cell("reader", READ, says="").make)
    room.grade("--unsafe-no-sandbox")
    shown = room.autograded("reader").read_text()
    assert {place for place, canary in CANARIES.items() if canary in shown} == CANARIES.keys()


def test_a_writer_does_harm_where_nothing_prevents_it(room):
    """The same attack succeeds without a sandbox, so the comparison of files can fail."""
    room.hand_in("writer", in_a_cell("writer", WRITE, says="").make)
    before = contents(room)
    room.grade("--unsafe-no-sandbox", "--student", "writer")
    after = contents(room)
    changed = {path for path in before if after.get(path) != before[path]}
    assert changed >= {room.places["other"], room.places["outside"] + "/secret.txt"}
