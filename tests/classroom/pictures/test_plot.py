"""Plots with a text."""

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from classroom.pictures import show_plot

mpl.use("Agg")


def _figure():
    figure, axes = plt.subplots()
    axes.barh(["a"], [1])
    return figure


def test_a_plot_becomes_an_image_with_its_text():
    """The image stands alone and carries its text as alternative, escaped."""
    picture = show_plot(_figure(), 'one "bar" & more')
    assert 'src="data:image/png;base64,' in picture.html
    assert 'alt="one &quot;bar&quot; &amp; more"' in picture.html
    assert picture.text == 'one "bar" & more'


def test_the_figure_is_closed():
    """The notebook does not show the figure a second time."""
    figure = _figure()
    show_plot(figure, "one bar")
    assert not plt.fignum_exists(figure.number)


def test_a_plot_without_a_text_is_refused():
    """A picture must have words."""
    with pytest.raises(ValueError, match="needs its text"):
        show_plot(Figure(), "  ")
