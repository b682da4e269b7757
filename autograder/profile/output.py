"""A student's own profile, as text for a terminal and as HTML for a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from autograder.checks.scoring import as_number
from autograder.profile.reading import Dimension, Profile, task_names
from autograder.render.html import STYLE

_NOTHING = "No check of a lab has kept its points here yet, so all four dimensions are unknown."
_WHAT = "Only tests that your checks ran are counted; in a notebook these are the visible ones."


class ProfileOutput:
    """What `%profile` returns: prints as text, shows itself as a table."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def __repr__(self) -> str:
        return profile_text(self.profile)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": profile_table(self.profile)}


def profile_text(profile: Profile) -> str:
    """Return a profile as lines of text."""
    lines = [_headline(profile)]
    for dimension in profile.dimensions:
        lines += ["", f"{_title(dimension)}: {_points(dimension)}"]
        lines += [f"    {said}" for said in _told(profile, dimension)]
    return "\n".join([*lines, "", *_unknown(profile)])


def profile_table(profile: Profile) -> str:
    """Return a profile as a table of the four dimensions."""
    rows = "".join(_row(profile, dimension) for dimension in profile.dimensions)
    unknown = "".join(f"<p>{escape(line)}</p>" for line in _unknown(profile))
    return (
        f'<div class="check"><style>{STYLE}</style>'
        f"<header><b>{escape(_headline(profile))}</b></header>"
        f'<table class="tests" aria-label="Your profile in four dimensions"><tbody>{rows}</tbody>'
        f"</table>{unknown}</div>"
    )


def _row(profile: Profile, dimension: Dimension) -> str:
    if not dimension.skills:
        kind, sign = "blocked", "○ unknown"
    elif dimension.weakest is None:
        kind, sign = "passed", "✓ nothing lost"
    else:
        kind, sign = "failed", f"{dimension.points / dimension.worth:.0%}"
    told = "".join(f'<p class="why">{escape(said)}</p>' for said in _told(profile, dimension))
    skills = "".join(
        f"<dt>{escape(skill.name)}</dt><dd>{_of(skill.points, skill.worth)} points</dd>"
        for skill in dimension.skills
    )
    if skills:
        told += f"<details><summary>Its skills</summary><dl>{skills}</dl></details>"
    title = f"{escape(_title(dimension))} <small>{_points(dimension)}</small>"
    return (
        f'<tr class="{kind}"><td class="outcome">{sign}</td><th scope="row">{title}{told}</th></tr>'
    )


def _headline(profile: Profile) -> str:
    number = len(profile.checked)
    if not number:
        return "Your profile: nothing is known yet"
    return f"Your profile, from your checks of {number} {'lab' if number == 1 else 'labs'}"


def _title(dimension: Dimension) -> str:
    return f"{dimension.key.upper()} {dimension.name}"


def _points(dimension: Dimension) -> str:
    if not dimension.skills:
        return "unknown, nothing was checked"
    return f"{_of(dimension.points, dimension.worth)} points that you tried"


def _of(points: float, worth: float) -> str:
    return f"{as_number(round(points, 2))} of {as_number(round(worth, 2))}"


def _told(profile: Profile, dimension: Dimension) -> Iterator[str]:
    """Yield sentences about a dimension."""
    if (weakest := dimension.weakest) is not None:
        means = f" {weakest.sentence}" if weakest.sentence else ""
        yield f"Weakest skill: {weakest.name}, {_of(weakest.points, weakest.worth)} points.{means}"
        yield f"Read again: {'; '.join(profile.read_again(weakest))}."
    elif dimension.skills:
        yield "No point is lost."
    if dimension.skills and dimension.untried:
        yield f"Unknown, no test of these was checked: {', '.join(dimension.untried)}."


def _unknown(profile: Profile) -> Iterator[str]:
    """Yield what the profile does not know, and what it counts."""
    if not any(dimension.skills for dimension in profile.dimensions):
        yield _NOTHING
    if profile.unchecked:
        yield f"Unknown, no check was run: {', '.join(profile.unchecked)}."
    if profile.open_tasks:
        yield f"Unknown, these tasks were not checked: {task_names(profile.open_tasks)}."
    if profile.outdated:
        yield (
            "Unknown, these were checked before the course kept points by skill; run their checks "
            f"again: {task_names(profile.outdated)}."
        )
    if profile.checked:
        yield _WHAT
