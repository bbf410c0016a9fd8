from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from matplotlib import pyplot

from customer360.plots.health import health_by_month

HEALTH = pd.DataFrame(
    {
        "as_of": [date(2025, month, 1) for month in (1, 2, 3)],
        "learnt_until": date(2025, 2, 1),
        "predicted": 0.3,
        "observed": [0.3, 0.25, 0.35],
        "total_error_low": [-0.1, 0.1, -0.2],
        "total_error_high": [0.1, 0.3, -0.1],
        "roc_auc": 0.8,
        "roc_auc_low": 0.78,
        "roc_auc_high": [0.82, 0.81, float("nan")],
    }
)


@pytest.mark.filterwarnings("error")
def test_foretold_and_observed_stand_above_the_ranking():
    before = HEALTH.copy(deep=True)
    level = health_by_month(HEALTH)
    ranking = level.figure.axes[1]
    level.figure.canvas.draw()
    assert list(level.get_lines()[0].get_ydata()) == [0.3, 0.25, 0.35]
    assert list(ranking.get_lines()[0].get_ydata()) == [0.8, 0.8, 0.8]
    assert [text.get_text() for text in level.texts] == ["left alone since"]
    assert level.figure.get_size_inches()[0] == pytest.approx(7.6)
    pd.testing.assert_frame_equal(HEALTH, before)
    pyplot.close("all")
