from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.planning.gate import pass_gate
from customer360.planning.plan import Limits, plan_contacts
from customer360.planning.pressure import ContactRule, make_patterns

MONDAY = date(2026, 4, 6)


def candidates(*rows: tuple) -> pd.DataFrame:
    """Rows of customer, slot (a week), channel, goal, offer, cost, margin."""
    names = ["customer_id", "slot", "channel", "goal", "offer_id", "cost", "expected_margin"]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(day=[MONDAY + timedelta(days=7 * slot) for slot in table["slot"]])


def many(count: int, *, slots: int = 2, seed: int = 7) -> pd.DataFrame:
    """Customers who differ in worth and taste, three goals, three channels."""
    rng = np.random.default_rng(seed)
    cost = {"email": 0.05, "sms": 0.3, "phone": 2.0}
    grid = pd.MultiIndex.from_product(
        [[f"c{n:05d}" for n in range(count)], range(slots), cost, ["keep", "cross", "win"]],
        names=["customer_id", "slot", "channel", "goal"],
    ).to_frame(index=False)
    worth = np.repeat(rng.gamma(1.0, 2.0, count), slots * 9)
    force = grid["channel"].map({"email": 1.0, "sms": 1.6, "phone": 3.0})
    grid["cost"] = grid["channel"].map(cost)
    grid["expected_margin"] = worth * force * rng.normal(0.3, 0.8, len(grid)) - grid["cost"]
    grid["offer_id"] = grid["goal"]
    grid["day"] = pd.Timestamp(MONDAY) + pd.to_timedelta(7 * grid["slot"], unit="D")
    return grid[rng.random(len(grid)) < 0.8].reset_index(drop=True)


def test_within_half_a_percent_of_the_exact_optimum():
    given_ = many(2_000)
    limits = Limits(200.0, {"win": 60.0}, {"sms": 120, "phone": 25})
    rules = [ContactRule(1, 10), ContactRule(1, 28, "phone")]
    asked = {"limits": limits, "rules": rules}
    fast, exact = plan_contacts(given_, **asked), plan_contacts(given_, **asked, exact=True)
    assert fast.expected_margin >= 0.995 * exact.expected_margin
    # The bound is one: neither way exceeds it, and the exact one is close below.
    assert exact.expected_margin <= fast.bound * (1 + 1e-6)
    assert exact.expected_margin >= 0.999 * exact.bound
    assert (fast.prices["used"] <= fast.prices["at_most"] + 1e-3).all()


def test_the_price_of_a_limit_is_what_one_more_unit_earns():
    given_ = many(1_000)
    asked = {"rules": [ContactRule(1, 10)]}
    less, more = (plan_contacts(given_, limits=Limits(budget), **asked) for budget in (60.0, 66.0))
    price = less.prices.set_index("kind").loc["budget", "price"]
    assert price > 0
    gain = (more.expected_margin - less.expected_margin) / 6.0
    assert gain == pytest.approx(price, rel=0.15)
    free = plan_contacts(given_, limits=Limits(1e6), **asked)
    assert free.prices["price"].to_list() == [0.0]
    assert free.expected_margin > more.expected_margin


def test_the_best_message_of_each_slot_and_never_a_losing_one():
    given_ = candidates(
        ("a", 0, "email", "keep", "o", 0.1, 3.0), ("a", 0, "sms", "keep", "o", 0.3, 5.0),
        ("a", 1, "email", "keep", "o", 0.1, 1.0), ("b", 0, "email", "keep", "o", 0.1, -1.0),
    )  # fmt: skip
    found = plan_contacts(given_, limits=Limits(), rules=[])
    assert found.messages["expected_margin"].to_list() == [5.0, 1.0]
    assert found.expected_margin == 6.0
    assert found.prices.empty and not found.messages["explored"].any()
    # One message in two weeks: the better one.
    found = plan_contacts(given_, limits=Limits(), rules=[ContactRule(1, 14)])
    assert found.messages["channel"].to_list() == ["sms"]


def test_past_contacts_take_their_share_of_the_cap():
    given_ = candidates(
        ("a", 0, "email", "keep", "o", 0.1, 3.0), ("a", 1, "email", "keep", "o", 0.1, 2.0),
        ("b", 0, "email", "keep", "o", 0.1, 3.0), ("b", 1, "email", "keep", "o", 0.1, 2.0),
    )  # fmt: skip
    past = pd.DataFrame(
        {"customer_id": ["a"], "contact_id": ["k"], "channel": ["email"], "event": ["sent"],
         "at": [datetime(2026, 3, 20)]}
    )  # fmt: skip
    found = plan_contacts(given_, limits=Limits(), rules=[ContactRule(2, 28)], contacts=past)
    assert found.messages[["customer_id", "slot"]].values.tolist() == [
        ["a", 0], ["b", 0], ["b", 1]
    ]  # fmt: skip


