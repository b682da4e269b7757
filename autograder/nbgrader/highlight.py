"""Colours the source of cells, as far as that is quick.

The lexer takes time by the square of a line's length: 120,000 characters of one line are worth two
minutes. nbgrader_config.py puts `highlighted` in the place of nbconvert's filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Any, Final

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters import Highlight2HTML

MAX_LINE: Final = 400
"""Characters of the longest line that is coloured."""
MAX_PAGE: Final = 60_000
"""Characters of a page that are coloured; about two seconds."""
_COLOURED: Final = "autograder_coloured"


@pass_context
def highlighted(
    context: Context,
    source: str,
    language: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> str:
    """Return source as HTML.

    Args:
        context: nbconvert's; what all cells of a page share.
        source: The source.
        language: What it is written in, if not in Python.
        metadata: The cell's own.
    """
    page: Any = context.get("resources", {})
    coloured = page.get(_COLOURED, 0) + len(source)
    if coloured <= MAX_PAGE and max(map(len, source.splitlines()), default=0) <= MAX_LINE:
        page[_COLOURED] = coloured
        html: str = _lexer()(source, language, metadata)
        return html
    return f'<div class="highlight hl-ipython3"><pre>{escape(source)}\n</pre></div>'


@cache
def _lexer() -> Highlight2HTML:
    return Highlight2HTML(pygments_lexer="ipython3")
