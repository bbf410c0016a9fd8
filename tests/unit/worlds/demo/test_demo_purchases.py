"""When, where and how people buy."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest

from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.experience import DELIVERIES
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.people import NEVER, make_people
from customer360.worlds.demo.purchases import (
    PAYMENT_OF,
    PAYMENTS,
    delivery_shares,
    furnish,
    system_shares,
    visit_days,
)
from customer360.worlds.demo.records import make_records
from customer360.worlds.demo.traits import (
    CALLCENTRE,
    CYCLES,
    SELLING,
    TILL,
    WEB,
    cycle_window,
    make_traits,
)

PEOPLE = 4_000
CLOCK = make_clock(as_of=date(2025, 12, 31), years=3)
FOLK = make_people(people=PEOPLE, clock=CLOCK, rng=np.random.default_rng(0))
TRAITS = make_traits(people=FOLK, laws=Laws(), clock=CLOCK, rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def visits():
    return visit_days(traits=TRAITS, clock=CLOCK, rng=np.random.default_rng(2))


@pytest.fixture(scope="module")
def records():
    return make_records(people=FOLK, traits=TRAITS, clock=CLOCK, rng=np.random.default_rng(3))


@pytest.fixture(scope="module")
def orders(visits, records):
    rng = np.random.default_rng(4)
    return furnish(visits=visits, traits=TRAITS, records=records, clock=CLOCK, rng=rng)


def test_nobody_buys_before_joining_after_being_gone_or_without_being_a_buyer(visits):
    person, day = visits["person"].to_numpy(), visits["day"].to_numpy()
    assert day.min() >= 0 and day.max() < CLOCK.days
    assert (day >= TRAITS.join_day[person]).all()
    assert TRAITS.buyer[person].all() and (TRAITS.gone_day[person] == NEVER).all()
    assert visits.equals(visits.sort_values(["person", "day"], ignore_index=True))


def test_as_many_purchases_as_rate_and_season_say(visits):
    regular = TRAITS.buyer & (TRAITS.cycle < 0) & (TRAITS.gone_day == NEVER)
    start = np.maximum(TRAITS.join_day, 0)
    mean = TRAITS.rate / 365.25 * CLOCK.shopping_days(start, np.full(PEOPLE, CLOCK.days))
    expected = mean[regular].sum() + (regular & (TRAITS.join_day >= 0)).sum()
    count = np.bincount(visits["person"], minlength=PEOPLE)
    assert abs(count[regular].sum() - expected) < 4 * np.sqrt(mean[regular].sum())


def test_newcomers_first_buy_on_the_day_they_join(visits):
    new = np.flatnonzero(TRAITS.buyer & (TRAITS.join_day >= 0))
    first = visits.groupby("person")["day"].min()
    joined = TRAITS.join_day[new]
    # Of the cyclic, a few join on the open day next to their window.
    came = first.reindex(new).to_numpy()
    regular = TRAITS.cycle[new] < 0
    assert np.array_equal(came[regular], joined[regular])
    assert np.mean(came[~regular] == joined[~regular]) > 0.9


def test_cyclic_customers_come_once_to_three_times_in_each_window_and_never_else(visits):
    count = np.zeros(PEOPLE, dtype=int)
    for number, name in enumerate(CYCLES):
        mine = visits[TRAITS.cycle[visits["person"].to_numpy()] == number]
        for year in CLOCK.years:
            first, last = cycle_window(cycle=name, year=year, clock=CLOCK)
            inside = mine[mine["day"].between(first, last)]
            here = np.bincount(inside["person"], minlength=PEOPLE)
            owes = TRAITS.buyer & (TRAITS.cycle == number) & (TRAITS.join_day <= first)
            assert here[owes].min() >= 1 and here.max() <= 3
            assert here[owes].mean() == pytest.approx(TRAITS.rate[owes].mean(), abs=0.25)
            count += here
        assert (
            np.bincount(mine["person"], minlength=PEOPLE).sum()
            == count[TRAITS.cycle == number].sum()
        )


def test_where_people_buy_they_are_known(orders, records):
    record = orders["record"].to_numpy()
    assert (record >= 0).all()
    assert np.array_equal(records.person[record], orders["person"])
    assert np.array_equal(records.system[record], orders["system"])
    assert (records.created_day[record] <= orders["day"].to_numpy()).all()
    assert set(orders["system"]) == set(SELLING)


def test_shops_and_telephones_rest_on_closed_days_the_site_never(visits, orders):
    day, web = orders["day"].to_numpy(), orders["system"].to_numpy() == WEB
    assert np.array_equal(day[web], visits["day"].to_numpy()[web])
    assert np.array_equal(CLOCK.open_day[day[~web]], day[~web])
    minute = orders["minute"].to_numpy()
    assert minute.min() >= 540 and minute.max() < 1440
    till = orders["system"] == TILL
    assert orders["minute"][till].between(570, 1165).all()


def test_deliveries_and_payments_fit_the_system(orders):
    takeaway = DELIVERIES.index("takeaway")
    assert ((orders["delivery"] == takeaway) == (orders["system"] == TILL)).all()
    assert (orders["delivery"][orders["system"] == CALLCENTRE] == 0).all()
    gift = PAYMENTS.index("gift_card")
    for system, means in PAYMENT_OF.items():
        assert set(orders["payment"][orders["system"] == system]) <= {*means, gift}


def test_shares_expected_are_those_that_come_out(records):
    one = np.flatnonzero(TRAITS.member[:, [TILL, WEB, CALLCENTRE]].all(axis=1))[0]
    alike = replace(
        TRAITS,
        **{f.name: np.repeat(getattr(TRAITS, f.name)[[one]], PEOPLE, 0) for f in fields(TRAITS)},
    )
    known = make_records(
        people=FOLK,
        traits=replace(alike, join_day=np.full(PEOPLE, -10)),
        clock=CLOCK,
        rng=np.random.default_rng(3),
    )
    known = replace(known, created_day=np.minimum(known.created_day, -1))
    visits = visit_days(
        traits=replace(
            alike,
            buyer=np.ones(PEOPLE, bool),
            cycle=np.full(PEOPLE, -1),
            rate=np.full(PEOPLE, 3.0),
            join_day=np.full(PEOPLE, -10),
            gone_day=np.full(PEOPLE, NEVER),
        ),
        clock=CLOCK,
        rng=np.random.default_rng(5),
    )
    made = furnish(
        visits=visits, traits=alike, records=known, clock=CLOCK, rng=np.random.default_rng(6)
    )
    by_system = [(made["system"] == system).mean() for system in SELLING]
    assert system_shares(alike)[0] == pytest.approx(by_system, abs=0.01)
    by_delivery = np.bincount(made["delivery"], minlength=len(DELIVERIES)) / len(made)
    assert delivery_shares(alike)[0] == pytest.approx(by_delivery, abs=0.01)
    assert delivery_shares(TRAITS)[TRAITS.buyer].sum(axis=1) == pytest.approx(1)