def test_what_is_planned_from_the_gate_passes_it_again():
    rng = np.random.default_rng(5)
    given_ = many(200, slots=4)
    who = given_["customer_id"].unique()
    customers = pd.DataFrame({"customer_id": who, "as_of": date(2026, 3, 31)})
    for channel in ("email", "sms", "phone", "post"):
        customers[f"consent_{channel}"] = rng.random(len(who)) < 0.7
        customers[f"reachable_{channel}"] = True
    customers["consent_third_party"] = False
    customers["preferred_channel"] = np.where(rng.random(len(who)) < 0.2, "sms", None)
    past = pd.DataFrame(
        {"customer_id": rng.choice(who, 300), "contact_id": [f"k{n}" for n in range(300)],
         "channel": rng.choice(["email", "sms", "phone"], 300), "event": "sent",
         "at": pd.Timestamp(MONDAY) - pd.to_timedelta(rng.integers(-30, 30, 300), unit="D")}
    )  # fmt: skip
    rules = [ContactRule(2, 21), ContactRule(1, 9), ContactRule(1, 60, "phone")]
    asked = {"customers": customers, "contacts": past, "rules": rules}
    open_to = pass_gate(given_, **asked, together=False)
    assert 0 < open_to.kept.num_rows < len(given_)
    found = plan_contacts(
        open_to.kept, limits=Limits(60.0, {}, {"phone": 5}), rules=rules, contacts=past
    )
    assert len(found.messages) > 50
    assert pass_gate(found.messages, **asked, together=True).stopped.num_rows == 0


def test_equal_customers_share_what_there_is():
    # All ties: prices alone would serve everybody or nobody.
    rows = [(f"c{n:02d}", 0, "email", "keep", "o", 1.0, 2.0) for n in range(40)]
    found = plan_contacts(candidates(*rows), limits=Limits(13.0), rules=[])
    assert len(found.messages) == 13
    found = plan_contacts(candidates(*rows), limits=Limits(channel_capacity={"email": 7}), rules=[])
    assert len(found.messages) == 7


def test_a_share_of_each_group_is_explored_at_random():
    given_ = many(300, slots=1)
    groups = pd.DataFrame({"customer_id": [f"c{n:05d}" for n in range(300)],
                           "group": ["old" if n % 3 else "new" for n in range(300)]})  # fmt: skip
    asked = {"limits": Limits(60.0), "rules": [], "groups": groups,
             "explored_share": {"new": 0.2, "old": 0.05}}  # fmt: skip
    found = plan_contacts(given_, **asked)
    floors = found.floors.set_index("group")
    assert floors["wanted"].to_dict() == {"new": 20, "old": 10}
    assert floors["explored"].to_dict() == {"new": 20, "old": 10}
    drawn = found.messages[found.messages["explored"]]
    assert drawn["customer_id"].is_unique
    # At random: losing messages too, and others under another seed.
    assert (drawn["expected_margin"] < 0).any()
    assert set(plan_contacts(given_, **asked, seed=1).messages.query("explored")["customer_id"]) \
        != set(drawn["customer_id"])  # fmt: skip
    again = plan_contacts(given_.sample(frac=1, random_state=3), **asked)
    pd.testing.assert_frame_equal(again.messages, found.messages)


def test_nobody():
    found = plan_contacts(many(1).iloc[:0], limits=Limits(5.0), rules=[ContactRule(1, 7)])
    assert found.messages.empty and found.expected_margin == 0.0
    assert found.prices["used"].to_list() == [0.0]


def test_refuses_what_it_cannot_plan():
    one = ("a", 0, "email", "keep", "o", 0.1, 3.0)
    asked = {"limits": Limits(), "rules": []}
    with pytest.raises(ValueError, match="twice"):
        plan_contacts(candidates(one, one), **asked)
    with pytest.raises(ValueError, match="lack goal"):
        plan_contacts(candidates(one).drop(columns="goal"), **asked)
    with pytest.raises(ValueError, match="one sending day"):
        two = candidates(one, ("b", *one[1:]))
        plan_contacts(two.assign(day=[MONDAY, MONDAY + timedelta(days=1)]), **asked)
    with pytest.raises(ValueError, match="cost"):
        plan_contacts(candidates((*one[:5], -1.0, 2.0)), **asked)
    with pytest.raises(ValueError, match="group"):
        plan_contacts(candidates(one), **asked, explored_share={"g": 0.5})


