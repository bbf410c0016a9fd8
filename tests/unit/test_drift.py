from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.drift import drift_by_month, population_stability


def _one(then, now, **options):
    return population_stability(pd.DataFrame({"x": then}), pd.DataFrame({"x": now}), **options)["x"]


def test_stability_tells_which_column_moved():
    rng = np.random.default_rng(2)
    before = pd.DataFrame({"same": rng.normal(size=3000), "moved": rng.normal(size=3000)})
    now = pd.DataFrame({"same": rng.normal(size=3000), "moved": rng.normal(1.0, size=3000)})
    found = population_stability(before, now)
    assert found.index[0] == "moved" and found["moved"] > 0.25
    assert found["same"] < 0.02


def test_a_hand_case():
    """Halves that become a quarter and three quarters: 0.25 ln 3."""
    expected = 0.25 * np.log(0.75 / 0.5) - 0.25 * np.log(0.25 / 0.5)
    numbers = _one([0.0] * 1000 + [1.0] * 1000, [0.0] * 500 + [1.0] * 1500, bins=2)
    texts = _one(["a"] * 1000 + ["b"] * 1000, ["a"] * 500 + ["b"] * 1500)
    assert numbers == pytest.approx(expected, rel=0.01)
    assert texts == pytest.approx(expected, rel=0.01)


def test_values_that_go_missing_are_a_move():
    full, holes = [0.0, 1.0] * 500, [0.0, np.nan] * 500
    assert _one(full, holes) > 0.25
    assert _one(holes, holes) == _one([np.nan] * 9, [np.nan] * 9) == 0.0


def test_nobody_has_not_moved():
    assert _one([1.0, 2.0], []) == _one([], [1.0]) == 0.0


def test_drift_is_told_month_by_month():
    before = pd.DataFrame({"x": [0.0, 1.0] * 200, "same": ["a", "b"] * 200})
    later = pd.concat([before, before.assign(x=1.0)], ignore_index=True)
    day = pd.Series(pd.to_datetime(["2025-01-31", "2025-02-28"])).repeat(400)
    found = drift_by_month(before, later, day=day.set_axis(later.index))
    assert list(found.columns) == ["as_of", "feature", "stability_index"]
    assert found.set_index(["as_of", "feature"])["stability_index"].gt(0.25).to_dict() == {
        (date(2025, 1, 31), "x"): False,
        (date(2025, 1, 31), "same"): False,
        (date(2025, 2, 28), "x"): True,
        (date(2025, 2, 28), "same"): False,
    }
    assert drift_by_month(before, later.head(0), day=day.head(0)).empty
