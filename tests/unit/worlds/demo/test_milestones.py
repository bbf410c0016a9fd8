from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from customer360.contracts import CONTRACTS, LIFE_EVENTS, validate_batch
from customer360.worlds.demo import goods
from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.milestones import (
    DECLARED_SHARE,
    EFFECTS,
    Milestones,
    draw_milestones,
    true_life_events,
)
from customer360.worlds.demo.people import CHILD, NEVER, PARTNER, make_people

BIRTH, MOVE, WEDDING, RETIREMENT, HOME = range(len(LIFE_EVENTS))


@pytest.fixture(scope="module")
def clock():
    return make_clock(as_of=date(2025, 12, 31), years=3)


@pytest.fixture(scope="module")
def people(clock):
    return make_people(people=20_000, clock=clock, rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def milestones(people, clock):
    return draw_milestones(people=people, clock=clock, rng=np.random.default_rng(2))


def _of_one(kind: int, day: int) -> Milestones:
    days = np.full((2, len(LIFE_EVENTS)), NEVER)
    days[1, kind] = day
    return Milestones(day=days, declared=np.zeros(days.shape, dtype=bool))


def test_every_event_has_an_effect_in_the_order_of_the_contract():
    assert tuple(EFFECTS) == LIFE_EVENTS == tuple(goods.EVENT_SEARCHES)
    assert all(set(e.lifts) <= set(goods.CATEGORY_NAMES) for e in EFFECTS.values())


def test_events_happen_at_their_ages(people, clock, milestones):
    who, kind = np.nonzero(milestones.day < NEVER)
    age = people.age[who] - (clock.days - 1 - milestones.day[who, kind]) / 365.25
    mothers = age[(kind == BIRTH) & ~people.male[who]]
    assert 28 < np.median(mothers) < 35
    assert mothers.min() >= 17 and np.quantile(mothers, 0.99) < 50
    assert 34 < np.median(age[kind == WEDDING]) < 44
    retired = age[kind == RETIREMENT]
    assert 62 < np.median(retired) < 64 and retired.min() > 56 and retired.max() < 69
    assert 38 < np.median(age[kind == HOME]) < 52


def test_a_plausible_share_of_people_lives_each_event_in_a_year(milestones, clock):
    inside = (milestones.day >= 0) & (milestones.day < clock.days)
    a_year = inside.mean(axis=0) / 3
    assert 0.015 < a_year[BIRTH] < 0.030
    assert 0.005 < a_year[WEDDING] < 0.013
    assert 0.008 < a_year[RETIREMENT] < 0.018
    assert 0.012 < a_year[HOME] < 0.030


def test_couples_share_what_happens_to_both(people, milestones):
    partner = np.flatnonzero(people.role == PARTNER)
    head = people.head[partner]
    for kind in (BIRTH, MOVE, WEDDING, HOME):
        assert (milestones.day[partner, kind] == milestones.day[head, kind]).all()
        assert (milestones.day[partner, kind] < NEVER).sum() > 10
    both = milestones.day[partner, RETIREMENT] < NEVER
    assert (milestones.day[partner, RETIREMENT] != milestones.day[head, RETIREMENT])[both].any()


def test_moves_follow_the_addresses_and_some_of_the_movers_bought(people, milestones):
    assert (milestones.day[:, MOVE] == people.moved_day).all()
    moved = (people.moved_day < NEVER) & ~np.isin(people.role, (CHILD,))
    bought = milestones.day[:, HOME] < NEVER
    ahead = (people.moved_day - milestones.day[:, HOME])[moved & bought]
    assert 0.2 < bought[moved].mean() < 0.45
    assert ahead.min() >= 5 and ahead.max() < 90
    assert (~moved & bought).sum() > 50
    assert not bought[people.role == CHILD].any()


def test_a_third_is_declared_and_only_what_happens(milestones):
    happens = milestones.day < NEVER
    assert not milestones.declared[~happens].any()
    assert milestones.declared[happens].mean() == pytest.approx(DECLARED_SHARE, abs=0.03)


def test_events_outside_the_world_are_kept_when_they_reach_into_it(milestones, clock):
    births = milestones.day[:, BIRTH]
    effect = EFFECTS["birth"]
    assert births.min() < 0 and births.min() >= -effect.days_after
    late = births[births < NEVER].max()
    assert clock.days <= late < clock.days + effect.days_before


@pytest.mark.parametrize("name", LIFE_EVENTS)
def test_tastes_turn_inside_the_window_only(name):
    effect = EFFECTS[name]
    life = _of_one(LIFE_EVENTS.index(name), 500)
    edge = np.array([-effect.days_before - 1, -effect.days_before, effect.days_after,
                     effect.days_after + 1])  # fmt: skip
    factor = life.lift(np.ones(4, dtype=int), 500 + edge)
    lifted = [goods.CATEGORY_NAMES.index(category) for category in effect.lifts]
    assert factor[1:3, lifted].tolist() == [list(effect.lifts.values())] * 2
    assert (factor[[0, 3]] == 1).all()
    assert (np.delete(factor, lifted, axis=1) == 1).all()
    assert (life.lift(np.zeros(4, dtype=int), 500 + edge) == 1).all()
    kind = LIFE_EVENTS.index(name)
    assert life.near(np.ones(4, dtype=int), 500 + edge).tolist() == [-1, kind, kind, -1]


def test_effects_multiply():
    life = _of_one(MOVE, 500)
    life.day[1, HOME] = 480
    factor = life.lift(np.array([1]), np.array([510]))[0]
    both = EFFECTS["move"].lifts["Bricolage"] * EFFECTS["home_purchase"].lifts["Bricolage"]
    assert factor[goods.CATEGORY_NAMES.index("Bricolage")] == both


def test_the_truth_holds_the_events_within_the_world(milestones, people, clock):
    truth = true_life_events(milestones=milestones, people=people, clock=clock)
    validate_batch(CONTRACTS["truth.life_events"], truth)
    inside = (milestones.day >= 0) & (milestones.day < clock.days)
    assert truth.num_rows == inside.sum()
    assert truth.group_by(["person_id", "kind"]).aggregate([]).num_rows == truth.num_rows
    first = truth.slice(0, 1).to_pylist()[0]
    person, kind = (axis[0] for axis in np.nonzero(inside))
    assert first["person_id"] == people.ids[int(person)].as_py()
    assert first["kind"] == LIFE_EVENTS[kind]
    assert first["day"] == clock.dates[milestones.day[person, kind]].astype(object)


def test_same_seed_same_events(people, clock, milestones):
    again = draw_milestones(people=people, clock=clock, rng=np.random.default_rng(2))
    assert (again.day == milestones.day).all() and (again.declared == milestones.declared).all()
