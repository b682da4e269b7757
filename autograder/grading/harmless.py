"""Takes what could run out of a submission's HTML, for feedback pages and formgrader.

nbgrader shows a student's output as it is. A script in it would run with the rights of the
instructor who looks at it in formgrader. nbgrader_config.py puts `clean_html` in the place of
nbconvert's filter of that name, which would also take the tables of the checks apart.
"""

from __future__ import annotations

import re

import bleach  # type: ignore[import-untyped]  # it ships no types

from autograder.render.html import STYLE

_TAGS = frozenset(
    {
        *("a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div"),
        *("dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "kbd"),
        *("li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub"),
        *("summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var"),
    }
)
_EVERYWHERE = frozenset({"class", "dir", "lang", "role", "title"})
_HERE = {
    "details": frozenset({"open"}),
    "img": frozenset({"alt", "width", "height"}),
    "ol": frozenset({"start"}),
    "td": frozenset({"align", "colspan", "rowspan"}),
    "th": frozenset({"align", "colspan", "rowspan", "scope"}),
    **{f"h{level}": frozenset({"id"}) for level in range(1, 7)},
}
_ADDRESSES = {
    ("a", "href"): re.compile(r"https?://|mailto:|[^:]*\Z"),
    # A picture from elsewhere would tell its server who reads the page, and when.
    ("img", "src"): re.compile(r"data:image/|[\w.%][^:\\]*\Z"),
}
_UNSEEN = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)", flags=re.DOTALL | re.IGNORECASE)
_OUR_STYLE = f"<style>{STYLE}</style>"


def clean_html(element: object) -> str:
    """Return HTML that shows text, tables and pictures, and nothing that runs.

    Args:
        element: HTML, as text or as UTF-8 bytes.
    """
    text = element.decode("utf-8", "replace") if isinstance(element, bytes) else str(element)
    kept = _OUR_STYLE if _OUR_STYLE in text else ""
    cleaned: str = bleach.clean(
        _UNSEEN.sub("", text),
        tags=_TAGS,
        attributes=_may_have,
        protocols={"http", "https", "mailto", "data"},
    )
    return kept + cleaned


def _may_have(tag: str, name: str, value: str) -> bool:
    address = _ADDRESSES.get((tag, name))
    if address is not None:
        return address.match(value) is not None
    return name.startswith("aria-") or name in _EVERYWHERE or name in _HERE.get(tag, ())
