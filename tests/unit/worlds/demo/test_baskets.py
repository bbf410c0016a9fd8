"""Prices, offers, order numbers, and what an order is expected to bring."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.worlds.demo import goods
from customer360.worlds.demo.baskets import (
    MOST_LINES,
    expected_order,
    make_catalogue,
    make_lines,
    redeem,
)
from customer360.worlds.demo.chunk import Chunk
from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.experience import BAD
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.milestones import Milestones
from customer360.worlds.demo.people import NEVER, make_people
from customer360.worlds.demo.purchases import furnish, visit_days
from customer360.worlds.demo.records import make_records
from customer360.worlds.demo.traits import CYCLES, SYSTEMS, cycle_window, make_traits

PEOPLE = 1_500
CLOCK = make_clock(as_of=date(2025, 12, 31), years=2)
FOLK = make_people(people=PEOPLE, clock=CLOCK, rng=np.random.default_rng(0))
TRAITS = make_traits(people=FOLK, laws=Laws(), clock=CLOCK, rng=np.random.default_rng(1))
CATALOGUE = make_catalogue(clock=CLOCK, rng=np.random.default_rng(2))
NO_EVENTS = Milestones(day=np.full((PEOPLE, 5), NEVER), declared=np.zeros((PEOPLE, 5), dtype=bool))
NO_OFFER = np.array([-1])


def _alike(person: int, **changed: np.ndarray):
    """A world whose people are all like one of them, known for long."""
    traits = replace(
        TRAITS,
        **{f.name: np.repeat(getattr(TRAITS, f.name)[[person]], PEOPLE, 0) for f in fields(TRAITS)},
    )
    long_known = {"join_day": np.full(PEOPLE, -9), "gone_day": np.full(PEOPLE, NEVER)}
    traits = replace(traits, **long_known, **changed)
    records = make_records(people=FOLK, traits=traits, clock=CLOCK, rng=np.random.default_rng(3))
    return traits, replace(records, created_day=np.minimum(records.created_day, -1))


def _orders(traits, records) -> pd.DataFrame:
    visits = visit_days(traits=traits, clock=CLOCK, rng=np.random.default_rng(4))
    rng = np.random.default_rng(5)
    orders = furnish(visits=visits, traits=traits, records=records, clock=CLOCK, rng=rng)
    orders = orders.sort_values(["day", "minute"], ignore_index=True)
    return orders.assign(bad=0, offer=-1, depth=0.0, campaign=-1)


def _lines(orders, traits, records, *, state=0.0, catalogue=CATALOGUE, **changed):
    usual = {"offer_ids": [], "offer_categories": NO_OFFER}
    return make_lines(
        orders=orders,
        state=np.full(len(orders), state),
        traits=traits,
        milestones=NO_EVENTS,
        records=records,
        catalogue=catalogue,
        laws=Laws(),
        clock=CLOCK,
        rng=np.random.default_rng(6),
        **{**usual, **changed},
    )


@pytest.fixture(scope="module")
def filled():
    records = make_records(people=FOLK, traits=TRAITS, clock=CLOCK, rng=np.random.default_rng(3))
    orders = _orders(TRAITS, records)
    return _lines(orders, TRAITS, records)


# --- goods and lines ---


def test_products_are_sorted_by_price_and_none_is_sold_at_a_loss():
    assert (np.diff(CATALOGUE.price, axis=1) >= 0).all()
    assert (CATALOGUE.unit_cost < CATALOGUE.price).all() and (CATALOGUE.unit_cost > 0).all()
    assert CATALOGUE.index.shape == (CLOCK.days, len(goods.CATEGORIES))
    assert CATALOGUE.index.min() > 0.7 and CATALOGUE.index.max() < 1.3
    assert CATALOGUE.table.schema == arrow_schema(CONTRACTS["raw.products"])
    validate_batch(CONTRACTS["raw.products"], CATALOGUE.table)


def test_lines_keep_their_contract_and_add_up(filled):
    orders, table = filled
    assert table.schema == arrow_schema(CONTRACTS["raw.orders"])
    validate_batch(CONTRACTS["raw.orders"], table)
    lines = table.to_pandas()
    assert not lines.duplicated(["source", "order_id", "line_no"]).any()
    paid = lines[lines["status"] == "paid"]
    by_order = paid.groupby(["source", "order_id"])
    keys = pd.MultiIndex.from_arrays([np.array(SYSTEMS)[orders["system"]], orders["order_id"]])
    amount = by_order["amount"].sum().reindex(keys, fill_value=0.0).to_numpy()
    assert orders["amount"].to_numpy() == pytest.approx(amount)
    cost = (paid["quantity"] * paid["unit_cost"]).groupby([paid["source"], paid["order_id"]]).sum()
    cost = cost.reindex(keys, fill_value=0.0).to_numpy()
    assert orders["margin"].to_numpy() == pytest.approx(amount - cost)
    assert (lines["amount"] > 0).all() and (lines["discount"] >= 0).all()
    assert lines["quantity"].ge(1).all() and lines["coupon_id"].isna().all()
    sizes = lines.groupby(["source", "order_id"]).size()
    assert sizes.min() == 1 and sizes.max() <= MOST_LINES
    # A bill is unpaid as a whole.
    unpaid = (lines["status"] == "unpaid").groupby([lines["source"], lines["order_id"]]).mean()
    assert set(unpaid) == {0.0, 1.0}


def test_order_numbers_rise_with_time_within_each_system(filled):
    orders, _ = filled
    for number, system in enumerate(SYSTEMS):
        mine = orders["order_id"][orders["system"] == number]
        assert mine.is_monotonic_increasing and mine.is_unique, system


def test_order_numbers_of_chunks_are_apart():
    traits, records = _alike(np.flatnonzero(TRAITS.buyer)[0])
    orders = _orders(traits, records).head(50)
    numbers = [
        set(_lines(orders, traits, records, chunk=Chunk(index=index, count=3))[0]["order_id"])
        for index in range(3)
    ]
    assert len(set.union(*numbers)) == 3 * 50


def test_dissatisfied_people_trade_down_and_damaged_goods_come_back():
    traits, records = _alike(np.flatnonzero(TRAITS.buyer & (TRAITS.cycle < 0))[0])
    orders = _orders(traits, records)
    happy, _ = _lines(orders, traits, records)
    furious, _ = _lines(orders, traits, records, state=2.0)
    assert furious["amount"].mean() < 0.85 * happy["amount"].mean()
    broken = orders.assign(bad=BAD.index("casse"))
    _, lines = _lines(broken, traits, records)
    status = (
        lines.to_pandas().groupby("line_no")["status"].apply(lambda s: (s == "returned").mean())
    )
    assert status["1"] == pytest.approx(0.5, abs=0.04)
    assert status["2"] < 0.25


# --- offers ---


def test_an_offer_reduces_lines_of_its_category_only():
    traits, records = _alike(np.flatnonzero(TRAITS.buyer & (TRAITS.cycle < 0))[0])
    orders = _orders(traits, records)
    # Every second order was caused by the offer, the others use it as they come.
    caused = np.arange(len(orders)) % 2 == 0
    with_offer = orders.assign(offer=0, depth=0.5, campaign=np.where(caused, 7, -1))
    garden = goods.CATEGORY_NAMES.index("Jardin")
    _, lines = _lines(
        with_offer, traits, records, offer_ids=["OFF001"], offer_categories=np.array([garden, -1])
    )
    lines = lines.to_pandas()
    used = lines["coupon_id"].notna()
    assert (used == (lines["category"] == "Jardin")).all()
    share = lines["discount"] / (lines["amount"] + lines["discount"])
    assert share[used].min() > 0.49 and share[~used].mean() < 0.15
    first = lines[lines["line_no"] == "1"].reset_index(drop=True)
    assert (first["category"][caused] == "Jardin").all()
    assert not (first["category"][~caused] == "Jardin").all()
    # One for everything reduces everything.
    _, lines = _lines(
        with_offer, traits, records, offer_ids=["OFF001"], offer_categories=np.array([-1, -1])
    )
    assert lines["coupon_id"].null_count == 0


def test_an_offer_is_used_after_it_came_and_before_it_ends():
    days = [10, 11, 12, 13, 30, 31, 32, 12]
    orders = pd.DataFrame({"person": [0] * 7 + [1], "day": days, "offer": -1, "depth": 0.0})
    events = pd.DataFrame(
        {"person": [0, 0], "campaign": [0, 1], "variant": [0, 1], "arrived_on": [11, 12]}
    )
    offers = pd.DataFrame(
        {"campaign": [0, 1], "variant": [0, 1], "offer": [4, 9], "depth": [0.1, 0.3],
         "start": [8, 12], "end": [31, 30]}
    )  # fmt: skip
    keen = replace(TRAITS, promo=np.full(PEOPLE, 3.0))  # always
    used = redeem(
        orders=orders, events=events, offers=offers, traits=keen, laws=Laws(),
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert used["offer"].tolist() == [-1, -1, 4, 9, 9, 4, -1, -1]
    assert used["depth"].tolist() == [0, 0, 0.1, 0.3, 0.3, 0.1, 0, 0]
    assert (orders["offer"] == -1).all()  # what came in is left as it was


def test_an_order_that_a_message_caused_keeps_its_offer():
    orders = pd.DataFrame({"person": [0], "day": [20], "offer": [2], "depth": [0.2]})
    events = pd.DataFrame({"person": [0], "campaign": [0], "variant": [0], "arrived_on": [11]})
    offers = pd.DataFrame(
        {"campaign": [0], "variant": [0], "offer": [4], "depth": [0.5], "start": [8], "end": [31]}
    )
    keen = replace(TRAITS, promo=np.full(PEOPLE, 3.0))
    rng = np.random.default_rng(0)
    known = {"orders": orders, "events": events, "offers": offers, "traits": keen}
    used = redeem(**known, laws=Laws(), rng=rng)
    assert used["offer"].tolist() == [2]


# --- what is expected ---


def _regular() -> int:
    return int(np.flatnonzero(TRAITS.buyer & (TRAITS.cycle < 0) & (TRAITS.promo < 0.6))[2])


@pytest.mark.parametrize("state", [0.0, 0.5])
def test_an_average_order_is_what_is_expected_of_it(state):
    traits, records = _alike(_regular(), rate=np.full(PEOPLE, 8.0))
    made, _ = _lines(_orders(traits, records), traits, records, state=state)
    expected = expected_order(
        traits=traits, catalogue=CATALOGUE, clock=CLOCK, trading_down=Laws().trading_down * state
    )
    for name, value in (("amount", expected.revenue[0]), ("margin", expected.margin[0])):
        error = made[name].std() / np.sqrt(len(made))
        # Two years of inflation make past prices one per cent lower on average.
        assert abs(made[name].mean() - 0.98 * value) < 4 * error + 0.02 * value, name


@pytest.mark.parametrize("cycle", range(len(CYCLES)))
def test_cyclic_customers_buy_what_their_season_brings(cycle):
    person = int(np.flatnonzero(TRAITS.buyer & (TRAITS.cycle == cycle) & (TRAITS.promo < 0.6))[0])
    traits, records = _alike(person, rate=np.full(PEOPLE, 3.0))
    level = np.ones_like(CATALOGUE.index)
    steady = replace(CATALOGUE, index=level)
    made, _ = _lines(_orders(traits, records), traits, records, catalogue=steady)
    value = expected_order(traits=traits, catalogue=steady, clock=CLOCK).revenue[0]
    name = list(CYCLES)[cycle]
    ends = [cycle_window(cycle=name, year=year, clock=CLOCK)[1] for year in CLOCK.years]
    prices = np.mean([1.02 ** ((end - 12 - CLOCK.days) / 365.25) for end in ends])
    error = made["amount"].std() / np.sqrt(len(made))
    assert abs(made["amount"].mean() - prices * value) < 4 * error + 0.01 * value


def test_big_spenders_and_those_who_send_little_back_bring_more():
    person = _regular()
    traits, _ = _alike(person, spend=np.linspace(0.5, 2.0, PEOPLE))
    value = expected_order(traits=traits, catalogue=CATALOGUE, clock=CLOCK)
    assert (np.diff(value.revenue) > 0).all() and (value.margin < value.revenue).all()
    traits, _ = _alike(person, demanding=np.linspace(0.0, 5.0, PEOPLE))
    value = expected_order(traits=traits, catalogue=CATALOGUE, clock=CLOCK)
    assert (np.diff(value.revenue) < 0).all()
