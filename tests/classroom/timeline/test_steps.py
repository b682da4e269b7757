"""A race, replayed step by step."""

import threading

import pytest

from classroom.timeline import Steps


@pytest.fixture
def race():
    """Two increments that leave 1."""
    steps = Steps("Two increments")
    steps.note("Ann", "reads 0", total=0)
    steps.note("Bob", "reads 0", total=0)
    steps.note("Ann", "writes 1", total=1)
    steps.note("Bob", "writes 1", total=1)
    return steps


def test_the_text_tells_the_story(race):
    """One line per step: who, what, and the shared values after it."""
    assert str(race) == (
        "Two increments:\n"
        "   1  Ann: reads 0   [total = 0]\n"
        "   2  Bob: reads 0   [total = 0]\n"
        "   3  Ann: writes 1   [total = 1]\n"
        "   4  Bob: writes 1   [total = 1]"
    )


def test_each_actor_has_a_column(race):
    """The table has a column per actor and per shared value."""
    html = race.picture().html
    for head in ("step", "Ann", "Bob", "total"):
        assert f'<th scope="col">{head}</th>' in html
    assert html.count('class="cs-did"') == 4


def test_changes_of_shared_values_are_marked(race):
    """Only the steps that change a value are marked: the second write changes nothing."""
    assert [sorted(step.changed) for step in race.steps] == [["total"], [], ["total"], []]
    assert race.picture().html.count('class="cs-new"') == 2


def test_values_stay_until_they_change():
    """A step that says nothing of a value leaves it as it was."""
    steps = Steps()
    steps.note("Ann", "logs in", user="Ann")
    steps.note("Bob", "waits")
    assert steps.steps[1].shared == {"user": "Ann"}


def test_steps_of_threads_are_all_kept():
    """Notes from many threads lose nothing."""
    steps = Steps()
    threads = [
        threading.Thread(target=lambda n=n: [steps.note(str(n), "adds") for _ in range(50)])
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(steps.steps) == 400


def test_a_long_record_is_cut_in_the_middle():
    """Of a hundred steps the first and the last are drawn, and the rest is counted."""
    steps = Steps()
    for number in range(100):
        steps.note("Ann", f"does {number}")
    html = steps.picture().html
    assert "... 80 more steps ..." in html
    assert "does 15<" in html
    assert "does 16<" not in html
    assert '<th scope="row">100</th>' in html
    assert "does 50" in str(steps)


def test_untrusted_text_is_escaped():
    """Names, deeds and values are text, whatever they hold."""
    steps = Steps("<b>")
    steps.note("<i>", "<script>", **{"<u>": "<img>\x1b"})
    picture = steps.picture()
    for tag in ("<b>", "<i>", "<script>", "<u>", "<img>"):
        assert tag not in picture.html.split("</style>")[1]
    assert "\x1b" not in picture.text


def test_no_steps_say_what_to_do(race):
    """Showing nothing explains itself, also after clearing."""
    race.clear()
    with pytest.raises(ValueError, match="note some, then show them"):
        race.picture()
