"""Contacts beside what became of them."""

from datetime import date, datetime

import pandas as pd

from customer360.measurement.outcomes import contact_outcomes


def _event(contact, event, *, day=1, reason=None, customer="C1", channel="email"):
    return {
        "customer_id": customer, "contact_id": contact, "campaign_id": "K1", "variant": "A",
        "channel": channel, "at": datetime(2025, 3, day, 9), "event": event, "reason": reason,
        "cost": 0.02,
    }  # fmt: skip


def _order(day, *, customer="C1", order="O1", amount=10.0, month=3):
    return {
        "customer_id": customer, "source": "till", "order_id": order,
        "ordered_on": date(2025, month, day), "coupon_id": None, "amount": amount,
        "net_amount": amount, "margin": amount * 0.4,
    }  # fmt: skip


def _row(events, orders=None, claims=None, **more):
    found = contact_outcomes(
        pd.DataFrame(events),
        orders=None if orders is None else pd.DataFrame(orders),
        claims=claims,
        **more,
    )
    return found.to_pylist()[0]


def test_events_become_flags():
    row = _row([_event("a", e) for e in ("sent", "delivered", "opened", "clicked")])
    assert row["sent"] and row["delivered"] and row["opened"] and row["clicked"]
    assert not (row["held_out"] or row["hard_bounced"] or row["machine_opened"])


def test_an_open_by_a_machine_is_nobodys():
    row = _row([_event("a", "sent"), _event("a", "opened", reason="proxy")])
    assert row["machine_opened"] and not row["opened"]


def test_bounces_are_hard_or_soft_by_their_reason():
    hard = _row([_event("a", "bounced", reason="adresse inconnue")])
    soft = _row([_event("a", "bounced", reason="boîte pleine")])
    untold = _row([_event("a", "bounced")])
    assert (hard["hard_bounced"], hard["soft_bounced"]) == (True, False)
    assert (soft["hard_bounced"], soft["soft_bounced"]) == (False, True)
    assert untold["soft_bounced"]


def test_orders_of_the_days_after_count_and_the_day_itself_does_not():
    orders = [_order(1, order="same"), _order(2, order="next"), _order(15, order="last"),
              _order(16, order="late")]  # fmt: skip
    row = _row([_event("a", "sent")], orders)
    assert (row["orders"], row["converted"], row["margin"]) == (2, True, 8.0)
    assert (row["orders_before"], row["margin_before"]) == (1, 4.0)


def test_lines_of_an_order_are_one_order_and_a_return_is_none():
    orders = [_order(2), _order(2), _order(3, order="O2", amount=-10.0)]
    row = _row([_event("a", "sent")], orders)
    assert (row["orders"], row["net_amount"]) == (1, 10.0)


def test_each_contact_stands_once_and_sums_are_not_multiplied():
    events = [_event("a", e) for e in ("sent", "delivered")] + [_event("b", "sent", day=3)]
    found = contact_outcomes(pd.DataFrame(events), orders=pd.DataFrame([_order(5), _order(6)]))
    assert found["contact_id"].to_pylist() == ["a", "b"]
    assert found["net_amount"].to_pylist() == [20.0, 20.0]


def test_a_claim_soon_after_is_a_complaint():
    claims = pd.DataFrame({"customer_id": ["C1"], "at": [datetime(2025, 3, 4)]})
    assert _row([_event("a", "sent")], claims=claims)["complained"]
    assert not _row([_event("a", "sent", day=5)], claims=claims)["complained"]


def test_a_coupon_of_the_campaign_is_redeemed_while_it_runs():
    campaigns = pd.DataFrame(
        {"campaign_id": ["K1"], "offer_id": ["OFF1"], "started_at": [datetime(2025, 3, 1)],
         "ended_at": [datetime(2025, 3, 20)]}
    )  # fmt: skip

    def redeemed(coupon, day):
        orders = [_order(day) | {"coupon_id": coupon}]
        return _row([_event("a", "sent")], orders, campaigns=campaigns)["redeemed"]

    assert redeemed("OFF1", 18) and redeemed("K1-milk", 18)
    assert not redeemed("OFF1", 21) and not redeemed("K2-milk", 18)


def test_a_channel_that_tells_nothing_is_believed_to_deliver():
    untold = _row([_event("a", "sent", channel=None)])
    assert untold["channel"] == "not told" and untold["delivered"]
    told = contact_outcomes(
        pd.DataFrame([_event("a", "sent"), _event("a", "delivered"), _event("b", "sent")])
    )
    assert told["delivered"].to_pylist() == [True, False]
