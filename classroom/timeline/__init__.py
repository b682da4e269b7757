"""Time made visible: who waited for whom, which thread worked, whether the loop was free.

`watch(app, requests)` fires requests and draws what happened; `gantt` draws any list of bars;
`Steps` replays who did what in which order.
"""

from classroom.timeline.asks import Ask
from classroom.timeline.calls import Call, recorded_calls
from classroom.timeline.gantt import Bar, gantt
from classroom.timeline.sound import heard
from classroom.timeline.steps import Steps
from classroom.timeline.timeline import Row, Timeline
from classroom.timeline.watch import watch

__all__ = [
    "Ask",
    "Bar",
    "Call",
    "Row",
    "Steps",
    "Timeline",
    "gantt",
    "heard",
    "recorded_calls",
    "watch",
]
