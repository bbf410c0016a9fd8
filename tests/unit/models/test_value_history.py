from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.models.btyd import BtydModel, GammaGammaModel
from customer360.models.value_history import (
    PARTS,
    experience_effect,
    month_ends,
    retention_list,
    value_history,
)

BTYD = BtydModel(
    name="mbg_nbd",
    params={"r": 0.6, "alpha": 8.0, "a": 0.8, "b": 2.5},
    time_unit_days=7.0,
    penalizer=0.0,
    log_likelihood=0.0,
    n_customers=3,
    n_histories=3,
)
MARGIN = GammaGammaModel(
    p=3.0, q=4.0, v=20.0, population_mean=20.0, log_likelihood=0.0, n_customers=3,
    n_not_positive=0, frequency_value_correlation=0.0,
)  # fmt: skip
ENDS = (date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31))


def states() -> pd.DataFrame:
    columns = ["customer_id", "as_of", "frequency", "recency_days", "T_days", "monetary_value"]
    rows = [
        ("silent", ENDS[0], 3, 60.0, 90.0, 30.0, 0.0, 1.0),
        ("silent", ENDS[1], 3, 60.0, 118.0, 30.0, 0.0, 1.0),
        ("silent", ENDS[2], 3, 60.0, 149.0, 30.0, 0.0, 1.0),
        ("hurt", ENDS[0], 6, 200.0, 210.0, 15.0, 0.0, 2.0),
        ("hurt", ENDS[1], 7, 230.0, 238.0, 16.0, 1.5, 6.0),
        ("hurt", ENDS[2], 7, 230.0, 269.0, 16.0, 1.5 * np.exp(-31 / 180), 6.0),
        ("new", ENDS[2], 0, 0.0, 10.0, 0.0, 0.0, 0.0),
    ]
    return pd.DataFrame(rows, columns=[*columns, "claims", "cost"])


@pytest.fixture
def history() -> pd.DataFrame:
    return value_history(
        states(),
        btyd=BTYD,
        gamma_gamma=MARGIN,
        effect=0.3,
        horizon_days=365,
        annual_discount_rate=0.1,
    )


def row(history, customer, day):
    found = history[(history["customer_id"] == customer) & (history["as_of"] == day)]
    return found.iloc[0]


def test_parts_sum_to_the_move_and_moves_to_the_value(history):
    parts = history[[f"part_{name}" for name in PARTS]].sum(axis=1)
    np.testing.assert_allclose(parts, history["move"], atol=1e-9, rtol=0)
    steps = history.groupby("customer_id")["value"].diff().dropna()
    np.testing.assert_allclose(history.loc[steps.index, "move"], steps, atol=1e-9, rtol=0)


def test_a_silent_month_moves_recency_only(history):
    silent = row(history, "silent", ENDS[1])
    assert silent["part_recency"] < 0
    assert silent["part_purchases"] == 0 and silent["part_experience"] == 0


def test_purchases_raise_and_claims_lower(history):
    hurt = row(history, "hurt", ENDS[1])
    assert hurt["part_purchases"] > 0 > hurt["part_experience"]


def test_old_claims_fade_with_the_time_that_passes(history):
    assert row(history, "hurt", ENDS[2])["part_experience"] == pytest.approx(0.0, abs=1e-9)
    never_hurt = value_history(
        states().assign(claims=0.0),
        btyd=BTYD,
        gamma_gamma=MARGIN,
        effect=0.3,
        horizon_days=365,
        annual_discount_rate=0.1,
    )
    forgetting = row(history, "hurt", ENDS[2])["part_recency"]
    assert forgetting > row(never_hurt, "hurt", ENDS[2])["part_recency"]


def test_a_newcomer_arrives_with_its_value(history):
    new = row(history, "new", ENDS[2])
    assert new["part_arrival"] == new["move"] == new["value"]


def test_the_effect_of_claims_is_recovered():
    rng = np.random.default_rng(1)
    mu, claims = rng.gamma(2.0, 2.0, 20_000), rng.exponential(1.0, 20_000)
    actual = rng.poisson(mu * np.exp(-0.4 * claims))
    assert experience_effect(actual, mu, claims) == pytest.approx(0.4, abs=0.03)
    assert experience_effect(actual, mu, np.zeros(20_000)) == 0.0


def test_the_list_holds_those_who_fall_and_may_leave(history):
    churn = pd.DataFrame(
        {
            "customer_id": ["silent", "hurt", "new"],
            "churn_probability": [0.8, np.nan, 0.9],
            "palive": [0.5, 0.9, 0.9],
        }
    )
    listed = retention_list(history, churn, months=2)
    assert listed["customer_id"].to_list() == ["silent"]
    assert listed["reason"].to_list() == ["recency"]
    one = listed.iloc[0]
    # What somebody who is probably gone has lost counts less: it cannot be undone.
    assert one["priority"] == pytest.approx(one["value_at_stake"] * one["fall"] * 0.8 * 0.5)


def test_month_ends_close_with_the_day_itself():
    ends = month_ends(first=date(2025, 1, 10), as_of=date(2025, 3, 15))
    assert ends == (date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 15))
