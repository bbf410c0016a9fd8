"""Weeks of life: who buys, who is disappointed, who leaves, and what messages do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.contracts import SHOCKS
from customer360.worlds.demo.clock import Clock, make_clock
from customer360.worlds.demo.experience import COMPLAINS_SHARE
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.life import WEEK, WEIGHT, Life, live
from customer360.worlds.demo.messages import RESPONSE_DAYS, Plan, make_plan
from customer360.worlds.demo.people import NEVER, make_people
from customer360.worlds.demo.purchases import visit_days
from customer360.worlds.demo.reactions import DELIVERED, HELD, SENT, UNSUBSCRIBED
from customer360.worlds.demo.records import Records, make_records
from customer360.worlds.demo.traits import Traits, make_traits

PEOPLE = 3_000
CLOCK = make_clock(as_of=date(2025, 12, 31), years=2)
FOLK = make_people(people=PEOPLE, clock=CLOCK, rng=np.random.default_rng(0))


@dataclass(frozen=True)
class Lived:
    """A life with all that led to it."""

    life: Life
    traits: Traits
    records: Records
    visits: pd.DataFrame
    plan: Plan
    clock: Clock = CLOCK


def _live(laws: Laws, **traits_changed: np.ndarray) -> Lived:
    people, records, visits, plan, life = (
        np.random.default_rng(s) for s in np.random.SeedSequence(4).spawn(5)
    )
    traits = make_traits(people=FOLK, laws=laws, clock=CLOCK, rng=people)
    traits = replace(traits, **traits_changed)
    known = make_records(people=FOLK, traits=traits, clock=CLOCK, rng=records)
    wished = visit_days(traits=traits, clock=CLOCK, rng=visits)
    campaigns = make_plan(laws=laws, clock=CLOCK, rng=plan)
    lived = live(
        visits=wished,
        traits=traits,
        records=known,
        plan=campaigns,
        laws=laws,
        clock=CLOCK,
        rng=life,
    )
    return Lived(life=lived, traits=traits, records=known, visits=wished, plan=campaigns)


@pytest.fixture(scope="module")
def usual():
    """A world of much mail, in which messages do much."""
    return _live(Laws(campaigns=80, misfortune=2.0, pull_most=0.6, push_most=0.95))


@pytest.fixture(scope="module")
def sent(usual):
    """Messages with what came of them."""
    contacts, events = usual.life.contacts, usual.life.events
    arrived = events[events["event"] == DELIVERED].set_index(["campaign", "rank"])["day"]
    pairs = pd.MultiIndex.from_frame(contacts[["campaign", "rank"]])
    return contacts.assign(arrived_on=arrived.reindex(pairs).to_numpy())


def _count(life: Life) -> np.ndarray:
    return np.bincount(life.orders["person"], minlength=PEOPLE)


# --- buying and leaving ---


def test_nobody_buys_before_joining_or_after_leaving(usual):
    orders = usual.life.orders
    person, day = orders["person"].to_numpy(), orders["day"].to_numpy()
    assert (day <= usual.life.leave_day[person]).all()
    assert (day >= usual.traits.join_day[person]).all()
    assert day.min() >= 0 and day.max() < CLOCK.days
    assert usual.traits.buyer[person].all()


def test_orders_are_in_the_order_of_time(usual):
    orders = usual.life.orders
    moment = orders["day"].to_numpy() * 1440 + orders["minute"].to_numpy()
    assert (np.diff(moment) >= 0).all()


def test_only_customers_leave_and_those_gone_stay_gone(usual):
    leaves, traits = usual.life.leave_day, usual.traits
    assert (leaves[~traits.buyer] == NEVER).all()
    gone = traits.gone_day < NEVER
    assert np.array_equal(leaves[gone], traits.gone_day[gone])
    stayed_a_while = (leaves < NEVER) & ~gone
    assert (leaves[stayed_a_while] >= traits.join_day[stayed_a_while]).all()
    assert leaves[stayed_a_while].min() >= 0


def test_where_nothing_happens_every_wish_is_a_purchase():
    calm = _live(Laws(campaigns=0, misfortune=0), hazard=np.zeros(PEOPLE))
    wished = np.bincount(calm.visits["person"], minlength=PEOPLE)
    assert np.array_equal(_count(calm.life), wished)
    assert len(calm.life.feelings.person) == len(calm.life.complaints) == 0
    assert len(calm.life.contacts) == len(calm.life.events) == len(calm.life.prevented) == 0
    assert (calm.life.leave_day[calm.traits.gone_day == NEVER] == NEVER).all()


def test_leaving_is_exponential_where_nothing_goes_wrong():
    hazard = np.full(PEOPLE, 0.8)
    calm = _live(Laws(campaigns=0, misfortune=0), hazard=hazard)
    here = calm.traits.buyer & (calm.traits.join_day < 0) & (calm.traits.gone_day == NEVER)
    for day in (91, 364, 728):
        left = (calm.life.leave_day[here] < day).mean()
        expected = -np.expm1(-0.8 * day / 365.25)
        assert abs(left - expected) < 4 * np.sqrt(expected * (1 - expected) / here.sum())


def test_misfortune_makes_people_leave_and_buy_less():
    hazard = np.full(PEOPLE, 0.3)
    calm, rough = (
        _live(Laws(campaigns=0, misfortune=misfortune), hazard=hazard) for misfortune in (0, 6)
    )
    often = calm.traits.rate > 8
    left_calm, left_rough = ((w.life.leave_day[often] < CLOCK.days).mean() for w in (calm, rough))
    assert left_rough > left_calm + 0.15
    assert rough.life.orders["bad"].gt(0).mean() > 0.2
    stayed = often & (rough.life.leave_day == NEVER)
    wished = np.bincount(rough.visits["person"], minlength=PEOPLE)
    assert _count(rough.life)[stayed].sum() < 0.97 * wished[stayed].sum()


# --- experience ---


def test_complaints_are_about_bad_orders_of_the_same_person_some_days_before(usual):
    orders, complaints = usual.life.orders, usual.life.complaints
    about = orders.iloc[complaints["order"].to_numpy()]
    assert (about["bad"] > 0).all()
    assert np.array_equal(about["person"], complaints["person"])
    wait = complaints["day"].to_numpy() - about["day"].to_numpy()
    assert wait.min() == 1 and wait.max() == WEEK - 1
    assert not complaints["order"].duplicated().any()
    share = len(complaints) / (orders["bad"] > 0).sum()
    assert share == pytest.approx(COMPLAINS_SHARE, abs=0.06)


def test_every_mishap_complaint_and_pressure_is_felt_once(usual):
    life = usual.life
    bad, complaints, felt = life.orders[life.orders["bad"] > 0], life.complaints, life.feelings
    told = complaints["day"] <= np.minimum(
        life.leave_day[complaints["person"].to_numpy()], CLOCK.days - 1
    )
    kind = np.where(complaints["badly"], SHOCKS.index("bad_call"), SHOCKS.index("good_call"))
    due = pd.DataFrame(
        {
            "person": np.concatenate([bad["person"], complaints["person"][told]]),
            "day": np.concatenate([bad["day"], complaints["day"][told]]),
            "kind": np.concatenate([bad["bad"] - 1, kind[told.to_numpy()]]),
        }
    ).sort_values(["person", "day", "kind"], ignore_index=True)
    real = pd.DataFrame({"person": felt.person, "day": felt.day, "kind": felt.kind})
    pressed = real["kind"] == SHOCKS.index("pressure")
    assert real[~pressed].reset_index(drop=True).equals(due.astype(real.dtypes))
    assert (felt.day <= life.leave_day[felt.person]).all() and felt.day.max() < CLOCK.days


# --- messages ---


def test_nobody_is_contacted_without_consent_or_after_unsubscribing(usual, sent):
    channel = np.array([c.channel for c in usual.plan.campaigns])
    person, by = sent["person"].to_numpy(), channel[sent["campaign"].to_numpy()]
    for number in (0, 1, 2, 3):
        assert usual.traits.consent[person[by == number], number].all()
    events = usual.life.events
    stops = events[events["event"] == UNSUBSCRIBED]
    assert len(stops) > 10
    stopped = pd.Series(
        stops["day"].to_numpy(),
        index=pd.MultiIndex.from_arrays([stops["person"], channel[stops["campaign"].to_numpy()]]),
    )
    assert not stopped.index.duplicated().any()
    since = stopped.reindex(pd.MultiIndex.from_arrays([person, by])).to_numpy()
    # They unsubscribe within three days of the message; none follows.
    assert not (sent["day"].to_numpy() > since).any()


def test_a_held_out_person_gets_no_event_but_that(usual, sent):
    events = usual.life.events
    kinds = events.groupby(["campaign", "rank"])["event"].agg(["min", "max", "nunique"])
    pairs = pd.MultiIndex.from_frame(sent[["campaign", "rank"]])
    kinds = kinds.reindex(pairs)
    held = sent["held_out"].to_numpy()
    assert (kinds[held] == [HELD, HELD, 1]).all().all()
    assert (kinds["min"][~held] == SENT).all()
    assert not sent.duplicated(["campaign", "person"]).any()


def test_caused_orders_follow_their_message_within_two_weeks(usual, sent):
    caused = usual.life.orders[usual.life.orders["campaign"] >= 0]
    assert len(caused) > 300
    of = sent.set_index(["campaign", "person"])
    message = of.reindex(pd.MultiIndex.from_frame(caused[["campaign", "person"]]))
    assert message["arrived_on"].notna().all()  # so nobody held out
    day = caused["day"].to_numpy()
    assert (day > message["arrived_on"].to_numpy()).all()
    # A closed day moves to the nearest open one.
    assert (day - message["day"].to_numpy()).max() <= RESPONSE_DAYS + 2
    alone = caused.groupby(["campaign", "person"]).size()
    assert alone.max() == 1
    offers = [usual.plan.offer_numbers(c) for c in usual.plan.campaigns]
    variant = message["variant"].to_numpy(int)
    expected = [offers[c][v] for c, v in zip(caused["campaign"], variant, strict=True)]
    assert caused["offer"].tolist() == expected


def test_orders_are_driven_away_by_a_message_that_reached_the_person_before(usual, sent):
    lost = usual.life.prevented
    assert len(lost) > 50
    message = sent.set_index(["campaign", "person"]).reindex(
        pd.MultiIndex.from_frame(lost[["campaign", "person"]])
    )
    assert message["arrived_on"].notna().all()
    since = lost["day"].to_numpy() - message["day"].to_numpy()
    assert since.min() >= 1 and since.max() <= RESPONSE_DAYS
    assert (usual.traits.push[lost["person"].to_numpy()] > 0).all()


def test_true_effects_add_up_to_what_happened():
    """Half the customers are pulled only, the others pushed only; nobody leaves or is cross.

    Campaigns come so close that their fortnights overlap: what one has driven away, the
    next one cannot.
    """
    known = _live(Laws(campaigns=0, misfortune=0)).traits
    regular = known.buyer & (known.cycle < 0)
    pulled = np.arange(PEOPLE) % 2 == 0
    lived = _live(
        Laws(campaigns=60, misfortune=0, leaving_effect=0, thinning_effect=0),
        hazard=np.zeros(PEOPLE),
        pull=np.where(regular & pulled, 0.2, 0.0),
        push=np.where(regular & ~pulled, 0.8, 0.0),
        rate=known.rate * 3,
        consent=np.ones((PEOPLE, 5), dtype=bool),
    )
    contacts = lived.life.contacts
    went = contacts[~contacts["held_out"]]
    effect = went["effect"].groupby(pulled[went["person"]]).sum()
    caused, prevented = (lived.life.orders["campaign"] >= 0).sum(), len(lived.life.prevented)
    assert min(caused, prevented) > 1_000
    assert abs(effect[True] - caused) < 4 * np.sqrt(caused)
    # Of purchases on closed days a few slip out of the fortnight.
    assert abs(-effect[False] - prevented) < 4 * np.sqrt(prevented) + 0.02 * prevented


def test_effects_of_those_who_left_are_nothing(usual, sent):
    left = usual.life.leave_day[sent["person"].to_numpy()] <= sent["day"].to_numpy()
    unborn = usual.traits.join_day[sent["person"].to_numpy()] > sent["day"].to_numpy()
    assert left.any()
    assert (sent["effect"][left | unborn] == 0).all()
    here = ~(left | unborn)
    assert np.array_equal(sent["effect"][here], sent["potential"][here])


def test_fatigue_counts_the_messages_that_came_before(usual, sent):
    campaigns = usual.plan.campaigns
    week = np.array([c.start // WEEK for c in campaigns])
    weight = np.array([WEIGHT[c.channel] for c in campaigns])
    came = sent[sent["arrived_on"].notna()]
    grid = np.zeros((PEOPLE, len(campaigns)))
    grid[came["person"], came["campaign"]] = weight[came["campaign"].to_numpy()]
    for number in (1, 2, 3, 30, 79):
        before = np.arange(len(campaigns)) < number
        faded = np.exp(-WEEK * (week[number] - week) / Laws().fatigue_days) * before
        mine = sent[sent["campaign"] == number]
        assert mine["fatigue"].to_numpy() == pytest.approx(grid[mine["person"]] @ faded)


def test_pressure_is_felt_beyond_the_limit_only(usual, sent):
    felt = usual.life.feelings
    pressed = felt.kind == SHOCKS.index("pressure")
    assert pressed.sum() > 20
    tired = sent[sent["arrived_on"].notna() & (sent["fatigue"] > Laws().pressure_limit)]
    tired = tired[tired["day"] <= usual.life.leave_day[tired["person"].to_numpy()]]
    due = tired[["person", "day"]].sort_values(["person", "day"]).to_numpy()
    real = np.column_stack([felt.person[pressed], felt.day[pressed]])
    assert np.array_equal(real[np.lexsort(real.T[::-1])], due)


def test_a_life_repeats_itself():
    first, again = (_live(Laws(campaigns=8)).life for _ in range(2))
    for name in ("orders", "complaints", "contacts", "events", "prevented"):
        assert getattr(first, name).equals(getattr(again, name)), name
    assert np.array_equal(first.leave_day, again.leave_day)
