from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.campaign_evaluation import count_violations
from customer360.planning.campaigns import (
    cap_prices,
    gap_to_exact,
    left_out,
    past_costs,
    past_spend,
    plan_campaigns,
    price_in_words,
)
from customer360.planning.candidates import make_slots
from customer360.planning.plan import Limits
from customer360.planning.policies import plain_policies
from customer360.planning.pressure import ContactRule

AS_OF = date(2025, 12, 31)
DIRECT = ("email", "sms", "phone", "post")
COST = {"email": 0.1, "sms": 0.5, "web": 0.01}


def persons(count: int, *, seed: int = 3, agreed: float = 0.7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"customer_id": [f"c{n:04d}" for n in range(count)], "as_of": AS_OF})
    for channel in (*DIRECT, "third_party"):
        table[f"consent_{channel}"] = rng.random(count) < agreed
    for channel in DIRECT:
        table[f"reachable_{channel}"] = rng.random(count) < 0.9
    table["preferred_channel"] = np.where(rng.random(count) < 0.2, "sms", None)
    table["last_order_at"] = pd.Timestamp(AS_OF) - pd.to_timedelta(
        rng.integers(0, 1500, count), unit="D"
    )
    table["updated_at"] = datetime(2021, 1, 1)
    return table.astype({"preferred_channel": "str"})


def offered(who: pd.DataFrame, *, weeks: int = 3, seed: int = 5) -> pd.DataFrame:
    """Messages of two offers; the habit of a customer is one day of the week."""
    rng = np.random.default_rng(seed)
    ids = who["customer_id"]
    grid = pd.MultiIndex.from_product(
        [ids, range(1, weeks + 1), COST, ["none", "gift"]],
        names=["customer_id", "slot", "channel", "offer_id"],
    ).to_frame(index=False)
    grid = grid.merge(make_slots(as_of=AS_OF, weeks=weeks), on="slot")
    goal = pd.Series(rng.choice(["cross_sell", "win_back"], len(ids)), index=ids)
    habit = pd.Series(rng.integers(0, 7, len(ids)), index=ids)
    worth = pd.Series(rng.gamma(1.0, 1.0, len(ids)), index=ids)
    grid["day"] = [w + timedelta(days=int(d)) for w, d in
                   zip(grid["week"], grid["customer_id"].map(habit), strict=True)]  # fmt: skip
    grid["goal"] = grid["customer_id"].map(goal)
    grid["amount"] = 0.05 * (grid["offer_id"] == "gift")
    grid["category"] = "books"
    grid["cost"] = grid["channel"].map(COST)
    grid["propensity"] = rng.random(len(grid))
    grid["expected_margin"] = grid["customer_id"].map(worth) * rng.normal(0.2, 0.5, len(grid))
    grid["doubt"] = 0.5
    return grid


def sent_before(who: pd.DataFrame, count: int, *, seed: int = 11) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(rng.choice(who["customer_id"], count), dtype="str"),
            "contact_id": pd.Series([f"k{n}" for n in range(count)], dtype="str"),
            "campaign_id": "CAMP1",
            "channel": pd.Series(rng.choice(["email", "sms"], count), dtype="str"),
            # Past ones, and some that are scheduled already.
            "at": pd.Timestamp(AS_OF) - pd.to_timedelta(rng.integers(-20, 30, count), unit="D"),
            "event": pd.Series("sent", index=range(count), dtype="str"),
            "cost": 0.1,
        }
    )


RULES = [ContactRule(1, 7), ContactRule(2, 21)]


def test_the_plan_keeps_every_rule_counted_without_the_gate():
    who = persons(300)
    contacts, limits = sent_before(who, 200), Limits(20.0, {"win_back": 8.0}, {"sms": 4})
    control = who[["customer_id"]].iloc[::10]
    candidates = offered(who[~who["customer_id"].isin(control["customer_id"])])
    asked = {"customers": who, "contacts": contacts, "rules": RULES, "limits": limits,
             "retention_days": 1000}  # fmt: skip
    found = plan_campaigns(candidates, as_of=AS_OF, explored_share=0.05, **asked)
    decisions = found.decisions
    assert len(decisions) > 50 and decisions["explored"].any()
    assert not any(count_violations(decisions, control=control, **asked).values())
    assert decisions["decision_id"].is_unique
    # On the customers' own days, not on the first of the week.
    days = decisions.merge(candidates.drop_duplicates(["customer_id", "slot"]),
                           on=["customer_id", "slot"])  # fmt: skip
    assert (days["day_x"] == days["day_y"]).all() and (days["day_x"] != days["week"]).any()
    # Everybody is told of once.
    told = left_out(who, found, control=control)
    assert told["customers"].sum() == len(who)
    counts = told.set_index("outcome")["customers"]
    assert counts["gets a message"] == decisions["customer_id"].nunique()
    assert counts["left alone on purpose, to measure"] == len(control)
    assert counts["data too old to be used"] > 0


