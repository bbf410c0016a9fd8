from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.measurement.attribution import UNTOUCHED, credit_channels
from customer360.measurement.outcomes import contact_outcomes
from customer360.measurement.paths import build_paths
from customer360.measurement.reconcile import experiment_effects, reconcile
from customer360.plots.attribution import credited_and_proven

DAY = pd.Timestamp("2025-03-01 09:00")


def orders(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """Customer, days after 1 March, amount."""
    table = pd.DataFrame(rows, columns=["customer_id", "days", "net_amount"])
    ordered_at = DAY + pd.to_timedelta(table.pop("days"), unit="D")
    return table.assign(
        source="till",
        order_id=[f"o{number}" for number in range(len(table))],
        ordered_at=ordered_at,
        ordered_on=ordered_at.dt.date,
        status="paid",
        coupon_id=pd.Series(dtype=str),
        amount=table["net_amount"],
        margin=table["net_amount"] * 0.3,
    )


def contacts(*rows: tuple[str, str, float, str]) -> pd.DataFrame:
    """Customer, channel, days after 1 March, events that were written down."""
    lines = [
        (customer, f"k{number}", "CAMP", channel, DAY + pd.Timedelta(days=days), event, 1.0)
        for number, (customer, channel, days, events) in enumerate(rows)
        for event in events.split()
    ]
    names = ["customer_id", "contact_id", "campaign_id", "channel", "at", "event", "cost"]
    return pd.DataFrame(lines, columns=names).assign(variant="a", reason=pd.Series(dtype=str))


def effects_of(sales: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    return experiment_effects(contact_outcomes(told, orders=sales).to_pandas())


def visits(*rows: tuple[str, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["customer_id", "referrer", "days"])
    return table.assign(at=DAY + pd.to_timedelta(table.pop("days").astype(float), unit="D"))


def test_paths_end_with_the_next_order_within_the_window():
    touches, outcomes = build_paths(
        orders=orders(("c1", 10, 50.0), ("c1", 30, 70.0), ("c2", 5, 20.0)),
        contacts=contacts(
            ("c1", "email", 1, "sent delivered opened"),
            ("c1", "sms", 9, "sent bounced"),
            ("c1", "post", 11, "sent delivered"),  # the order comes 19 days later
            ("c3", "email", 2, "sent delivered"),
            ("c4", "email", 2, "held_out"),
        ),
        web_events=visits(("c1", "google", 9.5), ("c1", "direct", 9.9), ("c1", "newsletter", 9.9)),
    )
    joined = touches.merge(outcomes, on="path")
    found = joined[["channel", "days_before", "converted", "revenue"]].to_dict("tight")["data"]
    assert sorted(found) == sorted(
        [
            ["email", 9.0, 1, 50.0],
            ["google", 0.5, 1, 50.0],
            [UNTOUCHED, 0.0, 1, 70.0],
            [UNTOUCHED, 0.0, 1, 20.0],
            ["post", 0.0, 0, 0.0],
            ["email", 0.0, 0, 0.0],
        ]
    )
    assert outcomes["revenue"].sum() == 140
    assert len(outcomes) == 5


def test_touches_in_vain_between_two_orders_make_one_path():
    touches, outcomes = build_paths(
        orders=orders(("c1", 0, 1.0), ("c1", 60, 1.0)),
        contacts=contacts(
            ("c1", "email", 3, "sent delivered"),
            ("c1", "sms", 20, "sent delivered"),
            ("c1", "email", 80, "sent delivered"),
        ),
        web_events=visits(),
    )
    vain = touches[touches["path"].isin(outcomes["path"][outcomes["converted"] == 0])]
    assert vain.groupby("path")["channel"].agg(list).tolist() == [["email", "sms"], ["email"]]
    assert vain["days_before"].tolist() == [17.0, 0.0, 0.0]


def test_two_orders_of_one_moment_and_a_message_without_a_channel():
    told = contacts(("c1", "email", 1, "sent delivered"), ("c1", "post", 1, "sent delivered"))
    told["channel"] = told["channel"].where(told["channel"] == "email")
    touches, outcomes = build_paths(
        orders=orders(("c1", 3, 10.0), ("c1", 3, 20.0)), contacts=told, web_events=visits()
    )
    assert touches["channel"].tolist() == ["email", UNTOUCHED]
    assert outcomes["revenue"].tolist() == [10.0, 20.0]


def world(effect: float, seed: int = 1, people: int = 2000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Half held out; 30 % order anyway, `effect` more if written to."""
    rng = np.random.default_rng(seed)
    held = rng.random(people) < 0.5
    buys = rng.random(people) < 0.3 + effect * ~held
    names = np.array([f"c{number}" for number in range(people)])
    told = contacts(
        *[
            (name, "email", 0, "held_out" if kept else "sent delivered")
            for name, kept in zip(names, held, strict=True)
        ]
    )
    return orders(*[(name, 5, 40.0) for name in names[buys]]), told


def test_effect_is_the_difference_times_the_contacted_with_its_interval():
    sales, told = world(0.2)
    found = effects_of(sales, told).set_index("channel").loc["email"]
    arrived = set(sales["customer_id"])
    first = told.drop_duplicates("customer_id")
    bought = first["customer_id"].isin(arrived)
    held = first["event"] == "held_out"
    difference = bought[~held].mean() - bought[held].mean()
    assert found["conversions"] == pytest.approx((~held).sum() * difference)
    rest = bought - np.where(held, bought[held].mean(), bought[~held].mean())
    variance = rest @ rest / (len(rest) - 2)
    half = (~held).sum() * 1.9612 * np.sqrt(variance / (~held).sum() + variance / held.sum())
    assert found["conversions_high"] - found["conversions"] == pytest.approx(half, rel=1e-4)
    assert found["revenue"] == pytest.approx(40 * found["conversions"])
    assert found["cost"] == pytest.approx((~held).sum())


def test_a_channel_without_effect_is_credited_by_rules_and_reconciled_to_nothing():
    sales, told = world(0.0)
    credits = credit_channels(*build_paths(orders=sales, contacts=told, web_events=visits()))
    effects = effects_of(sales, told)
    table = reconcile(credits, effects, margin_rate=0.3).query("channel == 'email'")
    assert (table["credited"] > 250).all()
    assert (table["proven_low"] < 0).all()
    assert (table["proven_high"] > 0).all()
    assert set(table["advice"]) == {"less"}


def test_intervals_cover_no_effect_as_often_as_they_say():
    covered = 0
    for seed in range(30):
        sales, told = world(0.0, seed=100 + seed, people=200)
        found = effects_of(sales, told).iloc[0]
        covered += found["conversions_low"] <= 0 <= found["conversions_high"]
    assert covered >= 26


def test_what_was_bought_before_narrows_the_interval():
    rng = np.random.default_rng(5)
    sales, told = world(0.0)
    keen = sales["customer_id"].unique()
    before = orders(*[(name, -rng.integers(1, 300), 40.0) for name in keen for _ in range(3)])
    before["order_id"] = "before" + before["order_id"]
    plain = effects_of(sales, told).iloc[0]
    found = effects_of(pd.concat([sales, before]), told).iloc[0]
    width = found["conversions_high"] - found["conversions_low"]
    assert width < 0.1 * (plain["conversions_high"] - plain["conversions_low"])


def test_advice_goes_no_further_than_the_experiments():
    sales, told = world(0.2)
    untested = contacts(*[(f"d{n}", "sms", 0, "sent delivered") for n in range(5)])
    told = pd.concat([told, untested.assign(contact_id="d" + untested["contact_id"])])
    sales = pd.concat([sales, orders(("d1", 3, 40.0)).assign(order_id="d1")])
    credits = credit_channels(*build_paths(orders=sales, contacts=told, web_events=visits()))
    effects = effects_of(sales, told)
    table = reconcile(credits, effects, margin_rate=0.3).query("rule == 'last'")
    advice = table.set_index("channel")["advice"].to_dict()
    assert advice == {"email": "more", "sms": "test first", UNTOUCHED: ""}
    sms = effects.set_index("channel").loc["sms"]
    assert sms["untested"] == 5
    assert np.isnan(sms["conversions"])


def test_empty_tables_give_empty_tables():
    sales, told = world(0.0)
    touches, outcomes = build_paths(
        orders=sales.head(0), contacts=told.head(0), web_events=visits()
    )
    assert touches.empty
    assert outcomes.empty
    assert effects_of(sales.head(0), told.head(0)).empty


def test_the_figure_shows_tested_channels_only():
    sales, told = world(0.1)
    untested = contacts(*[(f"d{n}", "sms", 0, "sent delivered") for n in range(5)])
    told = pd.concat([told, untested.assign(contact_id="d" + untested["contact_id"])])
    credits = credit_channels(*build_paths(orders=sales, contacts=told, web_events=visits()))
    effects = effects_of(sales, told)
    ax = credited_and_proven(reconcile(credits, effects, margin_rate=0.3))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["email"]
    dots = {line.get_label(): line.get_xdata()[0] for line in ax.lines if len(line.get_xdata())}
    assert (
        dots["last"] == credits.query("rule == 'last' and channel == 'email'")["conversions"].item()
    )
    assert dots["proven, with 95 %"] == effects["conversions"].dropna().item()
