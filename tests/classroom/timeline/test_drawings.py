"""Drawings contain what they claim, and nothing untrusted."""

import pytest

from classroom.asgi_trace import Passed, Visit
from classroom.timeline import Bar, Call, Row, Timeline, gantt
from classroom.timeline.scale import Scale, in_words

LOOP, WORKER = 100, 200
EVIL = '<script>alert("1")</script>\x1b[31m'


def _visit(number, entered, left, *, parts=()):
    messages = tuple(
        Passed("out", "http.response.body", at, LOOP, 1, None, more=True) for at in parts
    )
    return Visit(number, "http", "GET", "/", {}, entered, left, LOOP, messages, None)


def _call(number, entered, left, *, thread=LOOP, name="work"):
    return Call(number, name, "endpoint", "def", thread, entered, (), (), left, None)


def _row(number, sent, span, answered, *, label="GET /slow", thread=LOOP, status=200, parts=()):
    begin, end = span
    return Row(
        label=label,
        sent=sent,
        answered=answered,
        status=status,
        error=None,
        visit=_visit(number, begin, end, parts=parts),
        calls=(_call(number, begin, end, thread=thread),),
    )


BLOCKED = Timeline(
    rows=(_row(0, 0, (0.01, 0.41), 0.42), _row(1, 0, (0.41, 0.81), 0.82)),
    beats=(-0.02, -0.01, 0.0, 0.81, 0.82, 0.83),
    every=0.01,
    virtual=False,
)
FREE = Timeline(
    rows=(
        _row(0, 0, (0.0, 0.05), 0.05, thread=WORKER),
        _row(1, 0, (0.0, 0.05), 0.05, thread=LOOP),
    ),
    beats=tuple(n / 100 for n in range(-2, 9)),
    every=0.01,
    virtual=False,
)


def test_the_longest_gap_is_between_two_beats():
    """A blocked loop has one long gap, exactly from beat to beat."""
    assert BLOCKED.gap == (0.0, 0.81)
    assert BLOCKED.longest_gap == 0.81
    assert FREE.longest_gap == 0.01


def test_silences_add_up():
    """A beat between two blocked calls splits the gap, but not the time that was blocked."""
    assert (BLOCKED.silences, BLOCKED.blocked) == ((BLOCKED.gap,), 0.81)
    assert (FREE.silences, FREE.blocked) == ((), 0)
    split = Timeline(BLOCKED.rows, (-0.01, 0.0, 0.21, 0.22, 0.82, 0.83), 0.01, virtual=False)
    assert split.silences == ((0.0, 0.21), (0.22, 0.82))
    assert split.blocked == 0.81
    assert str(split).splitlines()[0].endswith("In 2 silences it was blocked for 810 ms.")


def test_only_gaps_beside_requests_count():
    """A pause before the first request is not the requests' fault."""
    timeline = Timeline(FREE.rows, (-9.0, -1.0, 0.0, 0.02, 0.04), 0.01, virtual=False)
    assert timeline.longest_gap == 0.02


def test_bars_stand_where_their_times_are(drawing):
    """A row's pale bar spans sent to answered, its solid bar the function."""
    drawn = drawing(BLOCKED)
    scale = Scale(-0.02, 0.83, 150, 730)
    for (_, (pale, solid)), row in zip(drawn.rows, BLOCKED.rows, strict=True):
        assert pale == pytest.approx((scale.x(row.sent), scale.x(row.answered)), abs=0.11)
        assert solid == pytest.approx((scale.x(row.worked[0]), scale.x(row.worked[1])), abs=0.11)
    (_, (_, first)), (_, (_, second)) = drawn.rows
    assert first[1] == pytest.approx(second[0], abs=0.11)


def test_every_beat_is_a_tick_and_the_gap_is_marked(drawing):
    """As many ticks as beats; the bracket runs from the gap's first beat to its last."""
    drawn = drawing(BLOCKED)
    scale = Scale(-0.02, 0.83, 150, 730)
    assert drawn.path("cp-beats").count("M") == len(BLOCKED.beats)
    begin, end = (scale.x(moment) for moment in BLOCKED.gap)
    assert drawn.path("cp-gap").startswith(f"M{begin:g} ")
    assert drawn.path("cp-gap").endswith(f"H{end:g}")
    assert "longest gap 810 ms" in drawn.words


def test_only_a_notable_gap_is_shaded(drawing):
    """The red band across the rows is drawn for a blocked loop and not for a free one."""

    def bands(shown):
        return [r for r in drawing(shown).svg.findall("rect") if r.get("fill-opacity") == "0.12"]

    assert len(bands(BLOCKED)) == 1
    assert bands(FREE) == []


def test_the_text_alternative_says_the_numbers(drawing):
    """Without the picture one reads requests, threads, beats and the gap."""
    assert drawing(BLOCKED).label == (
        "2 requests (GET /slow), all answered after 820 ms of real time. All ran on the loop. "
        "The loop beat 6 times, every 10 ms when free; the longest gap was 810 ms, until 810 ms."
    )
    assert "Threads that did the work: 1 and the loop." in str(FREE)
    assert str(BLOCKED).startswith(drawing(BLOCKED).label)


