"""Who gets a message and what comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer360.worlds.demo.chunk import Chunk
from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.messages import (
    BANNER,
    CHANNEL_NAMES,
    CONSENT_OF,
    EMAIL,
    PHONE,
    POST,
    SMS,
    SOCIAL,
    Campaign,
)
from customer360.worlds.demo.people import make_people
from customer360.worlds.demo.reactions import (
    BOUNCED,
    CLICKED,
    DELIVERED,
    HELD,
    LAPSED_DAYS,
    OPENED,
    PND,
    PROXY,
    RECENT_DAYS,
    SENT,
    UNSUBSCRIBED,
    arrival_chance,
    choose_audience,
    contact_ids,
    react,
)
from customer360.worlds.demo.records import make_records
from customer360.worlds.demo.traits import WEB, make_traits

PEOPLE, LONG_AGO = 6_000, -(10**6)
CLOCK = make_clock(as_of=date(2025, 12, 31), years=2)
FOLK = make_people(people=PEOPLE, clock=CLOCK, rng=np.random.default_rng(0))
TRAITS = make_traits(people=FOLK, laws=Laws(), clock=CLOCK, rng=np.random.default_rng(1))
RECORDS = make_records(people=FOLK, traits=TRAITS, clock=CLOCK, rng=np.random.default_rng(2))
NOBODY = np.zeros((PEOPLE, len(CHANNEL_NAMES)), dtype=bool)
CHANNELS = (EMAIL, SMS, PHONE, POST, SOCIAL, BANNER)


def _campaign(channel: int, **changes: object) -> Campaign:
    usual = Campaign(
        number=3, start=400, end=421, channel=channel, goal=0, category=-1, share=1.0,
        held_out_share=0.2, themes=(0, 1), images=(0, 0), offers=(0, 0),
    )  # fmt: skip
    return replace(usual, **changes)


def _audience(campaign: Campaign, *, last_day=None, unsubscribed=NOBODY) -> pd.DataFrame:
    return choose_audience(
        campaign=campaign,
        traits=TRAITS,
        records=RECORDS,
        unsubscribed=unsubscribed,
        last_day=np.full(PEOPLE, 370) if last_day is None else last_day,
        rng=np.random.default_rng(5),
    )


def _react(campaign: Campaign, audience: pd.DataFrame) -> tuple[object, pd.DataFrame]:
    seen = react(
        campaign=campaign,
        audience=audience,
        alive=np.ones(len(audience), dtype=bool),
        traits=TRAITS,
        records=RECORDS,
        clock=CLOCK,
        rng=np.random.default_rng(6),
    )
    return seen, pd.DataFrame(seen.events)


@pytest.mark.parametrize("channel", CHANNELS)
def test_only_those_who_agreed_and_can_be_reached_on_the_eve(channel):
    campaign = _campaign(channel)
    audience = _audience(campaign)
    person, record = audience["person"].to_numpy(), audience["record"].to_numpy()
    assert len(person) > 300 and (np.diff(person) > 0).all()
    if CONSENT_OF[channel] >= 0:
        assert TRAITS.consent[person, CONSENT_OF[channel]].all()
    assert np.array_equal(RECORDS.person[record], person)
    assert (RECORDS.created_day[record] < campaign.start).all()
    usable = {
        EMAIL: RECORDS.mailable,
        SMS: RECORDS.textable,
        PHONE: RECORDS.callable,
        POST: RECORDS.postable,
        SOCIAL: RECORDS.mailable,
        BANNER: RECORDS.system == WEB,
    }[channel]
    assert usable[record].all()


def test_land_lines_can_be_called_and_not_texted():
    called = _audience(_campaign(PHONE))["record"].to_numpy()
    fixed = RECORDS.callable & ~RECORDS.textable
    assert fixed[called].any()


def test_audiences_follow_their_aim():
    last_day = np.random.default_rng(3).integers(0, 400, PEOPLE)
    last_day[::4] = LONG_AGO  # never bought
    lapsed = _audience(_campaign(EMAIL, goal=3), last_day=last_day)["person"].to_numpy()
    silent = 400 - last_day[lapsed]
    assert silent.min() > LAPSED_DAYS and silent.max() <= 400
    recent = _audience(_campaign(SOCIAL), last_day=last_day)["person"].to_numpy()
    assert (400 - last_day[recent]).max() <= RECENT_DAYS
    lovers = _audience(_campaign(EMAIL, goal=1, category=2), last_day=last_day)["person"]
    everyone = _audience(_campaign(EMAIL), last_day=last_day)["person"]
    assert TRAITS.taste[lovers, 2].min() > 0.08
    assert 0.1 < len(lovers) / len(everyone) < 0.7


def test_nobody_is_contacted_after_unsubscribing():
    gone = NOBODY.copy()
    gone[::2, EMAIL] = True
    assert (_audience(_campaign(EMAIL), unsubscribed=gone)["person"] % 2 == 1).all()
    # From e-mail only.
    assert (_audience(_campaign(SMS), unsubscribed=gone)["person"] % 2 == 0).any()


def test_hold_outs_and_variants_are_drawn_at_random():
    audience = _audience(_campaign(EMAIL, themes=tuple([0] * 8)))
    n = len(audience)
    share = audience["variant"].value_counts(normalize=True)
    assert len(share) == 8 and (share - 1 / 8).abs().max() < 4 * np.sqrt(1 / 8 / n)
    held = audience["held_out"]
    assert abs(held.mean() - 0.2) < 4 * np.sqrt(0.16 / n)
    # Alike in what they are.
    pull = TRAITS.promo[audience["person"].to_numpy()]
    gap = pull[held].mean() - pull[~held].mean()
    assert abs(gap) < 4 * pull.std() / np.sqrt(held.sum())


@pytest.mark.parametrize("channel", CHANNELS)
def test_events_tell_a_possible_story(channel):
    campaign = _campaign(channel)
    audience = _audience(campaign)
    seen, events = _react(campaign, audience)
    held = audience["held_out"].to_numpy()
    of_held = held[events["row"].to_numpy()]
    assert (events["event"][of_held] == HELD).all() and of_held.sum() == held.sum()
    at = events.assign(at=events["day"] * 1440 + events["minute"])
    first = at.groupby(["row", "event"])["at"].min().unstack()
    first = first.reindex(columns=range(9))
    assert np.array_equal(first[SENT].notna(), ~held)
    assert np.array_equal(first[DELIVERED].notna(), seen.arrived)
    assert not seen.arrived[held].any()
    last_sent = first[SENT].dropna()
    assert ((last_sent // 1440) == campaign.start).all()
    for later in (DELIVERED, OPENED, CLICKED, UNSUBSCRIBED, BOUNCED, PND):
        both = first[first[later].notna()]
        assert (both[later] > both[SENT]).all()
        assert (both[later] < 1440 * (campaign.start + 30)).all()
    assert not (first[DELIVERED].notna() & (first[BOUNCED].notna() | first[PND].notna())).any()
    if channel == EMAIL:
        assert first[OPENED][first[CLICKED].notna()].notna().all()
        assert first[OPENED].notna().sum() > 100
    else:
        assert first[OPENED].isna().all()
    if channel not in (SOCIAL, BANNER):
        come_back = first[PND if channel == POST else BOUNCED].notna()
        assert np.array_equal(come_back, ~held & ~seen.arrived)


def test_letters_take_days_and_never_come_on_sundays():
    campaign = _campaign(POST)
    seen, events = _react(campaign, _audience(campaign))
    assert (seen.arrived_on - campaign.start).min() >= 2
    assert (seen.arrived_on - campaign.start).max() <= 10
    delivered = events[events["event"] == DELIVERED]
    assert np.array_equal(CLOCK.open_day[delivered["day"]], delivered["day"])
    assert np.array_equal(delivered["day"], seen.arrived_on[delivered["row"]])
    seen, _ = _react(_campaign(EMAIL), _audience(_campaign(EMAIL)))
    assert (seen.arrived_on == 400).all()


def test_as_many_arrive_as_is_expected():
    for channel in CHANNELS:
        campaign = _campaign(channel, held_out_share=0.0)
        audience = _audience(campaign)
        chance = arrival_chance(
            campaign=campaign,
            person=audience["person"].to_numpy(),
            record=audience["record"].to_numpy(),
            traits=TRAITS,
            records=RECORDS,
        )
        seen, _ = _react(campaign, audience)
        error = np.sqrt((chance * (1 - chance)).sum())
        assert abs(seen.arrived.sum() - chance.sum()) < 4 * error


def test_a_part_of_the_opens_is_a_machines_and_a_part_of_those_known_to_be():
    campaign = _campaign(EMAIL)
    audience = _audience(campaign)
    _, events = _react(campaign, audience)
    opened = events[events["event"] == OPENED]
    machine = opened["minute"] < 665  # people open from 11:10 on, or another day
    machine &= opened["day"] == campaign.start
    owner = audience["person"].to_numpy()[opened["row"]]
    assert TRAITS.machine[owner[machine.to_numpy()]].all()
    assert 0.45 < (opened["reason"] == PROXY)[machine].mean() < 0.75
    assert (opened["reason"][~machine] == -1).all()
    assert not opened["row"].duplicated().any()


def test_nobody_in_the_audience_no_events():
    campaign = _campaign(EMAIL)
    seen, events = _react(campaign, _audience(campaign).iloc[:0])
    assert len(events) == 0 and len(seen.arrived) == 0


def test_contacts_of_all_chunks_have_their_own_numbers():
    campaign, rank = np.array([0, 0, 11]), np.array([0, 1, 0])
    ids = [
        contact_ids(campaign=campaign, rank=rank, chunk=Chunk(index=index, count=2))
        for index in range(2)
    ]
    assert ids[0].to_pylist() == ["K01-000001", "K01-000003", "K12-000001"]
    assert len(set(pa.concat_arrays(ids).to_pylist())) == 6
