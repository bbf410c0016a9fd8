"""From spend to margin."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from customer360.measurement.returns import channel_returns, pressure_effects, response_curves


def _results(effects, errors, contacted, cost=0.5):
    effects, errors = np.array(effects, float), np.array(errors, float)
    return pd.DataFrame(
        {"campaign_id": [f"K{i}" for i in range(len(effects))], "channel": "email",
         "tested": True, "contacted": contacted, "cost": np.array(contacted) * cost,
         "effect": effects, "low": effects - 1.959964 * errors,
         "high": effects + 1.959964 * errors}
    )  # fmt: skip


def test_campaigns_weigh_by_contacts_and_untested_ones_say_nothing():
    results = _results([1.0, 3.0], [0.1, 0.3], [300, 100])
    untested = _results([9.0], [0.1], [900]).assign(tested=False)
    found = channel_returns(pd.concat([results, untested])).iloc[0]
    assert found["effect"] == pytest.approx(1.5)
    half = 1.959964 * np.sqrt(0.75**2 * 0.01 + 0.25**2 * 0.09)
    assert found["high"] - found["effect"] == pytest.approx(half)
    assert found["return"] == pytest.approx(2.0)
    assert found["campaigns"] == 2


def test_campaigns_that_differ_widen_what_the_next_may_bring():
    alike = channel_returns(_results([1.0, 1.0, 1.0], [0.2] * 3, [100] * 3)).iloc[0]
    unlike = channel_returns(_results([0.0, 1.0, 2.0], [0.2] * 3, [100] * 3)).iloc[0]
    assert alike["heterogeneity"] == 0
    assert unlike["heterogeneity"] > 0.9
    assert unlike["next_high"] - unlike["next_low"] > 2 * (unlike["high"] - unlike["low"])
    assert len(channel_returns(_results([], [], []))) == 0


def _outcomes(effect_by_recent, number=4_000):
    """Two campaigns a week apart; the second reaches some who had the first."""
    rng = np.random.default_rng(0)
    rows = []
    for campaign, day in (("K1", date(2025, 3, 1)), ("K2", date(2025, 3, 8))):
        held = rng.random(number) < 0.4
        rows.append(
            pd.DataFrame(
                {"contact_id": [f"{campaign}-{i}" for i in range(number)],
                 "customer_id": [f"C{i}" for i in range(number)], "campaign_id": campaign,
                 "channel": "email", "contacted_on": day, "sent": ~held, "held_out": held,
                 "margin_before": rng.normal(size=number)}
            )
        )  # fmt: skip
    table = pd.concat(rows, ignore_index=True)
    first = table["campaign_id"] == "K1"
    had = np.where(first, 0, np.r_[np.zeros(number), table.loc[first, "sent"]])
    effect = np.array(effect_by_recent)[had.astype(int)]
    table["margin"] = rng.normal(size=len(table)) + effect * table["sent"]
    return table


def test_effects_by_what_came_before():
    found = pressure_effects(_outcomes([1.0, 0.2])).set_index("recent_messages")
    assert found.loc[0, "effect"] == pytest.approx(1.0, abs=0.1)
    assert found.loc[1, "effect"] == pytest.approx(0.2, abs=0.12)
    assert found.loc[1, "high"] < found.loc[0, "low"]
    total = found["contacts"].sum() + found["held_out"].sum()
    assert total == 8_000


def test_a_message_of_long_ago_is_forgotten():
    table = _outcomes([1.0, 1.0])
    late = table["campaign_id"] == "K2"
    table.loc[late, "contacted_on"] = date(2025, 3, 8) + timedelta(days=60)
    assert set(pressure_effects(table)["recent_messages"]) == {0}


def test_the_curve_bends_down_and_never_up():
    returns = pd.DataFrame(
        {"channel": ["email"], "effect": [0.8], "high": [0.85], "cost_per_contact": [0.5]}
    )
    pressure = pd.DataFrame(
        {"channel": "email", "recent_messages": [0, 1, 2], "effect": [1.0, 0.2, 0.4],
         "low": [0.95, 0.1, 0.2], "high": [1.05, 0.3, 0.6]}
    )  # fmt: skip
    curve = response_curves(returns, pressure)
    steps = np.diff(np.r_[0, curve["margin"]])
    assert (np.diff(steps) <= 1e-12).all()
    assert curve["spend"].tolist() == [0.5, 1.0, 1.5]
    assert curve["next_return"].iloc[0] == pytest.approx((steps[0] - 0.5) / 0.5)
    assert response_curves(returns[:0], pressure).empty
