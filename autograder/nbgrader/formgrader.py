"""Keeps formgrader's pages from running what somebody put into a name.

nbgrader makes its pages without escaping: a student's id, which may be the name of a folder that a
student chose, stands in them as it is. nbgrader_config.py calls `escape_pages` where formgrader
runs, and adds `EscapedNames` to what makes the page of a submission.
"""

from __future__ import annotations

import sys
from html import escape
from typing import Any, Final

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

_MODULE: Final = "nbgrader.server_extensions.formgrader.base"
_NAMES: Final = ("student", "first_name", "last_name", "filename")


class EscapedNames(Preprocessor):
    """Escapes the names that the page of a submission shows."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Escape the names in what the page is made from."""
        for name in _NAMES:
            if isinstance(resources.get(name), str):
                resources[name] = escape(resources[name])
        return nb, resources


def escape_pages() -> None:
    """Have formgrader's other pages escape whatever they show, if this process serves them."""
    module: Any = sys.modules.get(_MODULE)
    if module is None or getattr(module.BaseHandler, "escapes", False):
        return
    theirs = module.BaseHandler.render

    def render(handler: Any, name: str, **told: Any) -> str:
        handler.settings["nbgrader_jinja2_env"].autoescape = True
        page: str = theirs(handler, name, **told)
        return page

    module.BaseHandler.render = render
    module.BaseHandler.escapes = True
