"""From spend to margin."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from customer360.measurement.returns import (
    MOST_MESSAGES,
    channel_returns,
    fatigue_share,
    pressure_effects,
    response_curves,
)


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
                 "cost": 0.5 * ~held,
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


def _pressure(effects, error, channel="email", cost=0.5):
    effects = np.array(effects, float)
    return pd.DataFrame(
        {"channel": channel, "recent_messages": range(len(effects)), "cost": cost,
         "effect": effects, "low": effects - 1.959964 * error, "high": effects + 1.959964 * error}
    )  # fmt: skip


def test_the_share_lost_is_found_where_many_were_held_out():
    share, error = fatigue_share(_pressure([0.4, 0.2, 0.1], 0.002), assumed_share=0.2)
    assert share == pytest.approx(0.5, abs=0.01) and error < 0.02
    share, _ = fatigue_share(_pressure([0.4, 0.4, 0.4], 0.002), assumed_share=0.2)
    assert share < 0.02
    found = pressure_effects(_outcomes([1.0, 0.5], number=20_000))
    assert fatigue_share(found, assumed_share=0.2)[0] == pytest.approx(0.5, abs=0.06)


def test_what_was_assumed_stays_where_tests_say_nothing():
    for silent in (_pressure([0.01, 0.0, 0.02], 5.0), _pressure([0.3], 0.01), _pressure([], 1.0)):
        share, error = fatigue_share(silent, assumed_share=0.3)
        assert share == pytest.approx(0.3, abs=0.01) and error == pytest.approx(0.14, abs=0.02)
    # A channel that drives away has no effect to lose.
    share, _ = fatigue_share(_pressure([-0.2, -0.2], 0.05), assumed_share=0.3)
    assert share == pytest.approx(0.3, abs=0.01)


def test_channels_speak_together_each_as_loud_as_it_is_sure():
    sure, loose = _pressure([0.4, 0.2], 0.005), _pressure([0.4, 0.4], 0.2, channel="sms")
    share, error = fatigue_share(pd.concat([sure, loose]), assumed_share=0.2)
    assert share == pytest.approx(0.5, abs=0.03)
    assert error <= fatigue_share(sure, assumed_share=0.2)[1] + 1e-6


def test_the_curve_bends_down_as_the_planner_reckons():
    curve = response_curves(_pressure([1.0, 0.8, 0.64], 0.05), fatigue=0.2, fatigue_error=0.05)
    assert len(curve) == MOST_MESSAGES
    steps = np.diff(np.r_[0, curve["margin"]])
    assert steps == pytest.approx(0.8 ** np.arange(MOST_MESSAGES))
    assert curve["lasting"].to_numpy() == pytest.approx(0.8 ** np.arange(MOST_MESSAGES))
    assert curve["spend"].tolist() == [0.5, 1.0, 1.5]
    assert curve["next_return"].iloc[1] == pytest.approx((0.8 - 0.5) / 0.5)
    assert (curve["low"] < curve["margin"]).all() and (curve["margin"] < curve["high"]).all()
    # An uncertain fatigue makes the later messages less certain, not the first.
    sure = response_curves(_pressure([1.0, 0.8, 0.64], 0.05), fatigue=0.2, fatigue_error=0.0)
    wider = (curve["high"] - curve["low"]) / (sure["high"] - sure["low"])
    assert wider.iloc[0] == pytest.approx(1) and (wider.iloc[1:] > 1.1).all()


def test_what_drives_away_does_so_no_less_by_repetition():
    curve = response_curves(_pressure([-1.0, -1.0], 0.1), fatigue=0.5, fatigue_error=0.1)
    assert curve["margin"].to_numpy() == pytest.approx([-1.0, -2.0, -3.0])
    assert response_curves(_pressure([], 1.0), fatigue=0.2, fatigue_error=0.1).empty


def test_curves_hold_the_truth_as_often_as_they_say():
    rng, held, share = np.random.default_rng(3), [], 0.3
    for _ in range(300):
        errors = np.array([0.05, 0.1, 0.2])
        seen = (1 - share) ** np.arange(3) + rng.normal(size=3) * errors
        told = rng.normal(share, 0.05)
        curve = response_curves(_pressure(seen, errors), fatigue=told, fatigue_error=0.05)
        true = np.cumsum((1 - share) ** np.arange(MOST_MESSAGES))
        held.append(((curve["low"] < true) & (true < curve["high"])).to_numpy())
    assert (np.mean(held, axis=0) > 0.9).all()
