"""Minutes are measured on the text, at a reader's pace."""

from autograder.authoring.markdown import read
from autograder.authoring.pace import sittings


def measured(text: str):
    document, _ = read(text, file="x.md")
    return sittings(document)


def test_words_code_exercises_and_guesses_take_time():
    """180 words and 4 lines a minute, two minutes an exercise, one a guess."""
    text = (
        "# T\n\n" + "word " * 1800 + "\n\n```python\n" + "a = 1\n" * 20 + "```\n\n"
        '```python check="x1"\npass\n```\n\n```python\npredict("Why?", answer="So.")\n```\n\n'
        "*Try it*: change it.\n"
    )
    [only] = measured(text)
    assert (only.words // 10, only.lines, only.exercises, only.guesses) == (180, 20, 1, 2)
    assert only.minutes == 20  # 10 + 5 + 2 + 2, to five


def test_folded_code_and_appendices_take_none():
    """What is hidden or below the end is not read."""
    [only] = measured(
        "# T\n\n```python fold\na = 1\n```\n\n## Appendix: more\n\n"
        + "word " * 900
        + "\n\n```python\nb = 1\n```\n"
    )
    assert only.minutes == 0


def test_a_second_sitting_is_measured_alone():
    """A heading that begins with *Second sitting* divides the lesson."""
    first, second = measured("# T\n\n" + "a " * 1800 + "\n\n## Second sitting: x\n\n" + "a " * 900)
    assert (first.minutes, second.minutes) == (10, 5)
