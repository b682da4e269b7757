"""Who did what, in which order: a race or a mix-up replayed step by step."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from classroom.pictures import Picture
from classroom.pictures.picture import shorten, visible
from classroom.shown import Shown

_LIMIT = 60
_FIRST, _LAST = 16, 4
"""Of a long record so many steps are drawn from its begin and from its end."""
_STYLE = """<style>
.cs-steps { border-collapse: collapse; font-size: 13px; }
.cs-steps caption { text-align: left; font-weight: 600; padding-bottom: 4px; }
.cs-steps th, .cs-steps td { text-align: left; padding: 3px 14px 3px 8px;
  border-bottom: 1px solid #8884; color: inherit; }
.cs-steps td.cs-did { background: rgb(59 120 216 / .2); border-left: 4px solid rgb(59 120 216); }
.cs-steps td.cs-new { background: rgb(205 125 20 / .25); font-weight: 700; }
.cs-steps tbody tr { animation: cs-come .5s ease-out backwards;
  animation-delay: calc(var(--turn) * .45s); }
@keyframes cs-come { from { opacity: 0; } }
@media (prefers-reduced-motion: reduce) { .cs-steps tbody tr { animation: none; } }
</style>"""


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        who: Who did it; one column each.
        what: What they did, in a few words.
        shared: What everybody shares after the step, by name, as text.
        changed: Which of the shared values this step gave or changed.
    """

    who: str
    what: str
    shared: dict[str, str]
    changed: frozenset[str]


class Steps(Shown):
    """A record of steps, which a notebook shows as a table with a column per actor.

    Steps may be noted from any thread or task; their order is the order of the calls.

    Args:
        title: What is replayed.

    Example:
        >>> steps = Steps("Two increments")
        >>> steps.note("Ann", "reads 0", total=0)
        >>> steps.note("Bob", "reads 0", total=0)
        >>> steps.note("Ann", "writes 1", total=1)
        >>> steps.note("Bob", "writes 1", total=1)
    """

    def __init__(self, title: str = "Step by step") -> None:
        self.title = title
        self._steps: list[Step] = []
        self._lock = threading.Lock()

    def note(self, who: str, what: str, **shared: Any) -> None:
        """Write down one step.

        Args:
            who: Who does it.
            what: What they do.
            shared: Values that everybody shares, as they are now.
        """
        with self._lock:
            before = self._steps[-1].shared if self._steps else {}
            now = {name: visible(str(value)) for name, value in shared.items()}
            changed = frozenset(name for name in now if before.get(name) != now[name])
            self._steps.append(Step(visible(who), visible(what), {**before, **now}, changed))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far."""
        with self._lock:
            return tuple(self._steps)

    def clear(self) -> None:
        """Forget all steps."""
        with self._lock:
            self._steps.clear()

    def picture(self) -> Picture:
        """Draw the steps from top to bottom, a column for each actor and each shared value.

        Raises:
            ValueError: There is no step yet.
        """
        steps = self.steps
        if not steps:
            raise ValueError("There is no step yet: note some, then show them.")
        actors = list(dict.fromkeys(step.who for step in steps))
        names = list(dict.fromkeys(name for step in steps for name in step.shared))
        skipped = max(0, len(steps) - _FIRST - _LAST)
        rows = [_row(n, step, actors, names) for n, step in enumerate(steps[:_FIRST], 1)]
        if skipped:
            span = len(actors) + len(names) + 1
            rows.append(f'<td colspan="{span}">... {skipped} more steps ...</td>')
        last = steps[_FIRST + skipped :]
        rows += [
            _row(n, step, actors, names) for n, step in enumerate(last, len(steps) - len(last) + 1)
        ]
        heads = "".join(
            f'<th scope="col">{escape(shorten(name, limit=_LIMIT))}</th>'
            for name in ("step", *actors, *names)
        )
        body = "".join(f'<tr style="--turn:{turn}">{row}</tr>' for turn, row in enumerate(rows))
        return Picture(
            html=f'{_STYLE}<div class="cp"><table class="cs-steps">'
            f"<caption>{escape(visible(self.title))}</caption>"
            f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>",
            text=_in_words(visible(self.title), steps),
        )


def _row(number: int, step: Step, actors: Sequence[str], names: Sequence[str]) -> str:
    did = f'<td class="cs-did">{escape(shorten(step.what, limit=_LIMIT))}</td>'
    lanes = "".join(did if actor == step.who else "<td></td>" for actor in actors)
    values = "".join(
        f'<td class="{"cs-new" if name in step.changed else ""}">'
        f"{escape(shorten(step.shared.get(name, ''), limit=_LIMIT))}</td>"
        for name in names
    )
    return f'<th scope="row">{number}</th>{lanes}{values}'


def _in_words(title: str, steps: Sequence[Step]) -> str:
    lines = [f"{title}:"]
    for number, step in enumerate(steps, 1):
        values = ", ".join(f"{name} = {value}" for name, value in step.shared.items())
        lines.append(f"{number:>4}  {step.who}: {step.what}" + f"   [{values}]" * bool(values))
    return "\n".join(lines)
