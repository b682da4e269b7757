"""The report's drawings: SVG that stands inside a page, reads without a script and prints."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autograder.report.evidence import LabEvidence
from autograder.report.statistics import WEAK, SkillFigures

_INK, _SOFT, _BAR, _WEAK = "#1f2328", "#57606a", "#3f6fb0", "#b42318"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it is searched, read aloud and printed sharp
    "svg.hashsalt": "report",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _INK,
    "xtick.color": _SOFT,
    "ytick.color": _INK,
}


@contextmanager
def _drawing(width: float, height: float) -> Iterator[tuple[Axes, list[str]]]:
    """Give axes to draw on, and a list that holds the SVG afterwards."""
    made: list[str] = []
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        yield axes, made
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    made.append(text[text.index("<svg") :])


def distribution(lab: LabEvidence) -> str:
    """Draw how many students have how many points in a lab."""
    edges = np.linspace(0, lab.max_score or 1, 11)
    scores = [min(mark.score, lab.max_score) for mark in lab.marks.values()]
    with _drawing(4.6, 1.9) as (axes, made):
        counts, _ = np.histogram(scores, bins=edges)
        bars = axes.bar(
            edges[:-1], counts, np.diff(edges), align="edge", color=_BAR, edgecolor="white"
        )
        axes.bar_label(bars, [f"{count}" if count else "" for count in counts], fontsize=8)
        axes.set_xlabel(f"points of {lab.max_score:g}")
        axes.set_ylabel("students")
        axes.set_yticks([])
        axes.set_xticks(edges[::2])
    return made[0]


def skills(figures: Sequence[SkillFigures]) -> str:
    """Draw the share that the class has earned of each skill, weakest on top."""
    shown = list(reversed(figures))
    with _drawing(6.4, 0.6 + 0.24 * len(shown)) as (axes, made):
        bars = axes.barh(
            [one.name for one in shown],
            [100 * one.share for one in shown],
            color=[_WEAK if one.weak else _BAR for one in shown],
            height=0.7,
        )
        axes.bar_label(bars, [f"{one.share:.0%}" for one in shown], padding=3, fontsize=8)
        axes.axvline(100 * WEAK, color=_SOFT, linewidth=0.8, linestyle=":")
        axes.set_xlim(0, 108)
        axes.set_xlabel("% of the points on its tests; dotted: teach again below this line")
        axes.margins(y=0.01)
    return made[0]


def growth(labs: Sequence[LabEvidence]) -> str:
    """Draw the class's marks from lab to lab: the median, and the middle half."""
    low, middle, high = np.array(
        [np.percentile(lab.shares, [25, 50, 75]) * 100 for lab in labs]
    ).T.tolist()
    places = list(range(len(labs)))
    with _drawing(6.4, 2.2) as (axes, made):
        axes.fill_between(places, low, high, color=_BAR, alpha=0.2, label="middle half")
        axes.plot(places, middle, color=_BAR, marker="o", markersize=4, label="median")
        axes.set_xticks(places, [lab.name.split("-")[0] for lab in labs])
        axes.set_ylim(0, 105)
        axes.set_ylabel("% of the points")
        axes.legend(frameon=False, loc="lower right", fontsize=8)
    return made[0]
