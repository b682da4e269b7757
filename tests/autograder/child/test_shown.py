"""What a cell shows beside text comes back, bounded, and only what is what it says to be."""

from __future__ import annotations

import base64

from autograder.child import Submission, rich

from .conftest import PATIENT

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and more").decode()
IMPORTS = "from IPython.display import HTML, SVG, display\n"


def test_html_and_pictures_come_back_in_order(child: Submission):
    """What `display` is given and what the last line is, each with its forms."""
    source = f"{IMPORTS}display(HTML('<b>one</b>'))\ndisplay({{'image/png': '{PNG}'}}, raw=True)\n"
    ran = child.run("a", f"{source}HTML('<i>two</i>')", deadline=PATIENT)
    assert ran.ok, ran
    assert [list(one) for one in ran.shown] == [["text/html", "text/plain"], ["image/png"]]
    assert ran.rich["text/html"] == "<i>two</i>"
    assert child.run("b", "1", deadline=PATIENT).shown == []


def test_what_is_shown_anew_replaces_what_was_shown(child: Submission):
    """A display with a name is updated, and `clear_output` clears."""
    source = f"{IMPORTS}shown = display(HTML('old'), display_id=True)\nshown.update(HTML('new'))"
    assert [one["text/html"] for one in child.run("a", source, deadline=PATIENT).shown] == ["new"]
    source += "\nfrom IPython.display import clear_output\nclear_output()"
    assert child.run("b", source, deadline=PATIENT).shown == []


def test_what_is_no_picture_or_could_run_is_left_out(child: Submission):
    """A forged picture, SVG and JavaScript are not handed on."""
    forged = "{'image/png': 'PHNjcmlwdD4=', 'application/javascript': 'alert(1)'}"
    source = f"{IMPORTS}display({forged}, raw=True)\ndisplay(SVG('<svg></svg>'))"
    ran = child.run("a", source, deadline=PATIENT)
    assert ran.ok, ran
    assert [one for one in ran.shown if one] == []


def test_what_is_shown_is_bounded_and_fails_nothing(child: Submission):
    """Too many, too large, and too much over all cells."""
    many = child.run("a", f"{IMPORTS}for n in range(99): display(HTML(f'{{n}}'))", deadline=PATIENT)
    assert len(many.shown) == rich.MOST
    large = child.run("b", "display(HTML('x' * 3_000_000))", deadline=PATIENT)
    assert large.ok
    assert large.shown == []
    again = [child.run(f"c{n}", "display(HTML('y' * 700_000))", deadline=PATIENT) for n in range(6)]
    assert all(ran.ok for ran in again)
    assert rich.size([one for ran in again for one in ran.shown]) <= rich.MAX_SUBMISSION
    quoted = child.run("d", "display(HTML('\\x01' * 700_000))", deadline=PATIENT)
    assert quoted.ok
