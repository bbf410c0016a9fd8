from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from uplifts import same_for_all

from customer360.contracts import CONTRACTS, QUADRANTS
from customer360.features.campaign_contacts import MOMENT_FEATURES
from customer360.models.lessons import Lessons
from customer360.models.offer_scores import order_value, quadrant, score_offers
from customer360.models.promo_amount import doubly_robust_gap, promo_amounts
from customer360.models.uplift import UpliftModel

OFFERS = pd.DataFrame({
    "channel": ["email", "email", "email", "social"], "cost": 0.02,
    "offer": ["none", "percent_10", "percent_30", "none"],
    "kind": [None, "percent", "percent", None], "coupons": [0.0, 1.0, 1.0, 0.0],
    "depth": [0.0, 0.1, 0.3, 0.0], "min_margin": [0.0, 0.15, 0.15, 0.0],
    "tested": [True, True, True, False],
})  # fmt: skip


def moments(customers: int = 6, **columns) -> pd.DataFrame:
    table = pd.DataFrame(1.0, index=range(customers), columns=list(MOMENT_FEATURES))
    names = [f"c{n}" for n in range(customers)]
    table = table.assign(customer_id=names, order_amount=100.0, order_margin=40.0, known_days=900.0)
    return table.assign(**columns)


def scores(uplift: UpliftModel | None, table: pd.DataFrame | None = None) -> pd.DataFrame:
    return score_offers(
        moments() if table is None else table,
        offers=OFFERS,
        receptiveness=None,
        uplift=uplift,
        least_uplift_orders=0.01,
    )


def test_scores_keep_their_contract():
    table = scores(same_for_all(pull=0.05))
    assert set(table) == {c.name for c in CONTRACTS["response_scores"].columns} - {"as_of"}
    assert len(table) == 24
    assert not table.duplicated(["customer_id", "channel", "offer"]).any()


def test_a_message_is_worth_what_lessons_say_of_it():
    plain = scores(same_for_all(pull=0.05)).set_index(["customer_id", "channel", "offer"])
    lessons = Lessons.untaught(themes=["price", "status"], images=["people"], channels=["email"])
    weights = lessons.weights | {"theme price": np.log(2.0), "depth": -0.1}
    lessons = replace(lessons, weights=weights)
    contents = pd.DataFrame({"theme": ["price"] * 3 + ["status"] * 3, "image": "people"})
    taught = score_offers(
        moments(),
        offers=OFFERS,
        receptiveness=None,
        uplift=same_for_all(pull=0.05),
        least_uplift_orders=0.01,
        lessons=lessons,
        contents=contents,
    ).set_index(plain.index.names)
    doubled = taught["uplift"] / plain["uplift"]
    assert doubled.xs(("c0", "email", "none")) == pytest.approx(2.0, rel=1e-3)
    assert doubled.xs(("c5", "email", "none")) == pytest.approx(1.0, rel=1e-3)
    assert doubled.xs(("c5", "email", "percent_10")) == pytest.approx(np.exp(-0.1), rel=1e-3)
    assert (taught["expected_margin"] > plain["expected_margin"]).xs(("c0", "email", "none"))
    # A lesson that is not sure widens what a message may do.
    known = taught["uplift"].notna()
    spans = [(t["uplift_high"] - t["uplift_low"])[known] for t in (taught, plain)]
    assert (spans[0] > 1.2 * spans[1]).all()


def test_what_is_confirmed_stands_beside_what_is_expected():
    sure = {"reduction": 0.6, "plain": 0.4}
    asked = {"offers": OFFERS, "receptiveness": None, "least_uplift_orders": 0.01}
    told = same_for_all(pull=0.05)
    table = score_offers(moments(), uplift=told, confirmed=sure, **asked)
    pd.testing.assert_frame_equal(
        table.drop(columns="confirmed_margin"), scores(told).drop(columns="confirmed_margin")
    )
    lost = (table["expected_margin"] - table["confirmed_margin"]).groupby(table["offer"]).first()
    assert lost["none"] == pytest.approx((1 - 0.4) * 0.05 * 40, rel=0.01)
    assert lost["percent_10"] == pytest.approx((1 - 0.6) * 0.05 * 40, rel=0.01)
    assert scores(told)["confirmed_margin"].isna().all()


