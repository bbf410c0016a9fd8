from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.models.value_interval import ValueInterval, fit_interval, with_value_interval


def test_ends_are_read_from_errors_made():
    told = pd.Series(np.full(11, 10.0))
    earned = pd.Series(np.arange(11.0))
    found = fit_interval(told, earned, groups=1)
    assert found == ValueInterval(low=(0.1,), high=(0.9,))
    ends = found.predict(pd.Series([100.0, 50.0], index=["a", "b"]))
    assert ends.loc["a"].tolist() == pytest.approx([10.0, 90.0])
    assert ends.loc["b"].tolist() == pytest.approx([5.0, 45.0])


def test_where_many_bring_nothing_the_upper_tail_is_all_that_is_left_out():
    told = pd.Series(np.full(101, 10.0))
    earned = pd.Series([0.0] * 50 + list(np.arange(51.0)))
    found = fit_interval(told, earned, groups=1)
    assert found.low == (0.0,)
    assert found.high == (3.0,)
    assert earned.between(0, 30).mean() == pytest.approx(0.8, abs=0.01)


def test_each_group_has_its_own_ends_and_others_are_covered():
    rng = np.random.default_rng(1)
    told = pd.Series(rng.gamma(1.0, 100.0, 4000))
    spread = np.where(told > told.median(), 0.2, 1.0)
    earned = told * np.exp(spread * rng.standard_normal(4000))
    half = np.arange(4000) < 2000
    found = fit_interval(told[half], earned[half])
    ends = found.predict(told[~half])
    inside = earned[~half].between(ends["low"], ends["high"])
    assert inside.mean() == pytest.approx(0.8, abs=0.03)
    assert found.high[0] > 2 * found.high[-1]


def test_the_cost_shifts_both_ends():
    values = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "clv": [90.0, 40.0],
            "cost_to_serve": [10.0, np.nan],
            "clv_low": 0.0,
            "clv_high": 0.0,
        }
    )
    told = with_value_interval(values, ValueInterval(low=(0.5,), high=(2.0,)))
    assert told["clv_low"].tolist() == [40.0, 20.0]
    assert told["clv_high"].tolist() == [190.0, 80.0]
    assert values["clv_high"].tolist() == [0.0, 0.0]


def test_without_errors_anything_may_come():
    none = pd.Series([], dtype=float)
    ends = fit_interval(none, none).predict(pd.Series([5.0, 6.0]))
    assert ends["low"].tolist() == [0.0, 0.0]
    assert np.isinf(ends["high"]).all()
