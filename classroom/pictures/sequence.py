"""A recorded journey as a sequence diagram."""

from __future__ import annotations

from html import escape

from classroom.pictures.journey import Journey, Step
from classroom.pictures.picture import Picture, visible

_SERVER, _APP, _WIDTH = 130, 560, 760
_TOP, _ROW = 56, 46
_ARROWS = {"in": "-->", "out": "<--", "note": " * "}


def show_journey(journey: Journey) -> Picture:
    """Draw the latest request of a journey: who said what to whom, from top to bottom.

    Args:
        journey: What `trace(app)` returned, after the app has answered a request.

    Raises:
        ValueError: When no request has passed yet.
    """
    steps = tuple(journey.steps)
    if not steps:
        raise ValueError("No request has passed through this journey yet: send one, then draw.")
    words = [
        f"  {step.at:7.1f} ms  server {_ARROWS[step.kind]} app  {_said(step)}" for step in steps
    ]
    height = _TOP + _ROW * len(steps) + 12
    rows = "".join(_row(step, _TOP + _ROW * (turn + 1) - 14) for turn, step in enumerate(steps))
    label = escape(
        "; ".join(f"{_ARROWS[step.kind].strip()} {_said(step)}" for step in steps), quote=True
    )
    return Picture(
        html=f'<div class="cp cp-journey"><svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'role="img" aria-label="From top to bottom: {label}" fill="currentColor" '
        'font-family="system-ui, DejaVu Sans, sans-serif" font-size="13">'
        f"{_lane('server', 'uvicorn', _SERVER, height)}{_lane('app', 'FastAPI', _APP, height)}"
        f"{rows}</svg></div>",
        text="\n".join(["The latest request, from top to bottom:", *words]),
    )


def _said(step: Step) -> str:
    return visible(f"{step.name}: {step.detail}" if step.detail else step.name)


def _lane(name: str, product: str, x: int, height: int) -> str:
    return (
        f'<text x="{x}" y="20" text-anchor="middle" font-weight="600">{name}</text>'
        f'<text x="{x}" y="37" text-anchor="middle" font-size="11.5" opacity=".75">{product}</text>'
        f'<line x1="{x}" y1="46" x2="{x}" y2="{height - 4}" stroke="currentColor" '
        'stroke-opacity=".45" stroke-width="1.5"/>'
    )


def _row(step: Step, y: int) -> str:
    clock = (
        f'<text x="8" y="{y + 4}" font-size="11" opacity=".7" '
        f'font-family="ui-monospace, DejaVu Sans Mono, monospace">{step.at:.1f} ms</text>'
    )
    said = f"<tspan font-weight='600'>{escape(visible(step.name))}</tspan>"
    if step.detail:
        said += f"<tspan opacity='.85'>  {escape(visible(step.detail))}</tspan>"
    if step.kind == "note":
        return clock + _note(said, y)
    colour = "rgb(59 120 216)" if step.kind == "in" else "rgb(20 150 110)"
    start, head, back = (_SERVER, _APP, -9) if step.kind == "in" else (_APP, _SERVER, 9)
    return (
        f'{clock}<text x="{(_SERVER + _APP) // 2}" y="{y - 7}" text-anchor="middle">{said}</text>'
        f'<line x1="{start}" y1="{y}" x2="{head + back}" y2="{y}" stroke="{colour}" '
        'stroke-width="2"/>'
        f'<path d="M {head} {y} l {back} -5 v 10 z" fill="{colour}"/>'
    )


def _note(said: str, y: int) -> str:
    return (
        f'<rect x="{_APP - 8}" y="{y - 15}" width="16" height="26" rx="3" '
        'fill="rgb(205 125 20)"/>'
        f'<text x="{_APP + 18}" y="{y + 3}">{said}</text>'
    )
