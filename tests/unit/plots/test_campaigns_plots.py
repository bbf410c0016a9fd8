"""Figures of 09 draw from tiny frames, and show what the frames say."""

from __future__ import annotations

import matplotlib
import pandas as pd
import pytest
from matplotlib import pyplot

from customer360.plots import campaigns


@pytest.fixture(autouse=True)
def drawn():
    matplotlib.use("agg")
    campaigns.use_style()
    yield
    pyplot.close("all")
    pyplot.rcdefaults()


@pytest.mark.filterwarnings("error")
def test_messages_are_stacked_by_channel():
    decisions = pd.DataFrame({"slot": [1, 1, 1, 2], "channel": ["sms", "email", "email", "email"]})
    ax = campaigns.plan_by_week(decisions)
    ax.figure.canvas.draw()
    tops = {round(bar.get_y() + bar.get_height()) for bar in ax.patches}
    assert tops == {2, 3, 1} and ax.get_title("left")
    assert ax.get_legend_handles_labels()[1] == ["email", "sms"]


@pytest.mark.filterwarnings("error")
def test_policies_stand_in_the_order_of_what_they_add():
    margins = pd.Series({"plan": 9.0, "everyone, no offer": -2.0, "top propensity, gift": 4.0})
    ax = campaigns.against_plain_policies(margins, currency="EUR")
    ax.figure.canvas.draw()
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["everyone, no offer", "top propensity, gift", "plan"]
    assert [bar.get_width() for bar in ax.patches] == [-2.0, 4.0, 9.0]
