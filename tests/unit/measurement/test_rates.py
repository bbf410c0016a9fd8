"""Rates, their intervals, and alerts."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from customer360.measurement.rates import RATES, contact_rates, rate_alerts, site_bounces

FLAGS = sorted(
    {"sent", "delivered", "opened", "machine_opened", "clicked", "hard_bounced", "soft_bounced",
     "undeliverable", "unsubscribed", "complained", "redeemed", "referred", "converted"}
)  # fmt: skip


def _outcomes(number, *, channel="email", on=date(2025, 3, 1), **shares):
    table = pd.DataFrame({flag: np.zeros(number, bool) for flag in FLAGS})
    table["sent"] = table["delivered"] = True
    for flag, count in shares.items():
        table[flag] = np.arange(number) < count
    return table.assign(
        channel=channel, contacted_on=on, reason=None, campaign_id="K1", variant="A"
    )


def _rate(rates, name):
    return rates[rates["rate"] == name].iloc[0]


def test_shares_and_wilsons_interval():
    found = _rate(contact_rates(_outcomes(50, clicked=5)), "clicked")
    # Wilson (1927) for 5 of 50.
    assert (found["count"], found["of"], found["share"]) == (5, 50, 0.1)
    assert found["low"] == pytest.approx(0.0435, abs=1e-4)
    assert found["high"] == pytest.approx(0.2136, abs=1e-4)


def test_click_to_open_counts_clicks_of_those_who_opened():
    outcomes = _outcomes(100, opened=20, clicked=10, machine_opened=40)
    found = _rate(contact_rates(outcomes), "click-to-open")
    assert (found["count"], found["of"]) == (10, 20)


def test_what_cannot_happen_in_a_channel_is_not_shown():
    rates = contact_rates(pd.concat([_outcomes(9, clicked=3), _outcomes(9, channel="post")]))
    post = rates[rates["channel"] == "post"]
    assert "clicked" not in set(post["rate"])
    assert set(rates["rate"]) <= set(RATES)


def test_held_out_customers_are_in_no_rate():
    outcomes = _outcomes(10, clicked=2)
    outcomes.loc[5:, "sent"] = False
    assert _rate(contact_rates(outcomes), "delivered")["of"] == 5


def test_small_groups_are_drawn_to_the_rest():
    groups = [_outcomes(2_000, clicked=c).assign(campaign_id=f"K{i}")
              for i, c in enumerate((100, 140, 60, 120))]  # fmt: skip
    tiny = _outcomes(4, clicked=2).assign(campaign_id="tiny")
    rates = contact_rates(pd.concat([*groups, tiny]), by=("campaign_id", "channel"))
    clicked = rates[rates["rate"] == "clicked"].set_index("campaign_id")
    assert clicked.loc["tiny", "share"] == 0.5
    assert clicked.loc["tiny", "shrunk"] < 0.1
    assert clicked.loc["K1", "shrunk"] == pytest.approx(0.07, abs=0.003)


def test_rates_of_all_channels_together():
    rates = contact_rates(
        pd.concat([_outcomes(10, clicked=1), _outcomes(10, channel="sms", clicked=3)]),
        by=("campaign_id",),
    )
    assert _rate(rates, "clicked")["of"] == 20


def _months(shares, number=2_000):
    parts = [
        _outcomes(number, on=date(2025, 1 + i, 5), clicked=int(share * number))
        for i, share in enumerate(shares)
    ]
    return contact_rates(pd.concat(parts), by=("channel", "month"))


def test_a_fall_is_told_and_the_usual_to_and_fro_is_not():
    fallen = rate_alerts(_months([0.10, 0.101, 0.099, 0.1, 0.04]))
    assert fallen["rate"].tolist() == ["clicked"]
    assert fallen["change"].iloc[0] == pytest.approx(-0.06, abs=0.001)
    assert rate_alerts(_months([0.05, 0.15, 0.06, 0.14, 0.04])).empty


def test_reasons_of_returns_and_too_short_a_history():
    outcomes = _outcomes(10, channel="post", undeliverable=2)
    outcomes["reason"] = np.where(outcomes["undeliverable"], "PND", None)
    by_reason = contact_rates(outcomes, by=("channel", "return_reason"))
    assert "PND" in set(by_reason["return_reason"].dropna())
    assert rate_alerts(_months([0.1, 0.01])).empty


def test_a_visit_of_one_hit_is_a_bounce():
    hits = pd.DataFrame(
        [("v1", 9, 0, "google"), ("v1", 9, 10, None), ("v1", 12, 0, "google"),
         ("v2", 9, 0, "google"), ("v3", 9, 0, None)],
        columns=["visitor_id", "hour", "minute", "referrer"],
    )  # fmt: skip
    hits["at"] = [
        datetime(2025, 3, 1, h, m) for h, m in zip(hits["hour"], hits["minute"], strict=True)
    ]
    found = site_bounces(hits).set_index("referrer")
    assert found.loc["google", ["visits", "bounced"]].tolist() == [3, 2]
    assert found.loc["none told", "bounced"] == 1
    assert found.loc["google", "low"] < 2 / 3 < found.loc["google", "high"]
