"""Figures of 08 draw from tiny frames, and show what the frames say."""

from __future__ import annotations

import matplotlib
import pandas as pd
import pytest
from matplotlib import pyplot

from customer360.plots import response


@pytest.fixture(autouse=True)
def drawn():
    matplotlib.use("agg")
    response.use_style()
    yield
    pyplot.close("all")
    pyplot.rcdefaults()


def test_gained_orders_are_shown_per_thousand():
    curve = pd.DataFrame({"contacted": [0.0, 0.5, 1.0], "gain": [0.0, 0.03, 0.02]})
    ax = response.gained_orders({"uplift": curve})
    assert max(ax.lines[0].get_ydata()) == pytest.approx(30)
    assert list(ax.lines[-1].get_ydata()) == [0, pytest.approx(20)]


def test_shares_of_a_channel_fill_its_bar():
    shares = pd.DataFrame({"persuadable": [0.3, 0.1], "lost_cause": [0.7, 0.9]}, index=["a", "b"])
    ax = response.quadrant_shares(shares)
    assert sum(patch.get_width() for patch in ax.patches) == pytest.approx(2)
