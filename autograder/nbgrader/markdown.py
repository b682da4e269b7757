"""Shows Markdown that a student wrote: text, links and pictures, and nothing that runs.

nbgrader's pages render it as it is, a script in it included. nbgrader_config.py puts `harmless`
in the place of nbconvert's filter.
"""

from __future__ import annotations

import re
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.grading.harmless import clean_html

# MathJax makes links of the first, `javascript:` ones too, and styles of the others.
_COMMANDS = re.compile(r"\\(?:href|style|cssId|class)(?![A-Za-z])")


@pass_context
def harmless(context: Context, source: str) -> str:
    """Return a Markdown cell as HTML.

    Args:
        context: nbconvert's: the cell, with the pictures that were pasted into it.
        source: The cell's text.
    """
    cell: Any = context.get("cell", {})
    renderer = IPythonRenderer(escape=False, attachments=cell.get("attachments", {}))
    html = clean_html(MarkdownWithMath(renderer=renderer).render(source))
    return _COMMANDS.sub(r"\\text", html)