def test_rows_name_thread_and_status(drawing):
    """Beside each bar stands who did it and what came of it."""
    words = drawing(FREE).words
    assert "thread 1, 200" in words
    assert "loop, 200" in words


def test_a_row_without_an_answer_says_so(drawing):
    """A request that never reached the app is a pale bar with a word."""
    lost = Row("GET /x", 0, 1, None, "ConnectError: refused", None, ())
    timeline = Timeline((lost,), (), 0.01, virtual=False)
    ((_, spans),) = drawing(timeline).rows
    assert len(spans) == 1
    assert "no response" in drawing(timeline).words
    assert "ConnectError: refused" in timeline.table().text


def test_parts_of_a_stream_are_dots(drawing):
    """Each part of a streamed answer is a dot at its time; a whole answer has none."""
    timeline = Timeline(
        (_row(0, 0, (0, 4), 4, parts=(1, 2, 4)), _row(1, 0, (0, 4), 4, parts=(4,))),
        (),
        0.0,
        virtual=True,
    )
    scale = Scale(0, 4, 150, 730)
    dots = [float(dot.get("cx")) for dot in drawing(timeline).svg.iter("circle")]
    assert dots == [scale.x(1), scale.x(2), scale.x(4)]
    assert "heartbeat" not in drawing(timeline).words


def test_many_rows_are_drawn_close_and_numbered(drawing):
    """Forty-one rows all have their bars; some have numbers, the last one too."""
    rows = tuple(_row(n, 0, (0, 1), 1, thread=n + 1000) for n in range(41))
    drawn = drawing(Timeline(rows, (), 0.0, virtual=True))
    assert len(drawn.rows) == 41
    assert [word for word in drawn.words if word.isdecimal()][-5:] == ["1", "10", "20", "30", "41"]


def test_the_table_has_a_line_per_request():
    """The table says the same numbers."""
    head, first, second = BLOCKED.table().text.split("\n")
    assert head.split() == [
        "#",
        "request",
        "sent",
        "began",
        "ended",
        "answered",
        "thread",
        "status",
    ]
    assert first.split("  ")[0] == "1"
    assert "410 ms" in second
    assert BLOCKED.table().html.count("<tr>") == 3


def test_untrusted_text_is_escaped_everywhere(drawing):
    """A path or a function's name that is HTML or a control sequence stays text."""
    row = Row(EVIL, 0, 1, 200, EVIL, _visit(0, 0, 1), (_call(0, 0, 1, name=EVIL),))
    timeline = Timeline((row,), (0.0, 1.0), 0.01, virtual=False)
    chart = gantt([Bar(EVIL, 0, 1, note=EVIL)], title=EVIL)
    for picture in (timeline.picture(), timeline.table(), chart):
        assert "<script" not in picture.html
        assert "\x1b" not in picture.html + picture.text
    assert "<script>" in drawing(chart).label


def test_a_gantt_chart_puts_bars_on_their_rows(drawing):
    """Bars with one label share a row; each spans its time; marks are dots."""
    chart = gantt(
        [("model", 0, 0.5), ("disk", 0.1, 0.2), ("disk", 0.3, 0.4), Bar("net", 0, 1, marks=(0.5,))],
        title="Who waits",
    )
    scale = Scale(0, 1, 170, 750)
    drawn = drawing(chart)
    spans = [span for _, (span,) in drawn.rows]
    expected = [(0, 0.5), (0.1, 0.2), (0.3, 0.4), (0, 1)]
    assert spans == [pytest.approx((scale.x(a), scale.x(b)), abs=0.11) for a, b in expected]
    tops = [r.get("y") for g in drawn.svg.iter("g") for r in g.iter("rect")]
    assert tops[1] == tops[2] != tops[0]
    assert [float(dot.get("cx")) for dot in drawn.svg.iter("circle")] == [scale.x(0.5)]
    assert chart.text == (
        "Who waits:\nmodel from 0 ms to 500 ms.\ndisk from 100 ms to 200 ms.\n"
        "disk from 300 ms to 400 ms.\nnet from 0 ms to 1 s, marks at 500 ms."
    )


def test_a_chart_of_nothing_says_what_to_give():
    """No bars, or a bar that ends before it begins, is refused with a sentence."""
    with pytest.raises(ValueError, match="nothing to draw"):
        gantt([])
    with pytest.raises(ValueError, match="ends at 1, before 2"):
        gantt([("x", 2, 1)])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.00089, "0.89 ms"),
        (0.0123, "12.3 ms"),
        (0.805, "805 ms"),
        (1.24, "1.24 s"),
        (15, "15 s"),
        (180, "3 min"),
        (86_400, "24 h"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds, words):
    """Milliseconds, seconds, minutes and hours, each where it reads best."""
    assert in_words(seconds) == words


def test_ticks_are_tidy_and_inside():
    """An axis has tidy moments only, from its begin to its end."""
    assert Scale(-0.02, 0.83, 0, 100).ticks() == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert Scale(0, 180, 0, 100).ticks() == [0, 50, 100, 150]
    assert Scale(0, 0.000001, 0, 100).ticks(2) == [0, 5e-7, 1e-6]
