"""Traits are drawn as the laws say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.people import NEVER, make_people
from customer360.worlds.demo.traits import CYCLES, SELLING, WEB, cycle_window, make_traits

PEOPLE = 20_000
CLOCK = make_clock(as_of=date(2025, 12, 31), years=3)
FOLK = make_people(people=PEOPLE, clock=CLOCK, rng=np.random.default_rng(0))


def _traits(laws: Laws, seed: int = 1):
    return make_traits(people=FOLK, laws=laws, clock=CLOCK, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def traits():
    return _traits(Laws())


def test_shares_are_those_of_the_laws(traits):
    laws, buyer = Laws(), traits.buyer
    cyclic = traits.cycle >= 0
    before = traits.join_day < 0
    gone = traits.gone_day < NEVER
    for share, expected in (
        (buyer.mean(), laws.buyer_share),
        (cyclic[buyer].mean(), laws.cyclic_share),
        (traits.big[buyer & ~cyclic].mean(), laws.big_share),
        (before[~cyclic].mean(), laws.known_before_share),
        (gone[buyer & before & ~cyclic].mean(), laws.long_gone_share),
    ):
        assert share == pytest.approx(expected, abs=0.012)
    assert not gone[~before | cyclic].any()


def test_rates_and_hazards_follow_their_gamma_laws(traits):
    laws = Laws()
    usual = traits.buyer & (traits.cycle < 0) & ~traits.big
    rate = traits.rate[usual]
    assert rate.mean() == pytest.approx(laws.rate_mean, rel=0.04)
    assert (rate.mean() / rate.std()) ** 2 == pytest.approx(laws.rate_shape, rel=0.08)
    newcomer = usual & (traits.join_day >= 0)
    hazard = traits.hazard[newcomer]
    assert hazard.mean() == pytest.approx(laws.hazard_mean, rel=0.06)
    # Those who have stayed for years are loyal: the gamma law of survivors.
    old = usual & (traits.join_day < -4 * 365)
    age = -traits.join_day[old] / 365.25
    expected = (laws.hazard_shape / (laws.hazard_shape / laws.hazard_mean + age)).mean()
    assert traits.hazard[old].mean() == pytest.approx(expected, rel=0.12)
    assert (traits.hazard[traits.cycle >= 0] == laws.cyclic_hazard).all()


def test_big_customers_buy_often_and_dear(traits):
    usual = traits.buyer & (traits.cycle < 0) & ~traits.big
    assert traits.rate[traits.big].min() >= Laws().rate_mean
    assert traits.spend[traits.big].mean() > 1.4 * traits.spend[usual].mean()
    assert (traits.rate[~traits.buyer] == 0).all()


def test_new_cyclic_customers_come_in_the_next_window_not_in_the_last(traits):
    for number, name in enumerate(CYCLES):
        days = traits.join_day[(traits.cycle == number) & (traits.join_day >= 0)]
        windows = [cycle_window(cycle=name, year=year, clock=CLOCK) for year in CLOCK.years]
        # A closed day moves to the nearest open one.
        inside = [(days >= first - 2) & (days <= last + 2) for first, last in windows]
        assert np.any(inside, axis=0).all(), name
        # They are drawn in the first third: a cycle shows after two years.
        assert inside[-1].sum() == 0, name
        assert len(np.unique(days)) > 10, name


@pytest.mark.parametrize("years", [2, 4])
def test_joining_days_are_open_and_within_the_world(years):
    clock = make_clock(as_of=date(2024, 6, 30), years=years)
    traits = make_traits(people=FOLK, laws=Laws(), clock=clock, rng=np.random.default_rng(2))
    within = traits.join_day[traits.join_day >= 0]
    assert within.max() < clock.days
    assert np.array_equal(clock.open_day[within], within)
    assert traits.gone_day.min() > -6 * 365 - 1
    left = traits.gone_day < NEVER
    assert (traits.gone_day[left] >= traits.join_day[left]).all()
    assert (traits.gone_day[left] <= 0).all()


def test_every_buyer_is_known_where_something_is_sold_and_everybody_somewhere(traits):
    assert traits.member.any(axis=1).all()
    assert traits.member[traits.buyer][:, list(SELLING)].any(axis=1).all()


def test_messages_move_regular_buyers_only(traits):
    regular = traits.buyer & (traits.cycle < 0)
    assert (traits.pull[~regular] == 0).all() and (traits.push[~regular] == 0).all()
    assert traits.pull.max() <= Laws().pull_most and traits.push.max() <= Laws().push_most
    share = np.bincount(traits.response[regular], minlength=4) / regular.sum()
    assert share.min() > 0.05  # all four kinds exist
    # Who can be persuaded cannot be read off one habit alone.
    assert 0.3 < np.corrcoef(traits.pull[regular], traits.promo[regular])[0, 1] < 0.95


def test_channels_reach_an_average_of_one_and_those_asked_for_better(traits):
    nobody_asks = traits.ear[:, 4:]
    assert nobody_asks.mean() == pytest.approx(1.0, abs=0.01)
    asked = traits.ear[traits.preferred == 0, 0].mean()
    assert asked / traits.ear[traits.preferred == 1, 0].mean() == pytest.approx(1.5, abs=0.06)


def test_numbers_are_sane(traits):
    for name in ("rate", "hazard", "spend", "promo", "elasticity", "pull", "push", "demanding"):
        values = getattr(traits, name)
        assert np.isfinite(values).all() and (values >= 0).all(), name
    assert traits.taste.sum(axis=1) == pytest.approx(np.ones(PEOPLE))
    assert traits.demanding.mean() == pytest.approx(1.0, abs=0.05)
    assert (traits.digital[~traits.member[:, WEB]] == 0).mean() == pytest.approx(0.75, abs=0.02)


def test_one_law_changes_what_it_says_and_nothing_drawn_before_it(traits):
    other = _traits(replace(Laws(), rate_mean=12.0))
    assert np.array_equal(other.buyer, traits.buyer) and np.array_equal(other.cycle, traits.cycle)
    assert np.array_equal(other.hazard, traits.hazard)
    usual = traits.buyer & (traits.cycle < 0) & ~traits.big
    assert other.rate[usual] == pytest.approx(2 * traits.rate[usual])
