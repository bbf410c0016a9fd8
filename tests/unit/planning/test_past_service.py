from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_decide import CONSENTS, persons

from customer360.features.campaign_contacts import MOMENT_FEATURES
from customer360.planning.past_service import NOTHING, replay_campaigns
from customer360.planning.pressure import ContactRule
from customer360.planning.replay import replay_table

DAYS = {"c1": "2025-01-06", "c2": "2025-03-03", "c3": "2025-06-02"}


def drawn(people: int = 600, *, seed: int = 5) -> pd.DataFrame:
    """Three campaigns to the same people; who was left alone is drawn. Coupons bring orders."""
    rng = np.random.default_rng(seed)
    parts = []
    for campaign, day in DAYS.items():
        treated = rng.random(people) < 0.6
        gift = rng.random(people) < 0.5
        redeemed = (treated & (rng.random(people) < 0.3)).astype(float)
        orders = redeemed + (rng.random(people) < 0.2)
        parts.append(
            pd.DataFrame(
                {"contact_id": [f"{campaign}-{n}" for n in range(people)],
                 "customer_id": [f"p{n:04d}" for n in range(people)], "campaign_id": campaign,
                 "day": pd.Timestamp(day), "channel": "web", "treated": treated,
                 "offer": np.where(gift, "gift", "percent_10"), "coupons": 1.0,
                 "kind": np.where(gift, "gift", "percent"), "depth": np.where(gift, 0.05, 0.1),
                 "min_margin": 0.05, "cost": 0.004, "propensity": 0.6, "taste": np.nan,
                 "orders": orders, "redeemed": redeemed, "margin": 20.0 * orders}
            )
        )  # fmt: skip
    log = pd.concat(parts, ignore_index=True)
    about = dict.fromkeys(MOMENT_FEATURES, 1.0)
    about |= {"orders_before": 3.0, "order_amount": 60.0, "order_margin": 20.0, "known_days": 400.0,
              "watched_days": 400.0, "recency_days": 40.0}  # fmt: skip
    return log.assign(**about)


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return drawn()


def replayed(
    log: pd.DataFrame, *, since: str = DAYS["c3"], rules=(), sent=()
) -> pd.DataFrame | None:
    # Today's consents say no: who was in an audience had said yes.
    no = {f"consent_{c}": False for c in CONSENTS}
    customers = persons(*({"customer_id": c, **no} for c in sorted(set(log["customer_id"]))))
    contacts = pd.DataFrame(
        list(sent), columns=["customer_id", "contact_id", "channel", "at", "event"]
    )
    return replay_campaigns(
        log, since=pd.Timestamp(since).date(), customers=customers, rules=rules,
        contacts=contacts.astype("str").astype({"at": "datetime64[us]"}),
        cost_per_contact={"web": 0.004},
        least_uplift_orders=0.01,
    )  # fmt: skip


def test_replays_later_campaigns_only_and_offers_what_pays(log):
    found = replayed(log)
    assert set(found["campaign_id"]) == {"c3"} and len(found) == 600
    # Orders that coupons bring pay for the smaller reduction; nobody is left alone.
    assert set(found["chosen"]) == {"gift"}
    assert set(found["arm"]) == {NOTHING, "gift", "percent_10"}
    kept = found["arm"] == NOTHING
    assert (found["reward"][~kept].mod(20).round(3) == 19.996).all()
    assert (found["expected_gift"] > found["expected_held_out"]).all()
    table = replay_table(found, name="web").set_index("estimator")
    assert (table["gain"] > 0).all() and (table["promised"] > 0).all()


def test_what_came_after_teaches_nothing(log):
    changed = log.copy()
    later = changed["campaign_id"] == "c3"
    changed.loc[later, ["orders", "redeemed", "margin"]] = 0.0
    columns = ["chosen", "expected_gift", "expected_percent_10", "expected_held_out"]
    pd.testing.assert_frame_equal(replayed(changed)[columns], replayed(log)[columns])


def test_who_was_contacted_on_the_eve_is_left_alone_under_the_rules(log):
    sent = [("p0000", "k1", "email", pd.Timestamp("2025-05-30"), "sent"),
            ("p0001", "k2", "email", pd.Timestamp("2025-06-02 09:00"), "sent")]  # fmt: skip
    chosen = replayed(log, rules=[ContactRule(1, 7)], sent=sent).set_index("customer_id")["chosen"]
    # A message of the day itself is the one that is replayed.
    assert chosen["p0000"] == NOTHING and chosen["p0001"] == "gift"


def test_without_a_past_there_is_nothing_to_learn_from(log):
    assert replayed(log, since=DAYS["c1"]) is None
    assert replayed(log, since="2026-01-01") is None
