from __future__ import annotations

import pandas as pd

from customer360.plots.next_best_action import replayed, said_first


def test_the_most_frequent_stands_on_top():
    ax = said_first(pd.Series({"serve": 0.7, "percent_10": 0.3}))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["percent 10", "serve"]
    assert [round(bar.get_width(), 1) for bar in ax.patches] == [0.3, 0.7]


def test_intervals_stand_where_they_are():
    found = pd.DataFrame(
        {"name": ["web, a", "web, b"], "gain": [0.1, -0.2], "gain_low": [-0.1, -0.4],
         "gain_high": [0.4, 0.1]}
    )  # fmt: skip
    ax = replayed(found, currency="EUR")
    (bars,) = ax.collections
    ends = sorted(tuple(round(x, 6) for x in line[:, 0]) for line in bars.get_segments())
    assert ends == [(-0.4, 0.1), (-0.1, 0.4)]
    assert "held" not in ax.get_title() and ax.get_xlabel()
