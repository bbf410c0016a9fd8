"""What the truth tables say is what happened."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer360.contracts import CONTRACTS, SHOCKS, arrow_schema
from customer360.worlds import demo
from customer360.worlds.demo.expectation import chances_from_truth
from customer360.worlds.demo.experience import FADES_IN_DAYS, SHOCK_POINTS
from customer360.worlds.demo.messages import COST
from customer360.worlds.demo.truth import HORIZON_DAYS, add_campaigns

AS_OF = date(2025, 12, 31)
YEAR_BEFORE = pd.Timestamp("2024-12-31")
PEOPLE = 3_000


@pytest.fixture(scope="module")
def world():
    return demo.make(people=PEOPLE, seed=21, as_of=AS_OF)


@pytest.fixture(scope="module")
def truth(world):
    return {name: table.to_pandas() for name, table in world.truth.items()}


@pytest.fixture(scope="module")
def orders(world):
    """One row per order whose record is known: person, day, what was paid."""
    lines = world.tables["orders"].to_pandas().drop_duplicates(["source", "order_id", "line_no"])
    lines = lines[(lines["ordered_at"] < "2026-01-01") & (lines["amount"] > 0)]
    lines = lines.merge(world.truth["people_links"].to_pandas(), on=["source", "source_id"])
    paid = lines["status"] == "paid"
    lines = lines.assign(
        day=lines["ordered_at"].dt.tz_localize("UTC").dt.tz_convert("Europe/Paris").dt.date,
        paid=lines["amount"] * paid,
        left=(lines["amount"] - lines["quantity"] * lines["unit_cost"]) * paid,
    )
    by = lines.groupby(["source", "order_id"])
    return by.agg(
        person_id=("person_id", "first"), day=("day", "first"), amount=("paid", "sum"),
        margin=("left", "sum"), lines=("line_no", "size"), coupon=("coupon_id", "first"),
    ).reset_index()  # fmt: skip


def test_no_number_is_missing_or_infinite(truth):
    for name, frame in truth.items():
        numbers = frame.select_dtypes("number")
        empty_by_design = numbers.columns.intersection(["cycle_period"])
        assert np.isfinite(numbers.drop(columns=empty_by_design)).all().all(), name


def test_people_traits_and_orders_speak_of_the_same(truth, orders):
    people, traits = truth["people"], truth["traits"]
    assert people["person_id"].tolist() == traits["person_id"].tolist()
    buyers = people[people["purchase_rate"] > 0]
    assert people["potential_class"].notna().equals(people["purchase_rate"] > 0)
    assert set(orders["person_id"]) <= set(buyers["person_id"])
    one = orders.merge(people, on="person_id")
    day = pd.to_datetime(one["day"])
    assert (day >= pd.to_datetime(one["joined_on"])).all()
    left = pd.to_datetime(one["left_on"])
    assert not (day > left).any()
    assert people["left_on"].notna().equals(people["potential_class"] == "inactif")
    assert traits["cycle"].notna().equals(traits["cycle_period"].notna())


def test_shocks_add_up_and_fade_from_one_to_the_next(truth):
    shocks = truth["shocks"].copy()
    shocks["day"] = pd.to_datetime(shocks["day"])
    points = dict(zip(SHOCKS, SHOCK_POINTS, strict=True))
    before = shocks.groupby("person_id")[["day", "dissatisfaction"]].shift()
    wait = (shocks["day"] - before["day"]).dt.days
    assert (wait.dropna() >= 0).all()
    old = (before["dissatisfaction"] * np.exp(-wait / FADES_IN_DAYS)).fillna(0.0)
    now = np.maximum(old + shocks["kind"].map(points), 0)
    assert shocks["dissatisfaction"].to_numpy() == pytest.approx(now.to_numpy())
    assert shocks["change"].to_numpy() == pytest.approx((now - old).to_numpy())
    left = shocks.merge(truth["people"], on="person_id")
    assert not (left["day"] > pd.to_datetime(left["left_on"])).any()


# --- messages ---


def test_every_contact_has_its_truth(world, truth):
    contacts = world.tables["contacts"].to_pandas()
    assert set(contacts["contact_id"]) == set(truth["contacts"]["contact_id"])
    links = truth["people_links"]
    person = contacts.merge(links, on=["source", "source_id"]).merge(
        truth["contacts"], on="contact_id", suffixes=("", "_true")
    )
    assert (person["person_id"] == person["person_id_true"]).all()
    assert (person["campaign_id"] == person["campaign_id_true"]).all()


def test_campaigns_are_sums_of_contacts_and_orders(world, truth, orders):
    campaigns = truth["campaigns"].set_index(["campaign_id", "variant"])
    events = world.tables["contacts"].to_pandas().drop_duplicates(["contact_id", "event"])
    for column, event in (("contacted", "sent"), ("held_out", "held_out")):
        count = events[events["event"] == event].groupby(["campaign_id", "variant"]).size()
        assert count.reindex(campaigns.index, fill_value=0).equals(
            campaigns[column].rename(None)
        ), column
    cost = dict(zip(("email", "sms", "phone", "post", "social", "web"), COST, strict=True))
    assert campaigns["cost"].to_numpy() == pytest.approx(
        (campaigns["contacted"] * campaigns["channel"].map(cost)).to_numpy()
    )
    caused = truth["orders"].groupby("campaign_id").size()
    per_campaign = campaigns.groupby("campaign_id").sum(numeric_only=True)
    assert caused.reindex(per_campaign.index, fill_value=0).equals(
        per_campaign["caused_orders"].rename(None)
    )
    # But for the few orders spoiled on their way.
    known = truth["orders"].merge(orders, on=["source", "order_id"])
    assert len(known) > 0.98 * len(truth["orders"])
    assert known["person_id_x"].equals(known["person_id_y"])
    assert known["amount"].sum() == pytest.approx(per_campaign["caused_amount"].sum(), rel=0.03)
    assert known["margin"].sum() == pytest.approx(per_campaign["caused_margin"].sum(), rel=0.03)
    assert per_campaign["prevented_orders"].sum() > 5


def test_campaigns_of_chunks_add_up():
    schema = arrow_schema(CONTRACTS["truth.campaigns"])
    keys = {"campaign_id": ["C2", "C1"], "variant": ["A", "A"], "channel": ["sms", "email"]}
    numbers = [name for name in schema.names if name not in keys]
    parts = [
        pa.table({**keys, **{name: [k, 10 * k] for name in numbers}}, schema=schema) for k in (1, 2)
    ]
    total = add_campaigns(parts)
    assert total.schema == schema
    assert total["campaign_id"].to_pylist() == ["C1", "C2"]
    for name in numbers:
        assert total[name].to_pylist() == [30, 3], name


def test_social_ads_cause_nothing_and_the_rest_something(truth):
    by_channel = truth["campaigns"].groupby("channel")["caused_orders"].sum()
    assert by_channel["social"] == 0
    assert by_channel["email"] > 100
    uplift = truth["uplift"]
    effects = [name for name in uplift.columns if name.startswith("effect_")]
    assert (uplift.loc[uplift["channel"] == "social", effects] == 0).all().all()


def test_uplift_is_that_of_the_kind_of_person(truth):
    uplift = truth["uplift"].merge(truth["traits"], on="person_id")
    uplift = uplift.merge(truth["people"], on="person_id")
    assert len(uplift) == 6 * PEOPLE
    gone = uplift["left_on"].notna() | (uplift["purchase_rate"] == 0)
    assert (uplift.loc[gone, "effect_percent_20"] == 0).all()
    email = uplift[~gone & (uplift["channel"] == "email")]
    mean = email.groupby("response_kind")["effect_percent_20"].mean()
    assert mean["persuadable"] > 0.1 > 0 > mean["sleeping_dog"]
    assert abs(mean["lost_cause"]) < 0.03
    # Deeper reductions never do less, but for no offer beside a gift.
    assert (email["effect_percent_30"] >= email["effect_percent_20"]).all()
    assert (email["effect_percent_20"] >= email["effect_percent_10"]).all()


# --- expectations ---


def test_expectations_are_possible(truth):
    expected = truth["expectations"]
    assert sorted(set(expected["as_of"])) == [date(2024, 12, 31), AS_OF]
    assert expected["p_leave"].between(0, 1).all()
    assert expected["p_no_purchase"].between(0, 1).all()
    gone = ~expected["alive"]
    assert (expected.loc[gone, ["p_leave", "p_no_purchase"]] == 1).all().all()
    nothing = ["expected_transactions", "expected_revenue", "expected_margin"]
    assert (expected.loc[gone, nothing] == 0).all().all()
    here = expected[~gone]
    assert (here["expected_margin"] < here["expected_revenue"]).all()
    assert (here["expected_cost"] > 0).all()
    # After the last day no message is sent, and those who left cost nothing.
    assert (expected.loc[gone & (expected["as_of"] == AS_OF), "expected_cost"] == 0).all()
    one = expected[expected["as_of"] == AS_OF].merge(truth["people"], on="person_id")
    assert (one["alive"] == ((one["purchase_rate"] > 0) & one["left_on"].isna())).all()


def test_the_dissatisfied_are_expected_to_buy_cheaper(truth):
    expected = truth["expectations"].merge(truth["traits"], on="person_id")
    expected = expected[expected["alive"] & (expected["as_of"] == AS_OF)].set_index("person_id")
    order = expected["expected_revenue"] / expected["expected_transactions"]
    fall = order / expected["revenue_per_order"]
    last = truth["shocks"].drop_duplicates("person_id", keep="last").set_index("person_id")
    wait = (pd.Timestamp(AS_OF) - pd.to_datetime(last["day"])).dt.days
    state = (last["dissatisfaction"] * np.exp(-wait / FADES_IN_DAYS)).reindex(fall.index)
    state = state.fillna(0.0)
    assert (state > 1).sum() > 20
    # Prices of the year to come are one per cent above those of the last day.
    assert fall.max() < 1.011
    assert fall[state == 0].mean() > 0.97
    assert fall[state > 1].mean() < fall[state == 0].mean() - 0.08


def test_the_year_that_followed_was_as_expected(truth, orders):
    expected = truth["expectations"]
    expected = expected[expected["alive"] & (pd.to_datetime(expected["as_of"]) == YEAR_BEFORE)]
    bought = orders[pd.to_datetime(orders["day"]) > YEAR_BEFORE].groupby("person_id")
    one = expected.set_index("person_id").join(
        bought.agg(n=("order_id", "size"), amount=("amount", "sum"))
    )
    one = one.join(truth["people"].set_index("person_id")["left_on"]).fillna({"n": 0, "amount": 0})
    left = pd.to_datetime(one["left_on"]).notna() & (pd.to_datetime(one["left_on"]) <= "2025-12-31")
    for seen, foreseen in (
        (one["n"], one["expected_transactions"]),
        (one["amount"], one["expected_revenue"]),
        (left, one["p_leave"]),
        (one["n"] == 0, one["p_no_purchase"]),
    ):
        gap = seen.astype(float) - foreseen
        assert abs(gap.sum()) < 4 * gap.std() * np.sqrt(len(gap)), foreseen.name
    # And person by person.
    assert np.corrcoef(one["n"], one["expected_transactions"])[0, 1] > 0.8


def test_chances_can_be_had_from_the_truth_tables_alone(truth):
    """From the last day: no message follows, and experiences to come make the difference."""
    none = pd.DataFrame({"person_id": [], "day": [], "potential": []})
    chances = chances_from_truth(
        people=truth["people"],
        traits=truth["traits"],
        shocks=truth["shocks"],
        messages=none.astype({"person_id": str, "day": "datetime64[us]", "potential": float}),
        as_of=AS_OF,
        days=HORIZON_DAYS,
    )
    expected = truth["expectations"]
    expected = expected[expected["as_of"] == AS_OF].reset_index(drop=True)
    assert chances["person_id"].tolist() == expected["person_id"].tolist()
    assert chances["alive"].tolist() == expected["alive"].tolist()
    assert chances["p_no_purchase"].to_numpy() == pytest.approx(
        expected["p_no_purchase"].to_numpy(), abs=1e-9
    )
    assert (chances["p_leave"] <= expected["p_leave"] + 1e-9).all()
    assert (chances["p_leave"] - expected["p_leave"]).abs().mean() < 0.02


def test_messages_ahead_make_a_purchase_likelier(truth):
    someone = truth["expectations"].query("alive")["person_id"].iloc[0]
    usual, more = (
        chances_from_truth(
            people=truth["people"],
            traits=truth["traits"],
            shocks=truth["shocks"],
            messages=pd.DataFrame(
                {"person_id": [someone], "day": [pd.Timestamp("2025-03-01")], "potential": [effect]}
            ),
            as_of=YEAR_BEFORE.date(),
            days=HORIZON_DAYS,
        ).set_index("person_id")
        for effect in (0.0, 0.5)
    )
    assert more.loc[someone, "p_no_purchase"] < usual.loc[someone, "p_no_purchase"]
    assert more.drop(someone).equals(usual.drop(someone))