def test_every_kind_of_violation_is_seen():
    who = persons(4, agreed=1.0).assign(last_order_at=datetime(2025, 12, 1))
    who.loc[0, "consent_email"] = False
    who["reachable_email"] = [True, None, True, True]
    who["preferred_channel"] = pd.Series([None, None, "sms", None], dtype="str")
    who.loc[3, "last_order_at"] = datetime(2020, 1, 1)
    rows = [(f"c000{n}", 1, date(2026, 1, 2)) for n in range(4)]
    rows += [("c0003", 1, date(2026, 1, 3))]
    wrong = pd.DataFrame(rows, columns=["customer_id", "slot", "day"])
    wrong = wrong.assign(channel="email", goal="win_back", cost=1.0)
    found = count_violations(
        wrong, customers=who, contacts=sent_before(who, 0), rules=[ContactRule(1, 7)],
        limits=Limits(4.0, {"win_back": 9.0}, {"email": 3}), control=who[["customer_id"]].iloc[:2],
        retention_days=365,
    )  # fmt: skip
    assert found == {"consent": 1, "address": 1, "preference": 1, "retention": 2, "control": 2,
                     "twice": 1, "pressure": 1, "budget": 1, "capacity": 1}  # fmt: skip


def test_an_earlier_message_counts_as_pressure():
    who = persons(1, agreed=1.0)
    one = pd.DataFrame({"customer_id": ["c0000"], "slot": [1], "day": [date(2026, 1, 2)],
                        "channel": ["email"], "goal": ["win_back"], "cost": [0.1]})  # fmt: skip
    past = sent_before(who, 2).assign(at=pd.to_datetime(["2025-12-30", "2025-12-31"]))
    asked = {"customers": who, "contacts": past, "limits": Limits(), "control": who.iloc[:0]}
    for rule, broken in ((ContactRule(1, 2), 0), (ContactRule(1, 3), 1), (ContactRule(2, 4), 1),
                         (ContactRule(2, 3), 0), (ContactRule(0, 1), 1)):  # fmt: skip
        assert count_violations(one, rules=[rule], **asked)["pressure"] == broken, rule


asked_rules = st.lists(
    st.builds(
        ContactRule, st.integers(0, 3), st.integers(1, 28), st.sampled_from([None, "email", "sms"])
    ),
    max_size=3,
)
asked_limits = st.builds(
    Limits,
    st.one_of(st.none(), st.floats(0, 5)),
    st.dictionaries(st.sampled_from(["cross_sell", "win_back"]), st.floats(0, 3)),
    st.dictionaries(st.sampled_from(["email", "sms", "web"]), st.integers(0, 9)),
)
retention = st.one_of(st.none(), st.integers(0, 1500))


@settings(max_examples=8, deadline=None)
@given(
    st.integers(1, 25), st.integers(0, 1000), asked_rules, asked_limits, st.floats(0, 0.5),
    retention,
)  # fmt: skip
def test_no_plan_ever_breaks_a_rule(count, seed, rules, limits, explored, retention_days):
    who = persons(count, seed=seed)
    asked = {"customers": who, "contacts": sent_before(who, seed % 20, seed=seed), "rules": rules,
             "limits": limits, "retention_days": retention_days}  # fmt: skip
    candidates = offered(who, weeks=2, seed=seed)
    found = plan_campaigns(candidates, as_of=AS_OF, explored_share=explored, **asked)
    broken = count_violations(found.decisions, control=who[["customer_id"]].iloc[:0], **asked)
    assert not any(broken.values())


@settings(max_examples=4, deadline=None)
@given(st.integers(1, 25), st.integers(0, 1000), asked_rules, asked_limits, retention)
def test_no_plain_policy_ever_breaks_a_rule(count, seed, rules, limits, retention_days):
    who = persons(count, seed=seed)
    free = Limits(limits.budget, {}, limits.channel_capacity)
    asked = {"customers": who, "contacts": sent_before(who, seed % 20, seed=seed), "rules": rules,
             "limits": free, "retention_days": retention_days}  # fmt: skip
    candidates = offered(who, weeks=2, seed=seed).query("offer_id == 'none'")
    risk = who[["customer_id"]].assign(churn_probability=0.5)
    for policy in plain_policies(candidates, churn_scores=risk, **asked).values():
        broken = count_violations(policy, control=who[["customer_id"]].iloc[:0], **asked)
        assert not any(broken.values())


def test_exploring_stays_with_what_the_money_can_pay():
    who = persons(200, agreed=1.0).assign(last_order_at=datetime(2025, 12, 1))
    who["preferred_channel"] = pd.Series([None] * 200, dtype="str")
    candidates = offered(who).assign(expected_margin=1.0, doubt=0.5)
    dear = candidates["channel"] == "sms"
    candidates.loc[dear, ["cost", "expected_margin"]] = [2.0, -1.0]
    asked = {"customers": who, "contacts": sent_before(who, 0), "rules": RULES, "as_of": AS_OF}
    found = plan_campaigns(candidates, explored_share=0.2, limits=Limits(8.0), **asked)
    assert found.decisions["explored"].sum() >= 20
    # An sms would have to bring 2 euros and what they earn elsewhere.
    assert (found.decisions["channel"] != "sms").all()