def test_patterns_are_closed_and_counted():
    found = make_patterns(
        slot_days=[0, 7, 14], channels=["email", "phone"],
        rules=[ContactRule(2, 15), ContactRule(1, 15, "phone"), ContactRule(1, 7)],
    )  # fmt: skip
    # None, 3 slots × 2 channels, 3 pairs × (4 less both by phone).
    assert len(found.channel) == 1 + 6 + 9
    for way, extended in zip(found.channel, found.extended, strict=True):
        for place, then in enumerate(extended):
            channel, slot = divmod(place, 3)
            if then >= 0:
                assert found.channel[then].tolist() == [
                    channel if s == slot else c for s, c in enumerate(way)
                ]
    with pytest.raises(ValueError, match="fewer slots"):
        make_patterns(slot_days=range(12), channels=["email", "sms"], rules=[])


rows = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 2), st.sampled_from(["email", "phone"]),
        st.sampled_from(["keep", "win"]), st.sampled_from([0.0, 0.5, 1.0, 3.0]),
        st.integers(-3, 9),
    ),
    max_size=25, unique_by=lambda row: row[:4],
)  # fmt: skip
limits_ = st.builds(
    Limits,
    st.one_of(st.none(), st.floats(0, 8)),
    st.dictionaries(st.sampled_from(["keep", "win"]), st.floats(0, 5)),
    st.dictionaries(st.sampled_from(["email", "phone"]), st.integers(0, 3)),
)
rules_ = st.lists(
    st.builds(ContactRule, st.integers(0, 2), st.integers(1, 28), st.sampled_from([None, "phone"])),
    max_size=3,
)
pasts = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["email", "phone"]), st.integers(-25, 30)),
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(rows, limits_, rules_, pasts, st.floats(0, 1), st.booleans())
def test_no_plan_breaks_limit_cap_spacing_or_floor(asked, limits, rules, past, share, exact):
    table = candidates(*[(f"c{c}", s, ch, g, g, cost, float(m)) for c, s, ch, g, cost, m in asked])
    before = pd.DataFrame(
        [(f"c{c}", str(n), ch, pd.Timestamp(MONDAY) - pd.Timedelta(days=d), "sent")
         for n, (c, ch, d) in enumerate(past)],
        columns=["customer_id", "contact_id", "channel", "at", "event"],
    )  # fmt: skip
    before = before.astype({"customer_id": "str", "at": "datetime64[us]"})
    groups = pd.DataFrame({"customer_id": [f"c{n}" for n in range(6)], "group": list("ababab")})
    plan = plan_contacts(
        table, limits=limits, rules=rules, contacts=before, groups=groups,
        explored_share={"a": share}, exact=exact,
    )  # fmt: skip
    chosen = plan.messages
    assert not chosen.duplicated(["customer_id", "slot"]).any()
    assert plan.expected_margin <= plan.bound + 1e-3
    assert (chosen["explored"] | (chosen["expected_margin"] > 0)).all()
    budget = np.inf if limits.budget is None else limits.budget
    assert chosen["cost"].sum() <= budget + 1e-4
    for goal, most in limits.goal_budgets.items():
        assert chosen.loc[chosen["goal"] == goal, "cost"].sum() <= most + 1e-4
    for channel, most in limits.channel_capacity.items():
        sent = chosen[chosen["channel"] == channel].groupby("slot").size()
        assert (sent <= most).all()
    for rule in rules:
        for one in chosen.itertuples():
            if not rule.counts(one.channel):
                continue
            for first in range(rule.window_days):
                start = pd.Timestamp(one.day) - pd.Timedelta(days=first)
                end = start + pd.Timedelta(days=rule.window_days)
                days = [
                    pd.Timestamp(r.day)
                    for r in chosen.itertuples()
                    if r.customer_id == one.customer_id and rule.counts(r.channel)
                ]
                days += [
                    r.at
                    for r in before.itertuples()
                    if r.customer_id == one.customer_id and rule.counts(r.channel)
                ]
                assert sum(start <= day < end for day in days) <= rule.at_most
    floor = plan.floors.iloc[0]
    assert floor["wanted"] >= share * floor["customers"] - 1e-6
    assert floor["explored"] <= floor["wanted"]
    if floor["explored"] < floor["wanted"] and not rules:
        # Short only because nothing to anybody else of the group fits beside the explored.
        drawn = chosen[chosen["explored"]]
        others = table[table["customer_id"].isin(["c0", "c2", "c4"])
                       & ~table["customer_id"].isin(drawn["customer_id"])]  # fmt: skip
        for row in others.itertuples():
            in_slot = (drawn["channel"] == row.channel) & (drawn["slot"] == row.slot)
            goal = drawn.loc[drawn["goal"] == row.goal, "cost"].sum()
            assert (
                drawn["cost"].sum() + row.cost > budget
                or goal + row.cost > limits.goal_budgets.get(row.goal, np.inf)
                or in_slot.sum() + 1 > limits.channel_capacity.get(row.channel, np.inf)
            )