def test_what_was_not_tested_has_no_effect():
    table = scores(same_for_all(pull=0.05))
    untested = table[table["channel"] == "social"]
    assert untested[["uplift", "expected_margin", "quadrant"]].isna().all(axis=None)
    assert scores(None)["uplift"].isna().all()


def test_margin_pays_for_the_reductions_given():
    table = scores(same_for_all(pull=0.05)).set_index("offer")
    plain = table.loc["none"].query("channel == 'email'")
    assert plain["expected_margin"].iloc[0] == pytest.approx(0.05 * 40, rel=0.01)
    used = 0.1 / (1 + np.e) + 0.05
    gain = 0.05 * 40 - 0.1 * 100 * used
    assert table.loc["percent_10", "expected_margin"].iloc[0] == pytest.approx(gain, rel=0.01)


def test_no_reduction_is_worth_it_below_the_margin_floor_or_for_sure_things():
    # 40 % of margin less 30 % of reduction leaves 10 %: below the floor of 15 %.
    table = scores(same_for_all(pull=0.3, without=0.01))
    assert (table.loc[table["offer"] == "percent_30", "expected_margin"] <= 0).all()
    assert (table.loc[table["offer"] == "percent_10", "expected_margin"] > 0).all()
    sure = scores(same_for_all(pull=0.005))
    given = sure[(sure["depth"] > 0) & (sure["quadrant"] == "sure_thing")]
    assert len(given) and (given["expected_margin"] <= 0).all()


def test_four_kinds_of_customers():
    kinds = quadrant(
        np.array([0.02, -0.02, 0.0, 0.0]), np.array([1.0, 1.0, 2.0, 0.1]), least_uplift_orders=0.01
    )
    assert kinds.tolist() == ["persuadable", "sleeping_dog", "sure_thing", "lost_cause"]
    assert set(kinds) == set(QUADRANTS)


def test_few_orders_say_little_of_what_one_is_worth():
    table = moments(2, orders_before=[1.0, 99.0], order_margin=[400.0, 40.0])
    value = order_value(table)
    assert 40 < value["margin"].iloc[0] < 200
    assert value["margin"].iloc[1] == pytest.approx(40, abs=1)


def drawn(customers: int = 900) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(1)
    table = moments(customers, reduced_lines=rng.poisson(2, customers).astype(float))
    table = table.assign(
        campaign_id="CAMP1", channel="email", kind="percent", coupons=1.0, taste=np.nan,
        offer=rng.choice(["percent_10", "percent_30"], customers), propensity=0.8,
        treated=rng.random(customers) < 0.8, orders=rng.poisson(0.2, customers).astype(float),
    )  # fmt: skip
    table["depth"] = np.where(table["offer"] == "percent_10", 0.1, 0.3)
    told = pd.DataFrame({"expected_orders": 0.2, "uplift": 0.0}, index=table.index)
    return table, told


def test_the_smallest_reduction_that_pays():
    contacts, told = drawn()
    amounts = promo_amounts(
        contacts,
        foretold=told,
        moments=contacts.drop(columns=["channel", "kind", "coupons", "depth", "taste", "offer"]),
        model=same_for_all(pull=0.02, without=0.01, deeper=3.0),
        offers=OFFERS,
    )
    assert list(amounts) == [c.name for c in CONTRACTS["promo_amounts"].columns]
    assert amounts["smallest_that_pays"].sum() == amounts["profile"].nunique()
    assert set(amounts.loc[amounts["smallest_that_pays"], "offer"]) == {"percent_10"}
    # Below the floor, whatever it would add.
    assert not amounts.loc[amounts["offer"] == "percent_30", "pays"].any()
    assert (amounts["effect_low"] <= amounts["effect_high"]).all()


def test_the_gap_is_none_when_effects_are_as_foretold():
    contacts, told = drawn(20_000)
    assert doubly_robust_gap(contacts, told).mean() == pytest.approx(0, abs=0.03)
    more = contacts.assign(orders=contacts["orders"] + contacts["treated"] * 0.5)
    assert doubly_robust_gap(more, told).mean() == pytest.approx(0.5, abs=0.03)
