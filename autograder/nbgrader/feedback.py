"""The feedback page: what was lost and why comes first, and no other host is asked for anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

_TEMPLATES = Path(__file__).with_name("templates")


class FeedbackPage(HTMLExporter):
    """Renders an autograded notebook by the course's own template.

    The template is set here and not in nbgrader_config.py: nbgrader's API and formgrader set
    another one for every page that they make.
    """

    def __init__(self, config: Config | None = None, **told: Any) -> None:
        own = Config({"FeedbackPage": {"template_name": "course_feedback"}})
        own.FeedbackPage.extra_template_basedirs = [str(_TEMPLATES)]
        own.merge(config or Config())
        super().__init__(config=own, **told)  # type: ignore[no-untyped-call]
