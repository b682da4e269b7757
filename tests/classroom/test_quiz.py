"""Quizzes whose every choice explains itself, and guesses made first."""

import re
from html.parser import HTMLParser

import pytest

from classroom.quiz import Question, predict, quiz, right, wrong


def _question(text="Who runs a `def` endpoint?"):
    return Question(
        text,
        wrong("The event loop", "That is where `async def` runs."),
        right("A thread of the pool", "FastAPI hands it over, so the loop stays free."),
        wrong("A process", "Only if you start one."),
    )


class _Tags(HTMLParser):
    """Notes tags with their attributes, and that they are closed in order."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(html.split("</style>")[-1])

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def _bundle(shown):
    return shown._repr_mimebundle_()


def test_every_choice_unfolds_its_own_explanation():
    """Each choice is a fold with its explanation inside; wrong ones too."""
    html = _bundle(quiz(_question()))["text/html"]
    folds = re.findall(r"<details[^>]*>.*?</details>", html, re.DOTALL)
    assert len(folds) == 3
    for fold, choice in zip(folds, _question().choices, strict=True):
        assert choice.because.split("`")[0] in fold
        assert ("Right." in fold) == choice.is_right
        assert ("Not this one." in fold) != choice.is_right
        assert "open" not in fold[: fold.index(">")]


def test_one_choice_at_a_time():
    """The folds of a question share a name, so one closes the other; other questions' do not."""
    page = _Tags(_bundle(quiz(_question(), _question("And `async def`?")))["text/html"])
    names = [attributes["name"] for attributes in page.all("details")]
    assert len(set(names[:3])) == len(set(names[3:])) == 1
    assert names[0] != names[3]


def test_it_needs_no_script_and_no_network():
    """No script, no handler, no address, so it reads the same everywhere."""
    for shown in (quiz(_question()), predict("How many?", answer="40")):
        html = _bundle(shown)["text/html"]
        assert "<script" not in html
        assert "http" not in html
        assert not [a for _, attributes in _Tags(html).tags for a in attributes if a[:2] == "on"]


def test_it_is_worked_by_keyboard_in_jupyterlab():
    """Folds and buttons are native, and JupyterLab's own keys stay out of them."""
    for shown in (
        quiz(_question()),
        predict("Who?", *_question().choices),
        predict("?", answer="1"),
    ):
        page = _Tags(_bundle(shown)["text/html"])
        keyed = page.all("summary") + page.all("input")
        assert all(attributes["data-lm-suppress-shortcuts"] == "true" for attributes in keyed)
        assert len(page.all("summary")) == len(page.all("details")) > 0
        assert page.open == []


def test_groups_have_names_for_screen_readers():
    """Each question is a group that says which of how many it is."""
    page = _Tags(_bundle(quiz(_question(), _question("Two?")))["text/html"])
    assert [a["aria-label"] for a in page.all("section")] == ["Question 1 of 2", "Question 2 of 2"]


def test_as_text_the_explanations_come_last():
    """In a terminal one reads all questions before the first explanation."""
    text = str(quiz(_question(), _question("Two?")))
    asked, told = text.split("Explanations")
    assert "   B. A thread of the pool" in asked
    assert "Right." not in asked
    assert "   B. Right. FastAPI hands it over, so the loop stays free." in told
    assert text == _bundle(quiz(_question(), _question("Two?")))["text/plain"]


def test_markdown_is_drawn():
    """Code and emphasis in questions, choices and reasons become HTML."""
    shown = quiz(
        Question(
            "What is printed?\n\n```python\nprint(1 < 2)\n```",
            right("`True`", "*One* is less."),
            wrong("`False`", "No."),
        )
    )
    html = _bundle(shown)["text/html"]
    assert "<pre><code" in html
    assert "print(1 &lt; 2)" in html
    assert "<code>True</code>" in html
    assert "<em>One</em>" in html


def test_html_in_texts_stays_text():
    """Tags in any part of a question are shown, not obeyed; links that run code are none."""
    evil = '<script>alert(1)</script><img src=x onerror="x"> [x](javascript:alert(1))'
    shown = [
        quiz(Question(evil, right(f"a {evil}", evil), wrong(f"b {evil}", evil))),
        predict(evil, answer=evil),
        predict(evil, right(f"a {evil}", evil), wrong(f"b {evil}", evil)),
    ]
    for html in (_bundle(one)["text/html"] for one in shown):
        page = _Tags(html)
        assert "script" not in dict(page.tags)
        assert "img" not in dict(page.tags)
        assert "a" not in dict(page.tags)


def test_a_choice_without_a_reason_is_refused():
    """Every choice explains itself, or there is no quiz."""
    with pytest.raises(ValueError, match="needs its reason"):
        wrong("The event loop", " ")
    with pytest.raises(ValueError, match="needs a text"):
        right(" ", "because")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ((right("a", "x"),), "at least two"),
        ((wrong("a", "x"), wrong("b", "y")), "no right choice"),
        ((right("a", "x"), wrong("a", "y")), "say the same"),
    ],
)
def test_a_question_that_is_none_is_refused(choices, message):
    """One choice, no right one, two alike: each is named."""
    with pytest.raises(ValueError, match=message):
        Question("What?", *choices)


def test_empty_quizzes_and_questions_are_refused():
    """A quiz needs a question, and a question needs a text."""
    with pytest.raises(ValueError, match="needs a question"):
        quiz()
    with pytest.raises(ValueError, match="needs a text"):
        Question(" ", right("a", "x"), wrong("b", "y"))
    with pytest.raises(ValueError, match="needs a text"):
        predict(" ", answer="x")


def test_a_chosen_guess_comes_before_any_explanation():
    """The choices to guess from say nothing; what explains them is hidden until one is chosen."""
    html = _bundle(predict("How many threads?", *_question().choices))["text/html"]
    guess, after = html.split('<div class="cq-after"')
    guess = guess.split("</style>")[-1]
    assert guess.count('type="radio"') == 3
    for choice in _question().choices:
        assert choice.because.split("`")[0] not in guess
        assert choice.because.split("`")[0] in after
    assert ".cq-after { visibility: hidden; }" in html
    assert ".cq-guess:has(input:checked) .cq-after" in html


def test_a_typed_guess_comes_before_the_answer():
    """There is a labelled field to type in, and the answer is hidden until something is typed."""
    html = _bundle(predict("How long is the gap, in ms?", answer="About **800**."))["text/html"]
    guess, after = html.split("</style>")[-1].split('<div class="cq-after"')
    assert re.search(r'<label[^>]*>Your guess: <input type="text" placeholder=" "', guess)
    assert "800" not in guess
    assert "<details" in after
    assert "<strong>800</strong>" in after
    assert 'input[type="text"]:not(:placeholder-shown)) .cq-after' in html


def test_a_guess_as_text():
    """In a terminal the question stands first, and the comparison after the next cell."""
    assert str(predict("How long?", answer="800 ms.")) == (
        "Guess first: How long?\n\nRun the next cell, then compare:\n\n800 ms."
    )
    assert str(predict("Who?", *_question().choices)).startswith("Guess first: Who?\n   A. The")


@pytest.mark.parametrize("both", [True, False])
def test_a_guess_has_either_choices_or_an_answer(both):
    """Both, or neither, is refused with a sentence."""
    choices, answer = (_question().choices, "x") if both else ((), "")
    with pytest.raises(ValueError, match="either choices"):
        predict("What?", *choices, answer=answer)
