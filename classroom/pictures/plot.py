"""A matplotlib figure that reads on any page and has a text."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from classroom.pictures.picture import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def show_plot(figure: Figure, text: str) -> Picture:
    """Turn a finished figure into a picture and close it, so that it is not shown twice.

    Args:
        figure: The figure; it is drawn on white, which the style sheet turns round on dark pages.
        text: What the plot shows, in a sentence, for a reader who cannot see it.

    Raises:
        ValueError: When the text is empty.
    """
    if not text.strip():
        raise ValueError("A plot needs its text: say in a sentence what it shows.")
    from matplotlib import pyplot as plt  # noqa: PLC0415  (a third of a second, for plots only)

    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=160, facecolor="white", bbox_inches="tight")
    width = round(figure.get_figwidth() * 96)
    plt.close(figure)
    data = b64encode(buffer.getvalue()).decode("ascii")
    alt = escape(text, quote=True)
    return Picture(
        html=f'<div class="cp cp-plot"><img alt="{alt}" width="{width}" '
        f'src="data:image/png;base64,{data}"></div>',
        text=text,
    )
