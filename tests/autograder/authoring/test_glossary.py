"""The glossary is made of what the lessons define."""

import pytest

FRONT = "---\ntitle: Path operations\nminutes: 45\nlevel: beginner\nlab:\n---\n\n"
BODY = """\
# Title

**In a hurry**: you will see a server.

## Who asks

A **server** waits for requests.

- A **client** sends them; it is not bold **in a list** of three.

```http
**no** term
```
"""


def test_each_term_stands_with_its_sentence_and_its_place(lesson_only):
    """By the alphabet: the term, the line that defines it, the lesson and the section."""
    lesson_only.lesson.write_text(FRONT + BODY, encoding="utf-8")

    assert lesson_only.build() == 0

    text = "\n".join("".join(c["source"]) for c in lesson_only.cells("notebooks/glossary.ipynb"))
    place = "([01 Path operations](01-path-operations.ipynb), *Who asks*)"
    assert f"**server**: A server waits for requests. {place}" in text
    assert text.index("**client**: A client sends them") < text.index("**server**")
    assert "In a hurry" not in text
    assert "**no**" not in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("> **Why is that so?**", '"Why is that so?" stands in bold and is not a term'),
        ("A **server** again.", '"server" is defined a second time, first in'),
    ],
)
def test_bold_that_defines_nothing_is_refused(lesson_only, capsys, line, message):
    """A question in bold, and a second definition, are named with what to do."""
    lesson_only.lesson.write_text(f"{FRONT}{BODY}\n{line}\n", encoding="utf-8")

    assert lesson_only.build() == 1

    assert message in capsys.readouterr().err
