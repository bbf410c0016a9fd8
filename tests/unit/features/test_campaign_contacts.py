from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from customer360.contracts import CONTACT_SIGNALS
from customer360.features.campaign_contacts import (
    MOMENT_FEATURES,
    campaign_contacts,
    describe_moments,
    offer_code,
    offers_made,
)
from customer360.features.contact_signals import NO_MESSAGE, contact_signals, with_offer

AS_OF = date(2025, 6, 30)


def order(customer: str, day: str, number: str, *, amount=50.0, coupon=None, category="Garden"):
    return {
        "customer_id": customer, "source": "web", "order_id": number, "category": category,
        "ordered_on": date.fromisoformat(day), "amount": amount, "discount": 0.0,
        "coupon_id": coupon, "net_amount": amount, "margin": amount / 2,
    }  # fmt: skip


def event(customer: str, contact: str, event: str, day: str, campaign="CAMP1"):
    return {
        "customer_id": customer, "contact_id": contact, "campaign_id": campaign, "variant": "A",
        "channel": "email", "at": datetime.fromisoformat(f"{day} 09:00"), "event": event,
        "reason": None,
    }  # fmt: skip


ORDERS = pd.DataFrame([
    order("c1", "2025-01-10", "1", category="Toys"),
    order("c1", "2025-03-01", "2", coupon="OFF1"),
    order("c1", "2025-03-05", "3"),
    order("c1", "2025-03-18", "4", coupon="OFF1"),
    order("c2", "2025-03-02", "5"),
    order("c2", "2025-03-03", "6", amount=-20.0),
])  # fmt: skip
CONTACTS = pd.DataFrame([
    event("c1", "k1", "sent", "2025-03-01"),
    event("c1", "k1", "opened", "2025-03-02"),
    event("c2", "k2", "held_out", "2025-03-01"),
    event("c1", "k3", "sent", "2025-06-25", campaign="CAMP2"),
])  # fmt: skip
CAMPAIGNS = pd.DataFrame({
    "campaign_id": ["CAMP1", "CAMP2"], "variant": "A", "goal": "conversion", "theme": "price",
    "image": ["people", "product"],
    "offer_id": ["OFF1", None], "channel": "email", "cost_per_contact": 0.02,
    "started_at": datetime(2025, 3, 1), "ended_at": datetime(2025, 3, 22),
})  # fmt: skip
OFFERS = pd.DataFrame({
    "offer_id": ["OFF1"], "category": ["Garden"], "kind": ["percent"], "depth": [0.2],
    "min_margin": [0.1],
})  # fmt: skip


@pytest.fixture(scope="module")
def contacts() -> pd.DataFrame:
    return campaign_contacts(
        CONTACTS, campaigns=CAMPAIGNS, offers=OFFERS, orders=ORDERS, as_of=AS_OF
    )


@pytest.fixture(scope="module")
def moments(contacts) -> pd.DataFrame:
    return describe(contacts)


def describe(asked: pd.DataFrame, *, orders: pd.DataFrame = ORDERS) -> pd.DataFrame:
    return describe_moments(
        asked,
        orders=orders,
        contacts=CONTACTS,
        customers=pd.DataFrame({
            "customer_id": ["c1", "c2"], "birth_date": [date(1980, 3, 1), None],
            "created_at": [datetime(2024, 3, 1), datetime(2025, 2, 1)],
        }),
        conversations=pd.DataFrame({"customer_id": ["c1"], "at": [datetime(2025, 2, 1)]}),
        web_events=pd.DataFrame({
            "customer_id": ["c1"], "at": [datetime(2025, 2, 1)],
            "known_at": [datetime(2025, 4, 1)],
        }),
    )  # fmt: skip


def test_orders_of_the_two_weeks_after_are_counted(contacts):
    told = contacts.set_index("contact_id")
    # Not those of the day itself, nor later than two weeks, nor refunds.
    assert told["orders"].to_dict() == {"k1": 1.0, "k2": 1.0}
    assert told["treated"].to_dict() == {"k1": True, "k2": False}
    assert told["propensity"].tolist() == [0.5, 0.5]


def test_a_coupon_answers_until_the_campaign_ends(contacts):
    told = contacts.set_index("contact_id")
    assert told["redeemed"].tolist() == [0.0, 0.0]
    assert told["answered"].tolist() == [True, False]


def test_contacts_whose_two_weeks_are_not_over_are_left_out(contacts):
    assert "k3" not in set(contacts["contact_id"])


def test_taste_is_the_share_spent_before_on_what_is_offered(contacts):
    told = contacts.set_index("contact_id")["taste"]
    assert told["k1"] == 0.0
    assert np.isnan(told["k2"])


def test_a_moment_knows_what_came_before_its_day(moments):
    c1 = moments.set_index("customer_id").loc["c1"]
    assert (c1["orders_before"], c1["recency_days"], c1["coupon_orders"]) == (1.0, 50.0, 0.0)
    assert (c1["sent_before"], c1["opened_before"], c1["talks_last_half"]) == (0.0, 0.0, 1.0)
    # A visit that only a later log-in tells whose it was.
    assert c1["visits_last_half"] == 0.0
    assert c1["age_years"] == pytest.approx(45, abs=0.01)


def test_what_comes_later_changes_nothing(contacts, moments):
    later = pd.concat([ORDERS, pd.DataFrame([order("c1", "2025-03-01", "9", amount=900.0)])])
    pd.testing.assert_frame_equal(describe(contacts, orders=later), moments)


def test_signals_have_no_gap(contacts, moments):
    table = contacts.merge(moments, on=["customer_id", "day"])
    signals = contact_signals(table)
    assert list(signals) == list(CONTACT_SIGNALS)
    assert np.isfinite(signals.to_numpy()).all()
    assert signals["by_email"].tolist() == [1.0, 1.0]
    assert signals["never"].tolist() == [0.0, 1.0]
    assert set(MOMENT_FEATURES) <= set(table)


def test_the_same_customers_met_with_another_message(contacts, moments):
    table = contacts.merge(moments, on=["customer_id", "day"])
    offer = {"channel": "sms", "kind": "gift", "coupons": 2.0, "depth": 0.3}
    alone = contact_signals(table.assign(**NO_MESSAGE))
    told = contact_signals(table.assign(**offer, taste=np.nan))
    pd.testing.assert_frame_equal(with_offer(alone, offer), told)
    assert not alone.equals(told)


def test_offers_are_named_by_kind_and_depth():
    kinds = pd.Series(["percent", "amount", "gift", "coupon", None])
    depths = pd.Series([0.1, 0.12, 0.05, np.nan, np.nan])
    assert offer_code(kinds, depths).tolist() == [
        "percent_10", "amount_12", "gift", "coupon", "none",
    ]  # fmt: skip


def test_every_channel_meets_every_offer(contacts):
    two = pd.concat([contacts, contacts.assign(channel="social", offer="none", propensity=1.0)])
    table = offers_made(two)
    assert len(table) == 4
    assert table.set_index("channel")["tested"].groupby(level=0).first().to_dict() == {
        "email": True, "social": False,
    }  # fmt: skip
