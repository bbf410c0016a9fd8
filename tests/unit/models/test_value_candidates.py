from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.models.btyd import Honeymoon
from customer360.models.value_candidates import (
    CANDIDATES,
    NUMBERS,
    ValueTrees,
    fit_value_trees,
    value_origins,
    value_rows,
)
from customer360.periods import Calendar


def customers(*, n: int = 800, seed: int = 4) -> pd.DataFrame:
    """Rows of `value_rows`: who bought in spring brings twice what the model tells."""
    rng = np.random.default_rng(seed)
    told = rng.gamma(2.0, 50.0, n)
    spring = rng.random(n) < 0.5
    luck = rng.gamma(5.0, 0.2, n)
    numbers = dict.fromkeys(NUMBERS, 1.0)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:04d}" for i in range(n)],
            **numbers,
            "season_ahead_share": spring.astype(float),
            "main_category": np.where(spring, "garden", "books"),
            "main_channel": None,
            "expected_margin": 20.0,
            "palive": 0.8,
            "value_told": told,
            "pace_factor": 1.0,
            "earned": told * np.where(spring, 2.0, 0.5) * luck * (rng.random(n) < 0.8),
        }
    )


@pytest.fixture(scope="module")
def trees() -> ValueTrees:
    return fit_value_trees(customers(seed=4), seed=1)


def test_days_of_learning_lie_before_those_of_choosing_and_judging():
    calendar = Calendar(
        first_day=date(2023, 1, 1), calibration_end=date(2024, 12, 31), as_of=date(2025, 12, 31)
    )
    told = value_origins(calendar)
    assert told == {
        "learn": (date(2023, 9, 2), 243),
        "choose": (date(2024, 5, 2), 243),
        "relearn": (date(2024, 1, 1), 365),
        "judge": (date(2024, 12, 31), 365),
        "latest": (date(2025, 12, 31), 365),
    }


def test_trees_find_who_brings_more_and_keep_the_total(trees):
    other = customers(seed=5)
    factors = trees.predict(other)
    assert list(factors) == list(CANDIDATES)
    assert factors.index.tolist() == other["customer_id"].tolist()
    assert (factors["btyd"] == 1).all()
    spring = (other["season_ahead_share"] == 1).to_numpy()
    value = factors.mul(other["value_told"].to_numpy(), axis=0)
    for name in CANDIDATES[1:]:
        # Four to one in truth; a blend of four with one that does not know, less.
        assert factors.loc[spring, name].mean() > 1.8 * factors.loc[~spring, name].mean(), name
        assert value[name].sum() == pytest.approx(other["value_told"].sum(), rel=1e-3), name
    plain = np.mean([factors[name] for name in CANDIDATES[:-1]], axis=0)
    np.testing.assert_allclose(factors["blend"], plain)


def test_what_came_later_is_not_looked_at_and_json_brings_the_trees_back(trees):
    other = customers(seed=5)
    again = ValueTrees.from_json(trees.to_json())
    blind = other.assign(earned=np.nan, main_channel="never seen")
    pd.testing.assert_frame_equal(trees.predict(other), again.predict(blind))


def test_too_few_customers_teach_nothing():
    few = customers(n=60)
    assert (fit_value_trees(few, seed=1).predict(few) == 1).all().all()
    nobody = customers().assign(earned=0.0)
    assert (fit_value_trees(nobody, seed=1).predict(few) == 1).all().all()
    none = few.head(0)
    assert fit_value_trees(none, seed=1).predict(none).empty


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    gaps = rng.exponential(rng.gamma(2.0, 20.0, 80), (20, 80)).round().clip(1)
    offset = np.cumsum(gaps, axis=0)
    at, row = np.nonzero(offset < 365)
    table = pd.DataFrame({"customer_id": [f"c{i:02d}" for i in row], "offset": offset[at, row]})
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(table["offset"], unit="D")
    margin = rng.gamma(4.0, 5.0, len(table))
    table = table.assign(day=day, orders=1, net_amount=3 * margin, margin=margin)
    return table.drop(columns="offset").sort_values(["customer_id", "day"], ignore_index=True)


def features_of(days: pd.DataFrame, as_of: date) -> pd.DataFrame:
    known = sorted(days.loc[days["day"] <= pd.Timestamp(as_of), "customer_id"].unique())
    return pd.DataFrame({"customer_id": known, **dict.fromkeys(NUMBERS, 1.0)}).assign(
        main_category="books", main_channel="web"
    )


def test_rows_hold_the_value_told_and_what_came(days):
    day = date(2024, 8, 31)
    asked = {"window_days": 60, "model": "bg_nbd", "clock": Honeymoon(), "seed": 1}
    rows = value_rows(days, features_of(days, day), as_of=day, **asked)
    later = days[(days["day"] > "2024-08-31") & (days["day"] <= "2024-10-30")]
    known = later[later["customer_id"].isin(rows["customer_id"])]
    assert rows["earned"].sum() == pytest.approx(known["margin"].sum())
    assert rows["customer_id"].is_monotonic_increasing and rows["customer_id"].is_unique
    # Told without the later days: they may be missing altogether.
    early = days[days["day"] <= pd.Timestamp(day)]
    blind = value_rows(early, features_of(days, day), as_of=day, **asked)
    pd.testing.assert_frame_equal(rows.drop(columns="earned"), blind.drop(columns="earned"))
    assert (blind["earned"] == 0).all()
    assert (rows["pace_factor"] == 1).all()
    paced = value_rows(days, features_of(days, day), as_of=day, pace_window_days=60, **asked)
    factor = paced["pace_factor"]
    assert factor.nunique() > 10
    np.testing.assert_allclose(paced["value_told"], rows["value_told"] * factor)


def test_a_history_that_carries_no_model_gives_no_rows(days):
    first = days.groupby("customer_id").head(1)
    day = date(2024, 8, 31)
    asked = {"window_days": 60, "model": "bg_nbd", "clock": Honeymoon(), "seed": 1}
    rows = value_rows(first, features_of(first, day), as_of=day, **asked)
    assert rows.empty and {"value_told", "earned", "pace_factor"} <= set(rows)
    assert fit_value_trees(rows, seed=1).predict(rows).empty
