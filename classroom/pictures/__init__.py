"""Pictures for lessons, drawn from what really happened.

Every function takes something real (bytes that were received, a response, a recorded trace, a
figure) and returns a `Picture`: HTML that reads well on light and dark pages and without colour,
and the same content as plain text.
"""

from classroom.pictures.journey import Journey, trace
from classroom.pictures.lights import show_bytes
from classroom.pictures.picture import Picture
from classroom.pictures.plot import show_plot
from classroom.pictures.red_ink import show_form
from classroom.pictures.sequence import show_journey

__all__ = [
    "Journey",
    "Picture",
    "show_bytes",
    "show_form",
    "show_journey",
    "show_plot",
    "trace",
]
