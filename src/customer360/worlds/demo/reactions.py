"""Who gets a message, what comes back, and the events that the tools write down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.demo.chunk import WHOLE, Chunk
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.messages import (
    BANNER,
    CHANNEL_NAMES,
    CONSENT_OF,
    EMAIL,
    EVERYONE,
    LAPSED,
    LOVERS,
    PHONE,
    POST,
    RECENT,
    SMS,
    SOCIAL,
    VARIANTS,
    Campaign,
)
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.text import concat, digits, pick
from customer360.worlds.demo.traits import (
    CALLCENTRE,
    CRM,
    NEWSLETTER,
    SALES_REP,
    TILL,
    WEB,
    Traits,
)

__all__ = [
    "EVENTS",
    "Reactions",
    "arrival_chance",
    "choose_audience",
    "contact_ids",
    "contact_table",
    "react",
]

EVENTS = (
    "held_out", "sent", "delivered", "opened", "clicked", "referred", "unsubscribed", "bounced",
    "undeliverable",
)  # fmt: skip
HELD, SENT, DELIVERED, OPENED, CLICKED, REFERRED, UNSUBSCRIBED, BOUNCED, PND = range(len(EVENTS))
REASONS = ("PND", "numéro invalide", "adresse inconnue", "boîte pleine", "absent", "proxy")
PROXY = REASONS.index("proxy")
SYSTEMS_TRUSTED = {
    EMAIL: (WEB, NEWSLETTER, CRM, TILL, CALLCENTRE, SALES_REP),
    SMS: (WEB, CRM, CALLCENTRE, TILL, SALES_REP),
    PHONE: (CALLCENTRE, CRM, WEB, TILL, SALES_REP),
    POST: (CRM, WEB, SALES_REP, CALLCENTRE, TILL),
    SOCIAL: (WEB, NEWSLETTER, CRM),
    BANNER: (WEB,),
}
RECENT_DAYS, LAPSED_DAYS = 90, 180
REACHED_SHARE = {SMS: 0.97, PHONE: 0.48, SOCIAL: 0.55}
CLICK_SHARE = {EMAIL: 0.16, SMS: 0.07, PHONE: 0.0, POST: 0.0, SOCIAL: 0.05, BANNER: 0.04}
STOP_SHARE = {EMAIL: 0.006, SMS: 0.010, PHONE: 0.02, POST: 0.0, SOCIAL: 0.0, BANNER: 0.0}
PROXY_SEEN_SHARE = 0.6  # opens by a machine that the tool recognises as such


@dataclass(frozen=True)
class Reactions:
    """What came back from one campaign.

    Attributes
    ----------
    arrived : array of bool, one per person contacted
    arrived_on : array of int
        Day on which it arrives, or would: letters take their time.
    events : dict of arrays
        One entry per event: row (of the audience), event, day, minute, reason.
    """

    arrived: np.ndarray
    arrived_on: np.ndarray
    events: dict[str, np.ndarray]


def choose_audience(
    *,
    campaign: Campaign,
    traits: Traits,
    records: Records,
    unsubscribed: np.ndarray,
    last_day: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """People to contact: person, record used, variant, held_out, in the order of person.

    Only those who agreed, can be reached and are aimed at; of these a share drawn at
    random, of whom a part is held out at random.
    """
    n = len(traits.buyer)
    silent = campaign.start - last_day
    aimed = {
        EVERYONE: np.ones(n, dtype=bool),
        LOVERS: traits.taste[:, max(campaign.category, 0)] > 0.08,
        RECENT: silent <= RECENT_DAYS,
        LAPSED: (silent > LAPSED_DAYS) & (last_day > -(10**5)),
    }[campaign.aim]
    consent = CONSENT_OF[campaign.channel]
    agreed = traits.consent[:, consent] if consent >= 0 else np.ones(n, dtype=bool)
    chosen = aimed & agreed & ~unsubscribed[:, campaign.channel]
    person = np.flatnonzero(chosen & (rng.random(n) < campaign.share))
    usable = {EMAIL: records.mailable, SMS: records.textable, PHONE: records.callable,
              POST: records.postable, SOCIAL: records.mailable,
              BANNER: np.ones(len(records), dtype=bool)}[campaign.channel]  # fmt: skip
    record = np.full(len(person), -1)
    # Files are drawn up on the eve.
    eve = campaign.start - 1
    for system in SYSTEMS_TRUSTED[campaign.channel]:
        missing = np.flatnonzero(record < 0)
        who = person[missing]
        row = records.at(who, np.full(len(who), system), np.full(len(who), eve))
        record[missing] = np.where((row >= 0) & usable[row], row, -1)
    known = record >= 0
    person, record = person[known], record[known]
    return pd.DataFrame(
        {
            "person": person,
            "record": record,
            "variant": rng.integers(0, campaign.variants, len(person)),
            "held_out": rng.random(len(person)) < campaign.held_out_share,
        }
    )


def arrival_chance(
    *, campaign: Campaign, person: np.ndarray, record: np.ndarray, traits: Traits, records: Records
) -> np.ndarray:
    """Chance that a message sent arrives, or that an ad is seen."""
    n = len(person)
    if campaign.channel == EMAIL:
        return np.where(records.email_dead[record], 0.08, 0.996)
    if campaign.channel == POST:
        return np.where(records.address_stale[record], 0.30, 0.992)
    if campaign.channel == BANNER:
        return 1 - np.exp(-0.7 * traits.digital[person])
    return np.full(n, REACHED_SHARE[campaign.channel])


def react(
    *,
    campaign: Campaign,
    audience: pd.DataFrame,
    alive: np.ndarray,
    traits: Traits,
    records: Records,
    clock: Clock,
    rng: np.random.Generator,
) -> Reactions:
    """Draw who is reached, opens, clicks, refers a friend, unsubscribes."""
    n = len(audience)
    person, record = audience["person"].to_numpy(), audience["record"].to_numpy()
    held_out = audience["held_out"].to_numpy()
    chance = arrival_chance(
        campaign=campaign, person=person, record=record, traits=traits, records=records
    )
    channel = campaign.channel
    arrived = ~held_out & (rng.random(n) < chance)
    returned = ~held_out & ~arrived
    by_mail, by_post = channel == EMAIL, channel == POST
    interest = np.where(alive, 1.0, 0.35)
    opened = arrived & by_mail & (rng.random(n) < traits.opens[person] * interest)
    machine = arrived & by_mail & traits.machine[person] & ~opened
    seen = opened if by_mail else arrived
    clicked = seen & (rng.random(n) < CLICK_SHARE[channel] * interest)
    stops = seen & (rng.random(n) < STOP_SHARE[channel] * (2 - interest))
    refers = clicked & (rng.random(n) < 0.02)

    # Letters leave together, messages within the hour, calls take the day.
    minute = 600 + np.arange(n) / max(n, 1) * {POST: 1, PHONE: 420}.get(channel, 60)
    wait = rng.choice(3, size=n, p=[0.65, 0.25, 0.10])
    start = np.full(n, campaign.start)
    open_day = start + wait
    open_minute = np.where(wait == 0, rng.uniform(670, 1380, n), rng.uniform(430, 1380, n))
    # No letter is brought on Sundays.
    post_day = clock.open_day[start + rng.integers(3, 9, n) * by_post]
    # A machine fetches the message within a minute or two of its arrival.
    fetched = rng.uniform(0.1, 2.0, n)
    seen_as_machine = np.where(rng.random(n) < PROXY_SEEN_SHARE, PROXY, -1)
    none = np.full(n, -1)
    why = {
        EMAIL: np.where(records.email_dead[record], 2, 3),
        SMS: np.full(n, 1),
        PHONE: np.full(n, 4),
    }.get(channel, none)
    shown_only = channel in (SOCIAL, BANNER)
    when = (
        (HELD, start, minute, none, held_out),
        (SENT, start, minute, none, ~held_out),
        (DELIVERED, post_day, minute + 2, none, arrived),
        (OPENED, open_day, open_minute, none, opened),
        (OPENED, start, minute + 2 + fetched, seen_as_machine, machine),
        (CLICKED, open_day, open_minute + rng.uniform(0.3, 6, n), none, clicked),
        (REFERRED, open_day, open_minute + rng.uniform(7, 20, n), none, refers),
        (UNSUBSCRIBED, open_day, np.maximum(open_minute, minute) + rng.uniform(20, 30, n), none,
         stops),
        (BOUNCED, start, minute + 3, why, returned & ~by_post & (not shown_only)),
        (PND, post_day + 7, minute, np.zeros(n, dtype=int), returned & by_post),
    )  # fmt: skip
    rows = [np.flatnonzero(mask) for *_, mask in when]
    events = {
        "row": np.concatenate(rows),
        "event": np.repeat([code for code, *_ in when], [len(r) for r in rows]),
        "day": np.concatenate([day[r] for r, (_, day, *_) in zip(rows, when, strict=True)]),
        "minute": np.concatenate([at[r] for r, (_, _, at, *_) in zip(rows, when, strict=True)]),
        "reason": np.concatenate([w[r] for r, (_, _, _, w, _) in zip(rows, when, strict=True)]),
    }
    return Reactions(arrived=arrived, arrived_on=post_day, events=events)


def contact_ids(*, campaign: np.ndarray, rank: np.ndarray, chunk: Chunk = WHOLE) -> pa.StringArray:
    """Identifier of each contact: campaign, then number within it."""
    return concat("K", digits(campaign + 1, 2), "-", digits(chunk.numbers(rank), 6))


def contact_table(
    *, events: pd.DataFrame, channel: np.ndarray, records: Records, clock: Clock, chunk: Chunk
) -> pa.Table:
    """Events of all contacts, in the contract `raw.contacts`.

    Parameters
    ----------
    events : DataFrame
        One row per event: campaign, rank, record, variant, event, day, minute, reason.
    channel : array of int
        Channel of each campaign.
    """
    campaign, record = events["campaign"].to_numpy(), events["record"].to_numpy()
    columns = {
        "contact_id": contact_ids(campaign=campaign, rank=events["rank"].to_numpy(), chunk=chunk),
        "campaign_id": concat("CAMP", digits(campaign + 1, 2)),
        "variant": pick(tuple(VARIANTS), events["variant"].to_numpy()),
        "source": records.sources(record),
        "source_id": records.source_ids(record),
        "channel": pick(CHANNEL_NAMES, channel[campaign]),
        "at": clock.at(events["day"].to_numpy(), events["minute"].to_numpy()),
        "event": pick(EVENTS, events["event"].to_numpy()),
        "reason": pick(REASONS, events["reason"].to_numpy()),
    }
    return pa.table(columns, schema=arrow_schema(CONTRACTS["raw.contacts"]))
