"""Serves the start page and one's own work as a file, to who may use this JupyterLab."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jupyter_server.base.handlers import JupyterHandler
from tornado.ioloop import IOLoop
from tornado.web import authenticated

from autograder.jupyterlab.start.state import read_course
from autograder.jupyterlab.start.work import KEPT, BadArchive, Brought, bring_back, packed

PATH: Final = "course"
"""Where it is, below the server's base URL."""
WORK: Final = f"{PATH}/work"
"""Where one's work is taken away from and brought back to."""
FIRST: Final = "start"
"""What opens the start page in JupyterLab."""
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class _OfTheCourse(JupyterHandler):
    """Knows where the course is, and shows the start page."""

    @property
    def root(self) -> Path:
        """Return the folder that JupyterLab serves."""
        return Path(str(self.settings["serverapp"].root_dir))

    async def show(self, told: str = "") -> None:
        """Answer with the page as the course is now.

        Args:
            told: What has just been done, in a sentence.
        """
        # Some forty files are read: not on the loop that every kernel's messages pass.
        course = await IOLoop.current().run_in_executor(None, read_course, self.root)
        self.set_header("Cache-Control", "no-store")
        page = _TEMPLATES.get_template("page.html")
        self.write(
            page.render(
                course=course, told=told, base_url=self.base_url, xsrf=self.xsrf_token.decode()
            )
        )


class StartPage(_OfTheCourse):
    """Shows the course as it is now: nothing is remembered but what lies beside the notebooks."""

    @authenticated
    async def get(self) -> None:
        """Answer with the page."""
        await self.show()


class Work(_OfTheCourse):
    """One's own notebooks as one file, to take away and to bring back."""

    @authenticated
    async def get(self) -> None:
        """Answer with the archive."""
        archive = await IOLoop.current().run_in_executor(None, packed, self.root)
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", 'attachment; filename="fastapi-course-work.zip"')
        self.set_header("Cache-Control", "no-store")
        self.finish(archive)

    @authenticated
    async def post(self) -> None:
        """Bring an archive back, and show the page with what that has changed."""
        files = self.request.files.get("archive", [])
        archive = files[0]["body"] if files else b""
        moment = datetime.now().astimezone().strftime("%Y-%m-%d-%H-%M-%S")
        try:
            work = partial(bring_back, archive, self.root, moment=moment)
            brought = await IOLoop.current().run_in_executor(None, work)
        except (BadArchive, OSError) as error:
            self.set_status(HTTPStatus.BAD_REQUEST)
            await self.show(str(error))
        else:
            await self.show(_said(brought, moment))


def _said(brought: Brought, moment: str) -> str:
    changed = len(brought.new) + len(brought.replaced)
    if not changed:
        return "Everything in this file is here already. Nothing was changed."
    kept = f" What they replaced is kept in {KEPT}/{moment}/." if brought.replaced else ""
    files = "1 file was" if changed == 1 else f"{changed} files were"
    return f"{files} brought back.{kept} Close and open notebooks that are open."


class Start(JupyterHandler):
    """Opens JupyterLab with the start page in a tab; the plug-in in `labextension/` does it."""

    @authenticated
    async def get(self) -> None:
        """Answer with a redirect."""
        self.redirect(f"{self.base_url}lab?start")
