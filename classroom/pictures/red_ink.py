"""A form handed back with red ink where a request was wrong."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from itertools import groupby

from classroom.pictures.form import Field, Form, Reply, read_form
from classroom.pictures.picture import Picture, html_of, shorten, visible

_VALUE_LIMIT = 300


def show_form(reply: Reply) -> Picture:
    """Draw the request of a response as a form, with red ink at each error's `loc`.

    Args:
        reply: A response of httpx2 or httpx: usually a 422, but an accepted form may be drawn too.
    """
    form = read_form(reply)
    stamp, ink = _stamp(form)
    sections = "".join(
        f'<div class="cp-section">{escape(section)}</div>' + "".join(map(_drawn, fields))
        for section, fields in groupby(form.fields, key=lambda field: field.section)
    )
    remark = f'<div class="cp-ink">{html_of(form.remark)}</div>' if form.remark else ""
    label = escape(f"The request as a form: {stamp}", quote=True)
    return Picture(
        html=f'<div class="cp cp-paper" role="group" aria-label="{label}">'
        f'<div class="cp-stamp cp-{ink}">{escape(stamp)}</div>'
        f'<div class="cp-title">{escape(form.request)}</div>{sections}{remark}</div>',
        text="\n".join(
            [
                f"{form.request}: {stamp}",
                *map(_in_words, form.fields),
                *[form.remark] * bool(form.remark),
            ]
        ),
    )


def _stamp(form: Form) -> tuple[str, str]:
    if form.status < HTTPStatus.BAD_REQUEST:
        return f"{form.status} accepted", "green"
    if not form.marked:
        return f"{form.status} refused", "red"
    fields = "1 field" if form.marked == 1 else f"{form.marked} fields"
    return f"{form.status} please correct {fields}", "red"


def _value(field: Field) -> str:
    return "(nothing)" if field.value is None else shorten(field.value, limit=_VALUE_LIMIT)


def _drawn(field: Field) -> str:
    if field.marks:
        place = escape(f"loc: {list(field.location)}")
        said = html_of("; ".join(field.marks))
        verdict = f'<div class="cp-ink">\N{BALLOT X} {said}<small>{place}</small></div>'
    else:
        verdict = '<div class="cp-fine">\N{CHECK MARK}</div>'
    marked = " cp-marked" if field.marks else ""
    return (
        f'<div class="cp-field{marked}"><div class="cp-label">{html_of(field.label)}</div>'
        f'<div class="cp-value">{html_of(_value(field))}</div>{verdict}</div>'
    )


def _in_words(field: Field) -> str:
    verdict = "ok"
    if field.marks:
        verdict = f"WRONG: {'; '.join(field.marks)}   loc: {list(field.location)}"
    return f"  {field.section:<6} {visible(field.label):<14} {visible(_value(field)):<22} {verdict}"
