"""Drawings taken apart."""

import re
from xml.etree import ElementTree as ET

import pytest


class Drawing:
    """The SVG of a picture, parsed."""

    def __init__(self, picture):
        self.html = picture.html
        self.svg = ET.fromstring(re.search(r"<svg.*</svg>", picture.html, re.DOTALL)[0])  # noqa: S314 - our own

    @property
    def label(self):
        return self.svg.get("aria-label")

    @property
    def words(self):
        return [element.text for element in self.svg.iter("text")]

    def path(self, name):
        return next(e.get("d") for e in self.svg.iter("path") if e.get("class") == name)

    @property
    def rows(self):
        """Each row's tip and its bars as (begin, end) in pixels."""
        found = []
        for group in self.svg.iter("g"):
            spans = [
                (float(r.get("x")), round(float(r.get("x")) + float(r.get("width")), 1))
                for r in group.iter("rect")
            ]
            found.append((group.find("title").text, spans))
        return found


@pytest.fixture
def drawing():
    """Parse the drawing of something that draws."""
    return lambda shown: Drawing(shown if hasattr(shown, "html") else shown.picture())
