from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from uplifts import same_for_all

from customer360.features.campaign_contacts import MOMENT_FEATURES
from customer360.models.lessons import Lessons
from customer360.models.uplift import UpliftModel
from customer360.planning.pressure import ContactRule
from customer360.simulated_year import (
    PlainPolicy,
    PlanPolicy,
    Population,
    compare_policies,
    learning_gains,
    simulate_year,
)
from customer360.worlds.demo.messages import CHANNEL_NAMES, IMAGES, THEMES

RULES = [ContactRule(1, 7), ContactRule(3, 28), ContactRule(1, 28, "post")]
ARMS = pd.DataFrame(
    {
        "channel": ["email", "email", "post"],
        "offer": ["none", "percent_20", "none"],
        "kind": [None, "percent", None],
        "coupons": [0.0, 1.0, 0.0],
        "depth": [0.0, 0.2, 0.0],
        "min_margin": [0.0, 0.1, 0.0],
        "cost": [0.02, 0.02, 0.85],
        "arrives": [1.0, 1.0, 1.0],
    }
)


def population(customers: int = 300, *, pull: float = 0.1, seed: int = 3) -> Population:
    """Everybody may get everything; belonging with people does three times as much."""
    rng = np.random.default_rng(seed)
    moments = pd.DataFrame(1.0, index=range(customers), columns=list(MOMENT_FEATURES))
    appeal = np.full((customers, len(THEMES) * len(IMAGES)), 0.5)
    appeal[:, THEMES.index("belonging") * len(IMAGES) + IMAGES.index("people")] = 1.5
    added = pull * rng.uniform(0.5, 1.5, (customers, 1)) * [[1.0, 1.2, 1.5]]
    return Population(
        moments=moments.assign(customer_id=range(customers), order_amount=50.0, order_margin=20.0),
        churn=rng.random(customers),
        may=np.ones((customers, len(ARMS)), dtype=bool),
        arms=ARMS,
        added=added,
        appeal=appeal,
        push=np.zeros(customers),
        coming=np.full(customers, 0.1),
        margin=np.full(customers, 20.0),
        revenue=np.full(customers, 50.0),
        redeems=np.full(customers, 0.3),
    )


def model() -> UpliftModel:
    """Ten orders of a hundred customers anyway, five more by a message."""
    return same_for_all(pull=0.05, push=np.exp(-15.0), variance=0.0)


def untaught() -> Lessons:
    return Lessons.untaught(themes=THEMES, images=IMAGES, channels=CHANNEL_NAMES)


def test_a_message_earns_what_the_law_says():
    people = population()
    once = PlainPolicy(0, people.churn, monthly=True)
    year = simulate_year(people, policy=once, rules=RULES, budget=1e6, months=1)
    assert year["messages"].tolist() == [len(people)]
    assert year["cost"].item() == pytest.approx(0.02 * len(people))
    # Contents go in turn: a fresh customer's pull, times what the contents do on average.
    mean = people.appeal.mean() * people.added[:, 0].sum() * 20.0
    assert year["margin"].item() == pytest.approx(mean - 0.02 * len(people), rel=0.1)


def test_tired_customers_answer_less_and_rest_helps():
    people = population(pull=0.3)
    weekly = simulate_year(people, policy=PlainPolicy(0, people.churn), rules=RULES, budget=1e6)
    assert weekly["month"].tolist() == list(range(1, 14))
    monthly = simulate_year(
        people, policy=PlainPolicy(0, people.churn, monthly=True), rules=RULES, budget=1e6
    )
    assert weekly["messages"].sum() == 3 * monthly["messages"].sum()
    a_message = [(y["margin"].sum() / y["messages"].sum()) for y in (weekly, monthly)]
    assert a_message[0] < 0.6 * a_message[1]


def test_budget_goes_to_the_head_of_the_list():
    people = population()
    policy = PlainPolicy(0, people.churn, monthly=True)
    year = simulate_year(people, policy=policy, rules=RULES, budget=1.0, months=2)
    assert year["messages"].tolist() == [50, 50]
    assert (year["cost"] <= 1.0 + 1e-9).all()


def test_a_plan_keeps_rules_and_budget():
    people = population()
    year = simulate_year(
        people, policy=PlanPolicy(model(), 0.2, 0.01), rules=RULES, budget=8.0, months=3
    )
    assert (year["cost"] <= 8.0 + 1e-4).all()
    free = simulate_year(
        people, policy=PlanPolicy(model(), 0.2, 0.01), rules=RULES, budget=1e6, months=3
    )
    assert (free["messages"] <= 3 * len(people)).all()
    assert free["margin"].sum() > year["margin"].sum()


def test_learning_finds_the_content_that_works():
    people = population(2000, pull=0.2)
    given = {"rules": RULES, "budget": 1e6, "months": 5}
    turn = simulate_year(people, policy=PlanPolicy(model(), 0.2, 0.01), **given)
    policy = PlanPolicy(model(), 0.2, 0.01, untaught(), learns=True)
    taught = simulate_year(people, policy=policy, held_out_share=0.05, explored_share=0.2, **given)
    factor = policy.lessons.table().set_index("lesson")["factor"]
    assert factor["theme belonging, picture people"] > 1.2
    assert factor["theme belonging"] > factor["theme price"]
    last = [table["margin"].iloc[-1] / table["messages"].iloc[-1] for table in (turn, taught)]
    assert last[1] > 1.5 * last[0]


def test_nobody_learns_where_contents_do_the_same():
    people = population(1000)
    people.appeal[:] = 1.0
    policy = PlanPolicy(model(), 0.2, 0.01, untaught(), learns=True)
    simulate_year(people, policy=policy, rules=RULES, budget=1e6, held_out_share=0.05, months=4)
    table = policy.lessons.table()
    contents = table[table["lesson"].str.startswith(("theme", "picture"))]
    assert ((contents["low"] < 1) & (contents["high"] > 1)).mean() > 0.9


def test_held_out_messages_cost_nothing_and_add_nothing():
    people = population()
    policy = PlainPolicy(0, people.churn, monthly=True)
    year = simulate_year(
        people, policy=policy, rules=RULES, budget=1e6, held_out_share=1.0, months=1
    )
    assert year[["messages", "cost", "margin"]].to_numpy().tolist() == [[0, 0, 0]]


def test_policies_are_compared_on_the_same_customers_and_money():
    people = population(200)
    given = {
        "model": model(),
        "lessons": untaught(),
        "rules": RULES,
        "budget": 20.0,
        "fatigue_share": 0.2,
        "least_uplift_orders": 0.01,
        "customers": 60,
        "held_out_share": 0.05,
        "explored_share": 0.05,
        "months": 3,
    }
    years = compare_policies(people, seeds=[1, 2], **given)
    assert years.groupby(["seed", "policy"]).size().eq(3).all()
    assert (years["cost"] <= 20.0 * 60 / 200 + 1e-4).all()
    assert years.equals(compare_policies(people, seeds=[1, 2], **given))
    gains = learning_gains(years)
    earned = years.pivot_table(index="seed", columns="policy", values="margin", aggfunc="sum")
    ratio = earned["plan, learning"] / earned["plan, contents in turn"]
    assert gains["learning_gain"] == pytest.approx(ratio.mean())
    assert gains["learning_gain_low"] < gains["learning_gain"] < gains["learning_gain_high"]
    plain = earned[[name for name in earned if not name.startswith("plan")]].max(axis=1)
    assert gains["learning_gain_over_plain_policy"] == pytest.approx(
        (earned["plan, learning"] / plain).mean()
    )
