"""Campaigns, whom they reached, what came of it, and the purchases they caused.

In each campaign one eligible person in ten is held out at random. A message adds to the
chance of one more purchase within two weeks by the person's `persuadable` trait; held
out people get no message and no added purchase, so that the difference in means between
the groups is the true average effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.demo import pools
from customer360.worlds.demo.clock import Clock
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

__all__ = ["Campaigns", "make_campaigns", "redeem"]

CAMPAIGNS = 24
HELD_OUT_SHARE = 0.10
TARGETED_SHARE = 0.50
RESPONSE_DAYS = 14
REDEEMED_SHARE = 0.35

EMAIL, SMS, POST = range(3)
CHANNEL_NAMES = ("email", "sms", "post")
# Order of the campaigns' channels, repeated.
CHANNEL_PLAN = (EMAIL, EMAIL, SMS, EMAIL, POST, EMAIL, EMAIL, SMS, EMAIL, EMAIL, POST, EMAIL)
COST = (0.02, 0.06, 0.85)
EFFECT = (0.8, 1.0, 1.3)
SYSTEMS_TRUSTED = (
    (WEB, NEWSLETTER, CRM, TILL, CALLCENTRE, SALES_REP),
    (WEB, CRM, CALLCENTRE, TILL, SALES_REP, NEWSLETTER),
    (CRM, WEB, SALES_REP, CALLCENTRE, TILL, NEWSLETTER),
)
CONSENT_OF = (0, 1, 3)

GOALS = ("conversion", "cross_sell", "retention", "win_back")
THEMES = ("function", "price", "belonging", "status")
# Kind, depth, margin that must be left, share of campaigns.
OFFERS = (
    ("percent", 0.10, 0.15, 0.30),
    ("percent", 0.20, 0.10, 0.25),
    ("amount", 0.12, 0.15, 0.15),
    ("gift", 0.05, 0.15, 0.10),
    ("none", 0.0, 0.0, 0.20),
)


class Plan(NamedTuple):
    """A campaign as planned: days, and numbers into the lists above."""

    number: int
    start: int
    end: int
    channel: int
    variants: int
    goal: int
    theme: int
    offer: int
    depth: float
    category: int


@dataclass(frozen=True)
class Campaigns:
    """What the campaigns left behind.

    Attributes
    ----------
    campaigns, offers, contacts : Arrow tables in their raw contracts
    extra : DataFrame
        Purchases caused by a message: person, day, offer, depth.
    offer_ids : list of str
    visits : DataFrame
        Visits to the site that follow a click: person, day, minute.
    open_offers : DataFrame
        Offers that reached someone: person, offer, depth, from_day, to_day.
    """

    campaigns: pa.Table
    offers: pa.Table
    contacts: pa.Table
    extra: pd.DataFrame
    offer_ids: list[str]
    visits: pd.DataFrame
    open_offers: pd.DataFrame


def make_campaigns(
    *,
    traits: Traits,
    records: Records,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> Campaigns:
    """Plan the campaigns, send them, and draw who opens, clicks, leaves or buys."""
    plan = _plan(clock, rng)
    unsubscribed = np.full((len(leave_day), 3), False)
    parts, extras, visits, reached = [], [], [], []
    for campaign in map(Plan._make, plan[list(Plan._fields)].itertuples(index=False, name=None)):
        sent = _audience(campaign, traits, records, unsubscribed, rng)
        events, extra, clicks = _send(campaign, sent, traits, records, leave_day, clock, rng)
        left = events["person"].to_numpy()[events["event"] == "unsubscribed"]
        unsubscribed[left, campaign.channel] = True
        parts.append(events)
        extras.append(extra)
        visits.append(clicks)
        if campaign.depth > 0:
            arrived = events["person"].to_numpy()[events["event"] == "delivered"]
            reached.append(
                pd.DataFrame(
                    {
                        "person": arrived,
                        "offer": campaign.number,
                        "depth": campaign.depth,
                        "from_day": campaign.start + 1,
                        "to_day": campaign.end,
                    }
                )
            )
    events = pd.concat(parts, ignore_index=True)
    return Campaigns(
        campaigns=_campaign_table(plan, clock),
        offers=_offer_table(plan, clock),
        contacts=_contact_table(events, plan, records, clock),
        extra=pd.concat(extras, ignore_index=True),
        offer_ids=[f"OFF{number + 1:02d}" for number in range(len(plan))],
        visits=pd.concat(visits, ignore_index=True),
        open_offers=pd.concat(reached, ignore_index=True),
    )


def redeem(
    *, orders: pd.DataFrame, open_offers: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Use a part of the offers on purchases that would have been made anyway.

    `orders` gains `offer` (-1 for none) and `depth`. An order takes the newest offer
    that reached the person and is still open.
    """
    row = np.arange(len(orders))
    pairs = orders[["person", "day"]].assign(row=row).merge(open_offers, on="person")
    pairs = pairs[(pairs["day"] >= pairs["from_day"]) & (pairs["day"] <= pairs["to_day"])]
    pairs = pairs.sort_values(["row", "offer"], kind="stable").drop_duplicates("row", keep="last")
    pairs = pairs[rng.random(len(pairs)) < REDEEMED_SHARE]
    offer, depth = np.full(len(orders), -1), np.zeros(len(orders))
    offer[pairs["row"]] = pairs["offer"]
    depth[pairs["row"]] = pairs["depth"]
    return orders.assign(offer=offer, depth=depth)


