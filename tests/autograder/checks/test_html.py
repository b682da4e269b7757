"""The table of a check."""

from html.parser import HTMLParser

from autograder.checks.records import CheckResult, Difference, Exchange, Outcome, TestRecord
from autograder.render.html import check_table

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


class Tags(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def seen(result):
    """Parse a result's table."""
    parser = Tags()
    parser.feed(check_table(result))
    return parser


def record(number=0, **options):
    """A failed test whose every text is hostile."""
    given = {
        "id": f"t1.test_{number}",
        "meaning": EVIL,
        "outcome": Outcome.FAILED,
        "points": 0,
        "max_points": 1,
        "message": EVIL,
        "sent_and_got": (Exchange(request=EVIL, response=EVIL),),
        "difference": Difference(where=EVIL, got=EVIL, expected=EVIL),
        "raised": EVIL,
        "hint": EVIL,
    }
    return TestRecord(**(given | options))


def result(*tests, **options):
    """A result with these tests."""
    return CheckResult(lab="lab99", task="t1", max_points=2, points=0, tests=tests, **options)


def test_everything_of_a_submission_is_escaped():
    """No tag of a hostile text becomes a tag of the page."""
    page = seen(result(record(), printed=EVIL, problem=EVIL))
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert page.text.count("<script>alert(1)</script>") >= 8


def test_only_the_first_failure_is_open():
    """The student sees one exchange and one hint; the others wait folded."""
    page = seen(result(record(0), record(1)))
    assert [tag for tag, _ in page.tags].count("details") == 1


def test_fifty_failures_with_long_texts_stay_small():
    """A hostile cell does not blow up the notebook."""
    assert len(check_table(result(*(record(number) for number in range(50))))) < 200_000


def test_a_reader_of_the_plain_text_learns_everything():
    """Without colour the outcome stands there in words."""
    page = seen(result(record(outcome=Outcome.BLOCKED, message="Finish task t0 first.")))
    assert "blocked" in page.text
    assert "Finish task t0 first." in page.text
    assert "Task 1: 0 of 2 points" in page.text


def test_code_in_a_sentence_is_set_as_code():
    """Backticks become code, and markup stays text."""
    page = check_table(result(record(meaning="`GET /x` is <b>bold</b>.")))
    assert "<code>GET /x</code> is &lt;b&gt;bold&lt;/b&gt;." in page


def test_what_was_expected_is_plain_text():
    """A name of the test's own, marked as code elsewhere, stands there without its marks."""
    difference = Difference(where="`words_of(came)`", got="1", expected="2")
    assert "words_of(came): 2" in seen(result(record(difference=difference))).text


def test_the_labs_own_words_are_set_and_a_submissions_are_not():
    """Emphasis in a sentence or a hint is shown as such; what a message quotes keeps its stars."""
    page = check_table(
        result(
            record(
                meaning="It closes with 1000, *all is said*; `2 * 3 * 4` and 5 * 6 stay.",
                message='The body\'s $ is "*mine*". Expected: "*yours*".',
                hint="Compare with the *other* agents: *<b>*.",
            )
        )
    )
    assert "1000, <em>all is said</em>; <code>2 * 3 * 4</code> and 5 * 6 stay." in page
    assert "is &quot;*mine*&quot;. Expected: &quot;*yours*&quot;." in page
    assert "the <em>other</em> agents: *&lt;b&gt;*." in page


def test_a_row_says_what_its_test_brought_or_cost():
    """The signs tell which, and the shares are those of the whole cell."""
    passed = record(1, outcome=Outcome.PASSED, points=0.57, max_points=0.57)
    lost = record(2, max_points=1.43)
    rows = [tag for tag, given in seen(result(passed, lost)).tags if given.get("class") == "points"]
    page = check_table(result(passed, lost))
    assert len(rows) == 2
    assert '<td class="points">+0.57</td>' in page
    assert '<td class="points">\N{MINUS SIGN}1.43</td>' in page
