"""Names are shown as text, whatever a student has called his folder."""

import sys
from types import SimpleNamespace

import nbformat
import pytest
from jinja2 import DictLoader, Environment

from autograder.checks.records import CheckResult
from autograder.course import is_plain_name
from autograder.nbgrader import formgrader
from autograder.render.html import check_table

EVIL = "<img src=x onerror=evil()>"


@pytest.mark.parametrize("name", ["amy", "o'brien", "Björn Ek", "a.b+c@uni.edu", "student_01"])
def test_a_plain_name_is_taken(name):
    """People have spaces, accents and apostrophes."""
    assert is_plain_name(name)


@pytest.mark.parametrize("name", [EVIL, "a&b", 'a"b', "a`b", "a\\b", "a\nb", "a\u202eb", "a\udcff"])
def test_another_is_not(name):
    """Markup, what ends a string, what cannot be seen, what is no text."""
    assert not is_plain_name(name)


def test_the_page_of_a_submission_escapes_names():
    """So does what makes it, before the template sees them."""
    step = formgrader.EscapedNames()
    _, told = step.preprocess(nbformat.v4.new_notebook(), {"student": EVIL, "index": 1})
    assert told == {"student": "&lt;img src=x onerror=evil()&gt;", "index": 1}


def test_other_pages_escape_all_that_they_show(monkeypatch):
    """Once, however often the settings are read."""

    class Handler:
        settings = {"nbgrader_jinja2_env": Environment(loader=DictLoader({"a": "{{ x }}"}))}  # noqa: RUF012, S701 - as nbgrader's

        def render(self, name, **told):
            return self.settings["nbgrader_jinja2_env"].get_template(name).render(**told)

    monkeypatch.setitem(sys.modules, formgrader._MODULE, SimpleNamespace(BaseHandler=Handler))
    formgrader.escape_pages()
    once = Handler.render
    formgrader.escape_pages()
    assert Handler.render is once
    assert "<img" not in Handler().render("a", x=EVIL)


def test_no_formula_is_set_in_a_table():
    """MathJax leaves alone what a student wrote there."""
    page = check_table(CheckResult(lab="lab01", task="t1", max_points=1, points=0, problem="$x$"))
    assert 'class="check mathjax_ignore tex2jax_ignore"' in page
