"""What a cell shows beside text: pictures and HTML, bounded, of the few kinds that can be shown.

Both sides use it: the child to send no more than is looked at, the trusted side because what
comes from there may be forged. HTML is made harmless where it is shown
(`autograder.grading.harmless`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

PICTURES: Final = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
"""Kinds of pictures, and how their bytes begin. SVG may hold scripts, so it is none of them."""
HTML: Final = "text/html"
PLAIN: Final = "text/plain"
MOST: Final = 20
"""Things that one cell may show."""
MAX_CELL: Final = 800_000
"""Characters of all that one cell shows."""
MAX_SUBMISSION: Final = 3_000_000
"""Characters of all that one process of a submission shows."""

Shown = dict[str, str]


def kept(data: Mapping[str, Any]) -> Shown:
    """Return what is kept of a bundle of forms by their kind; empty without a rich form."""
    rich: Shown = {}
    for kind in (*PICTURES, HTML):
        value = data.get(kind)
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode()
        if isinstance(value, str) and value:
            rich[kind] = value
    if rich and isinstance(data.get(PLAIN), str):
        rich[PLAIN] = data[PLAIN]
    return rich


def within(shown: list[Shown], most: int = MAX_CELL) -> list[Shown]:
    """Return the first of what is shown, as far as it fits."""
    found = []
    for one in shown[:MOST]:
        most -= sum(map(len, one.values()))
        if most < 0:
            break
        found.append(one)
    return found


def sound(shown: Shown) -> Shown:
    """Return what is what it says to be, of something that came from a submission."""
    found = {kind: value for kind, value in shown.items() if kind in (HTML, PLAIN)}
    for kind, beginning in PICTURES.items():
        try:
            picture = base64.b64decode(shown.get(kind, "").replace("\n", ""), validate=True)
        except (binascii.Error, ValueError):
            continue
        if picture.startswith(beginning):
            found[kind] = base64.b64encode(picture).decode()
    return found if found.keys() - {PLAIN} else {}


def size(shown: list[Shown]) -> int:
    """Return the characters of what is shown."""
    return sum(len(value) for one in shown for value in one.values())