def test_messages_are_spread_over_the_weeks_where_there_is_room():
    who = persons(10, agreed=1.0).assign(last_order_at=datetime(2025, 12, 1))
    who["preferred_channel"] = pd.Series([None] * 10, dtype="str")
    who["reachable_email"] = True
    candidates = offered(who, weeks=4).query("channel == 'email' and offer_id == 'none'")
    candidates = candidates.assign(expected_margin=1.0 - 0.1 * candidates["slot"])
    asked = {"customers": who, "contacts": sent_before(who, 0), "as_of": AS_OF}
    rules = [ContactRule(1, 7), ContactRule(2, 28)]
    free = plan_campaigns(candidates, rules=rules, limits=Limits(), **asked).decisions
    assert free.groupby("customer_id")["slot"].apply(list).to_list() == [[1, 4]] * 10
    limits = Limits(None, {}, {"email": 6})
    planned = plan_campaigns(candidates, rules=rules, limits=limits, **asked)
    found = planned.decisions
    used = planned.plan.prices.set_index("slot")["used"]
    assert used.to_dict() == found.groupby("slot").size().reindex(used.index).to_dict()
    assert found.groupby("customer_id").size().to_list() == [2] * 10
    assert found.groupby("slot").size().max() == (found["slot"] == 4).sum() == 6
    assert (
        pd.to_datetime(found["day"])
        .sub(pd.Timestamp(AS_OF))
        .dt.days.between(7 * found["slot"] - 6, 7 * found["slot"])
        .all()
    )


def test_what_was_paid_and_sent_before():
    campaigns = pd.DataFrame(
        {"campaign_id": ["CAMP1", "CAMP2"], "channel": "email", "cost_per_contact": [0.1, 0.2],
         "started_at": pd.to_datetime(["2025-01-01", "2025-06-01"])}
    )  # fmt: skip
    contacts = sent_before(persons(5), 30)
    contacts["channel"] = "email"
    contacts.loc[:9, "event"] = "held_out"
    assert past_costs(campaigns, contacts).to_dict("records") == [
        {"channel": "email", "cost": 0.2, "capacity": 20}
    ]
    days = (contacts["at"].dt.date <= AS_OF).sum()
    assert past_spend(contacts, as_of=AS_OF, days=73) == pytest.approx(0.1 * days / 5)


def test_prices_gaps_and_caps_are_told():
    who = persons(150)
    limits = Limits(5.0, {}, {"sms": 3})
    asked = {"contacts": sent_before(who, 0), "rules": RULES, "limits": limits}
    found = plan_campaigns(offered(who), customers=who, as_of=AS_OF, **asked)
    gap = gap_to_exact(found.open, sample=80, **asked)
    assert -1e-4 <= gap < 0.02
    caps = cap_prices(found.open, **asked)
    assert caps["rule"].to_list()[0] == "no more than 1 message in 7 days"
    assert (caps["price"] >= 0).all() and len(caps) == len(RULES)
    row = found.plan.prices.iloc[0].to_dict()
    assert price_in_words(row, currency="EUR") == (
        f"one more EUR of budget would earn {row['price']:,.2f} EUR"
    )
    free = row | {"kind": "goal", "name": "win_back", "price": 0.0}
    assert price_in_words(free, currency="EUR") == (
        "one more EUR of budget for win back would earn nothing"
    )
    assert gap_to_exact(found.open.iloc[:0], sample=80, **asked) == 0.0


def test_plain_policies_serve_the_head_of_their_list():
    who = persons(60, agreed=1.0).assign(last_order_at=datetime(2025, 12, 1))
    who["preferred_channel"] = pd.Series([None] * 60, dtype="str")
    who["reachable_email"] = True
    risk = who[["customer_id"]].assign(churn_probability=np.linspace(0, 1, 60))
    found = plain_policies(
        offered(who), churn_scores=risk, customers=who, contacts=None, rules=RULES,
        limits=Limits(2.0),
    )  # fmt: skip
    assert sorted(found) == [
        "everyone, gift", "everyone, no offer", "top churn risk, gift", "top churn risk, no offer",
        "top propensity, gift", "top propensity, no offer",
    ]  # fmt: skip
    # 2 euros are 20 e-mails: ten customers twice, or twenty once.
    assert all(
        len(policy) == 20 and (policy["channel"] == "email").all() for policy in found.values()
    )
    head = set(found["top churn risk, gift"]["customer_id"])
    assert head == set(who["customer_id"].tail(10))
    assert found["everyone, gift"]["customer_id"].nunique() == 20


def test_nobody():
    who = persons(3)
    empty = offered(who).iloc[:0]
    contacts = sent_before(who, 0)
    asked = {"customers": who, "contacts": contacts, "rules": RULES, "limits": Limits(0.0)}
    found = plan_campaigns(empty, as_of=AS_OF, **asked)
    assert found.decisions.empty and found.plan.expected_margin == 0.0
    assert left_out(who, found, control=who.iloc[:0])["customers"].to_list() == [3]
    assert plain_policies(empty, churn_scores=who.assign(churn_probability=0.1), **asked) == {}
    assert cap_prices(found.open, contacts=contacts, rules=RULES, limits=Limits(0.0)).shape == (
        2,
        2,
    )
