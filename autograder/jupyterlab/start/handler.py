"""Serves the start page at `/course`, to who may use this JupyterLab."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jupyter_server.base.handlers import JupyterHandler
from tornado.ioloop import IOLoop
from tornado.web import authenticated

from autograder.jupyterlab.start.state import read_course

PATH: Final = "course"
"""Where it is, below the server's base URL."""
FIRST: Final = "start"
"""What opens it in JupyterLab."""
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class StartPage(JupyterHandler):
    """Shows the course as it is now: nothing is remembered but what lies beside the notebooks."""

    @authenticated
    async def get(self) -> None:
        """Answer with the page."""
        root = Path(str(self.settings["serverapp"].root_dir))
        # Some forty files are read: not on the loop that every kernel's messages pass.
        course = await IOLoop.current().run_in_executor(None, read_course, root)
        self.set_header("Cache-Control", "no-store")
        self.write(
            _TEMPLATES.get_template("page.html").render(course=course, base_url=self.base_url)
        )


class Start(JupyterHandler):
    """Opens JupyterLab with the start page in a tab; the plug-in in `labextension/` does it."""

    @authenticated
    async def get(self) -> None:
        """Answer with a redirect."""
        self.redirect(f"{self.base_url}lab?start")
