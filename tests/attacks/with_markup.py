"""Attacks on whoever looks at the feedback: markup in everything that is shown there."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from .attack import altered, by_answers, in_a_cell, insert

MARK = "x7run"
"""Stands in every script, so that it can be looked for."""
SCRIPT = f"<script>{MARK}()</script><img src=x onerror={MARK}()>"
_TAG = repr(SCRIPT)


def _in_cells(made: NotebookNode) -> None:
    """Put markup into text cells, sources, ids, metadata and outputs."""
    next(one for one in made.cells if one.cell_type == "markdown").source = SCRIPT
    made.cells.insert(1, nbformat.v4.new_markdown_cell(SCRIPT))
    made.cells.insert(2, nbformat.v4.new_raw_cell(SCRIPT))
    made.cells[2].metadata.raw_mimetype = made.cells[2].metadata.format = "text/html"
    insert(made, f"# {SCRIPT}\n'''</pre></div>{SCRIPT}'''")
    made.metadata.title = SCRIPT
    made.metadata.authors = [{"name": SCRIPT}]
    for one in made.cells:
        one.metadata.tags = [*one.metadata.get("tags", []), SCRIPT]
        one.metadata.name = SCRIPT
        if one.cell_type == "code":
            data = {"text/html": SCRIPT, "application/javascript": f"{MARK}()",
                    "image/svg+xml": f"<svg onload={MARK}()>", "text/markdown": SCRIPT}  # fmt: skip
            one.outputs = [
                nbformat.v4.new_output("display_data", data=data),
                nbformat.v4.new_output("error", ename=SCRIPT, evalue=SCRIPT, traceback=[SCRIPT]),
            ]


_HANDLER = """
from fastapi import Response
from fastapi.responses import HTMLResponse
@app.get("/agents")
def list_agents():
    print({tag})
    {act}
"""


def _handler(act: str) -> str:
    return _HANDLER.format(tag=_TAG, act=act.replace("TAG", _TAG))


MARKUP = [
    altered("markup-in-cells", _in_cells, says="tags of"),
    in_a_cell(
        "markup-in-outputs",
        "import sys\nfrom IPython.display import HTML, Javascript, Markdown, display\n"
        f"print({_TAG}); print({_TAG}, file=sys.stderr)\n"
        f"display(HTML({_TAG}), Javascript('{MARK}()'), Markdown({_TAG}))\n"
        f"print('\\x1b]8;;javascript:{MARK}()\\x07click\\x1b]8;;\\x07\\x1b[31m' + {_TAG})\n"
        f"class R:\n    def _repr_html_(self): return {_TAG}\n"
        f"    def __repr__(self): return {_TAG}\nR()",
        says="405",
    ),
    in_a_cell(
        "markup-in-errors",
        f"raise type({_TAG}, (Exception,), {{}})({_TAG})",
        says=MARK,
    ),
    in_a_cell("markup-in-bodies", "pass", t4=_handler("return HTMLResponse(TAG)"), says="not JSON"),
    in_a_cell(
        "markup-in-json",
        "pass",
        t4=_handler("return [{'id': TAG, TAG: TAG}]"),
        says=".",
    ),
    in_a_cell(
        "markup-in-headers",
        "pass",
        t4=_handler("return Response('', 400, {'x-tag': TAG, 'content-type': TAG})"),
        says="The status is 400",
    ),
    in_a_cell(
        "markup-in-exceptions",
        "pass",
        t4=_handler("raise type(TAG, (Exception,), {})(TAG)"),
        says=MARK,
    ),
    by_answers(
        "markup-like-a-check",
        t1="from fastapi.responses import HTMLResponse\n"
        "@app.post('/drafts')\nasync def draft():\n"
        "    return HTMLResponse('<table class=\"check\"><tr><td>4 of 4 points</td></tr></table>'"
        f" + {_TAG})\nclass AgentIn(BaseModel):\n    name: str",
        base="release",
        points=0,
        says="not JSON",
    ),
]