def _plan(clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    number = np.arange(CAMPAIGNS)
    gap = (clock.days - 60) / CAMPAIGNS
    start = clock.open_day[(20 + number * gap).astype(int)]
    offer = rng.choice(len(OFFERS), size=CAMPAIGNS, p=[share for *_, share in OFFERS])
    return pd.DataFrame(
        {
            "number": number,
            "start": start,
            "end": np.minimum(start + 21, clock.days - 1),
            "channel": np.resize(CHANNEL_PLAN, CAMPAIGNS),
            "variants": np.where(number % 3 == 2, 2, 1),
            "goal": rng.integers(0, len(GOALS), CAMPAIGNS),
            "theme": rng.integers(0, len(THEMES), CAMPAIGNS),
            "offer": offer,
            "depth": np.array([depth for _, depth, _, _ in OFFERS])[offer],
            "category": rng.integers(-1, len(pools.CATEGORIES), CAMPAIGNS),
        }
    )


def _audience(
    campaign: Plan,
    traits: Traits,
    records: Records,
    unsubscribed: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """People to contact: person, record used, variant, held_out."""
    n = len(traits.buyer)
    everyone = np.arange(n)
    usable = (records.mailable, records.textable, records.postable)[campaign.channel]
    record = np.full(n, -1)
    for system in SYSTEMS_TRUSTED[campaign.channel]:
        row = records.at(everyone, np.full(n, system), np.full(n, campaign.start))
        row = np.where((row >= 0) & usable[row], row, -1)
        record = np.where(record >= 0, record, row)
    consents = traits.consent[:, CONSENT_OF[campaign.channel]] & ~unsubscribed[:, campaign.channel]
    chosen = consents & (record >= 0) & (rng.random(n) < TARGETED_SHARE)
    person = np.flatnonzero(chosen)
    return pd.DataFrame(
        {
            "person": person,
            "record": record[person],
            "variant": rng.integers(0, campaign.variants, len(person)),
            "held_out": rng.random(len(person)) < HELD_OUT_SHARE,
        }
    )


def _send(
    campaign: Plan,
    sent: pd.DataFrame,
    traits: Traits,
    records: Records,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Events of a campaign, the purchases it causes, the visits that follow its clicks."""
    n = len(sent)
    person = sent["person"].to_numpy()
    record = sent["record"].to_numpy()
    treated = ~sent["held_out"].to_numpy()
    alive = (traits.join_day[person] <= campaign.start) & (leave_day[person] > campaign.start)
    by_mail, by_sms, by_post = (campaign.channel == channel for channel in (EMAIL, SMS, POST))

    bounce_share = {
        EMAIL: np.where(records.email_dead[record], 0.92, 0.004),
        SMS: np.full(n, 0.03),
        POST: np.where(records.address_stale[record], 0.70, 0.008),
    }[campaign.channel]
    returned = treated & (rng.random(n) < bounce_share)
    arrived = treated & ~returned
    interest = np.where(alive, 1.0, 0.35)
    opened = arrived & by_mail & (rng.random(n) < traits.opens[person] * interest)
    seen = opened | (arrived & by_sms)
    clicked = seen & (rng.random(n) < (0.16 if by_mail else 0.07) * interest)
    stops = seen & (rng.random(n) < (0.006 if by_mail else 0.010) * (2 - interest))
    refers = clicked & (rng.random(n) < 0.02)

    minute = 600 + np.arange(n) / max(n, 1) * (60 if not by_post else 1)
    wait = rng.choice(3, size=n, p=[0.65, 0.25, 0.10])
    open_day = campaign.start + wait
    open_minute = np.where(wait == 0, rng.uniform(670, 1380, n), rng.uniform(430, 1380, n))
    post_day = campaign.start + rng.integers(3, 9, n) * by_post
    when = {
        "held_out": (np.full(n, campaign.start), minute, sent["held_out"].to_numpy()),
        "sent": (np.full(n, campaign.start), minute, treated),
        "delivered": (post_day, minute + 2, arrived),
        "opened": (open_day, open_minute, opened),
        "clicked": (open_day, open_minute + rng.uniform(0.3, 6, n), clicked),
        "referred": (open_day, open_minute + rng.uniform(7, 20, n), refers),
        "unsubscribed": (open_day, open_minute + rng.uniform(20, 30, n), stops),
        "bounced": (np.full(n, campaign.start), minute + 3, returned & ~by_post),
        "undeliverable": (post_day + 7, minute, returned & by_post),
    }
    parts = []
    for event, (day, at, rows) in when.items():
        index = np.flatnonzero(rows)
        parts.append(
            pd.DataFrame(
                {
                    "campaign": campaign.number,
                    "rank": index,
                    "person": person[index],
                    "record": record[index],
                    "variant": sent["variant"].to_numpy()[index],
                    "day": day[index],
                    "minute": at[index],
                    "event": event,
                }
            )
        )

    chance = traits.persuadable[person] * EFFECT[campaign.channel]
    buys = arrived & alive & traits.buyer[person] & (traits.cycle[person] < 0)
    buys &= rng.random(n) < chance
    who = person[buys]
    day = campaign.start + 1 + rng.integers(0, RESPONSE_DAYS, len(who))
    offer = campaign.number if campaign.depth > 0 else -1
    extra = pd.DataFrame({"person": who, "day": day, "offer": offer, "depth": campaign.depth})
    extra = extra[extra["day"] <= np.minimum(leave_day[who], clock.days - 1)]
    visits = pd.DataFrame(
        {
            "person": person[clicked],
            "day": open_day[clicked],
            "minute": when["clicked"][1][clicked] + 0.2,
        }
    )
    return pd.concat(parts, ignore_index=True), extra, visits


def _campaign_table(plan: pd.DataFrame, clock: Clock) -> pa.Table:
    rows = plan.loc[np.repeat(plan.index, plan["variants"])]
    variant = rows.groupby("number").cumcount().to_numpy()
    number, channel = rows["number"].to_numpy(), rows["channel"].to_numpy()
    offer = np.where(rows["depth"] > 0, number, -1)
    columns = {
        "campaign_id": concat("CAMP", digits(number + 1, 2)),
        "variant": pick(("A", "B"), variant),
        "goal": pick(GOALS, rows["goal"].to_numpy()),
        "offer_id": concat("OFF", digits(offer + 1, 2)),
        # The second variant appeals to something else.
        "theme": pick(THEMES, (rows["theme"].to_numpy() + variant) % len(THEMES)),
        "channel": pick(CHANNEL_NAMES, channel),
        "cost_per_contact": np.array(COST)[channel],
        "started_at": clock.at(rows["start"].to_numpy(), np.full(len(rows), 540.0)),
        "ended_at": clock.at(rows["end"].to_numpy(), np.full(len(rows), 1200.0)),
    }
    columns["offer_id"] = pc.if_else(pa.array(offer >= 0), columns["offer_id"], None)
    return pa.table(columns, schema=arrow_schema(CONTRACTS["raw.campaigns"]))


def _offer_table(plan: pd.DataFrame, clock: Clock) -> pa.Table:
    rows = plan[plan["depth"] > 0]
    offer = rows["offer"].to_numpy()
    columns = {
        "offer_id": concat("OFF", digits(rows["number"].to_numpy() + 1, 2)),
        "category": pick([c.name for c in pools.CATEGORIES], rows["category"].to_numpy()),
        "kind": pick([kind for kind, *_ in OFFERS], offer),
        "depth": rows["depth"].to_numpy(),
        "valid_from": clock.at(rows["start"].to_numpy(), np.full(len(rows), 540.0)),
        "valid_to": clock.at(rows["end"].to_numpy(), np.full(len(rows), 1200.0)),
        "min_margin": np.array([least for _, _, least, _ in OFFERS])[offer],
    }
    return pa.table(columns, schema=arrow_schema(CONTRACTS["raw.offers"]))


def _contact_table(
    events: pd.DataFrame, plan: pd.DataFrame, records: Records, clock: Clock
) -> pa.Table:
    campaign = events["campaign"].to_numpy()
    record = events["record"].to_numpy()
    event = pa.array(events["event"], pa.string())
    channel = plan["channel"].to_numpy()[campaign]
    bounced = (events["event"] == "bounced").to_numpy()
    reason = np.select(
        [
            (events["event"] == "undeliverable").to_numpy(),
            bounced & (channel == SMS),
            bounced & records.email_dead[record],
            bounced,
        ],
        [0, 1, 2, 3],
        -1,
    )
    columns = {
        "contact_id": concat(
            "K", digits(campaign + 1, 2), "-", digits(events["rank"].to_numpy() + 1, 6)
        ),
        "campaign_id": concat("CAMP", digits(campaign + 1, 2)),
        "variant": pick(("A", "B"), events["variant"].to_numpy()),
        "source": records.sources(record),
        "source_id": records.source_ids(record),
        "channel": pick(CHANNEL_NAMES, channel),
        "at": clock.at(events["day"].to_numpy(), events["minute"].to_numpy()),
        "event": event,
        "reason": pick(("PND", "numéro invalide", "adresse inconnue", "boîte pleine"), reason),
    }
    return pa.table(columns, schema=arrow_schema(CONTRACTS["raw.contacts"]))
