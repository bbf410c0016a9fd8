"""One chunk of the world, from people to tables: the chain of causes, read from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.worlds.demo.around import (
    make_enrichment,
    make_life_events,
    make_loyalty,
    make_sales_visits,
)
from customer360.worlds.demo.baskets import (
    Catalogue,
    expected_order,
    make_catalogue,
    make_lines,
    redeem,
)
from customer360.worlds.demo.chunk import Chunk
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.dirt import soil
from customer360.worlds.demo.experience import BAD_SHARE, EXPECTED_POINTS
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.life import Life, live
from customer360.worlds.demo.messages import OFFERS, Plan, campaign_table, make_plan, offer_table
from customer360.worlds.demo.milestones import draw_milestones, true_life_events
from customer360.worlds.demo.people import make_people
from customer360.worlds.demo.purchases import delivery_shares, visit_days
from customer360.worlds.demo.reactions import CLICKED, DELIVERED, contact_table
from customer360.worlds.demo.records import make_records
from customer360.worlds.demo.service import (
    ASKS_A_YEAR,
    ASKS_AFTER_ORDER_SHARE,
    Talks,
    make_conversations,
    make_surveys,
)
from customer360.worlds.demo.traits import Traits, make_traits
from customer360.worlds.demo.truth import (
    true_campaigns,
    true_contacts_sent,
    true_expectations,
    true_links,
    true_orders,
    true_people,
    true_shocks,
    true_traits,
    true_uplift,
)
from customer360.worlds.demo.web import REFERRERS, make_social, make_web

__all__ = ["Frame", "make_chunk", "make_frame"]

PARTS = (
    "people", "traits", "milestones", "records", "visits", "life", "redeemed", "lines", "web",
    "social", "conversations", "surveys", "loyalty", "life_events", "sales_visits", "dirt",
)  # fmt: skip
# Where a visit that follows a click comes from, by channel.
COMES_FROM = ("newsletter", "sms", "direct", "direct", "social_ad", "banner")


@dataclass(frozen=True)
class Frame:
    """What all people share: days, laws, goods and campaigns, and the tables about them."""

    clock: Clock
    laws: Laws
    catalogue: Catalogue
    plan: Plan
    tables: dict[str, pa.Table]


def make_frame(*, clock: Clock, laws: Laws, seed: int) -> Frame:
    """Draw what all people share."""
    goods, campaigns, places = (
        np.random.default_rng(s) for s in np.random.SeedSequence(seed, spawn_key=(0,)).spawn(3)
    )
    catalogue = make_catalogue(clock=clock, rng=goods)
    plan = make_plan(laws=laws, clock=clock, rng=campaigns)
    tables = {
        "products": catalogue.table,
        "campaigns": campaign_table(plan=plan, clock=clock),
        "offers": offer_table(plan=plan, clock=clock),
        "enrichment": make_enrichment(rng=places),
    }
    return Frame(clock=clock, laws=laws, catalogue=catalogue, plan=plan, tables=tables)


def make_chunk(
    *, people: int, seed: int, frame: Frame, chunk: Chunk
) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
    """Make the people of a chunk and all they leave behind.

    Each part draws from its own generator, so that changing one part leaves the draws of
    the others as they were.

    Returns
    -------
    tables, truth : dict
        Raw tables (those of `Frame` apart) and truth tables.
    """
    clock, laws, plan = frame.clock, frame.laws, frame.plan
    streams = np.random.SeedSequence(seed, spawn_key=(1, chunk.index)).spawn(len(PARTS))
    rng = {name: np.random.default_rng(s) for name, s in zip(PARTS, streams, strict=True)}

    folk = make_people(people=people, clock=clock, rng=rng["people"], chunk=chunk)
    traits = make_traits(people=folk, laws=laws, clock=clock, rng=rng["traits"])
    milestones = draw_milestones(people=folk, clock=clock, rng=rng["milestones"])
    records = make_records(people=folk, traits=traits, clock=clock, rng=rng["records"], chunk=chunk)
    known: dict[str, Any] = {"traits": traits, "records": records, "clock": clock}

    visits = visit_days(traits=traits, clock=clock, rng=rng["visits"])
    life = live(visits=visits, **known, plan=plan, laws=laws, rng=rng["life"])
    orders = redeem(
        orders=life.orders,
        events=_delivered(life),
        offers=_open_offers(plan),
        traits=traits,
        laws=laws,
        rng=rng["redeemed"],
    )
    who, when = orders["person"].to_numpy(), orders["day"].to_numpy()
    orders, lines = make_lines(
        orders=orders,
        state=life.feelings.at(who, when),
        **known,
        milestones=milestones,
        catalogue=frame.catalogue,
        offer_ids=plan.offer_ids,
        offer_categories=plan.offer_categories,
        laws=laws,
        rng=rng["lines"],
        chunk=chunk,
    )
    web = make_web(
        people=folk,
        **known,
        milestones=milestones,
        orders=orders,
        clicks=_clicks(life, plan),
        leave_day=life.leave_day,
        rng=rng["web"],
        chunk=chunk,
    )
    talks = make_conversations(
        orders=orders,
        complaints=life.complaints,
        feelings=life.feelings,
        **known,
        leave_day=life.leave_day,
        rng=rng["conversations"],
    )
    channel = np.array([c.channel for c in plan.campaigns], dtype=np.int64)
    tables = {
        "people": records.table,
        "orders": lines,
        "contacts": contact_table(
            events=life.events, channel=channel, records=records, clock=clock, chunk=chunk
        ),
        "web_events": web.events,
        "conversations": talks.conversations,
        "surveys": make_surveys(
            talks=talks,
            feelings=life.feelings,
            **known,
            leave_day=life.leave_day,
            rng=rng["surveys"],
        ),
        "social": make_social(people=folk, **known, rng=rng["social"], chunk=chunk),
        "loyalty": make_loyalty(orders=orders, records=records, clock=clock, rng=rng["loyalty"]),
        "life_events": make_life_events(
            milestones=milestones, people=folk, **known, rng=rng["life_events"]
        ),
        "sales_visits": make_sales_visits(records=records, clock=clock, rng=rng["sales_visits"]),
    }

    # Under the true parameters: what an order and a year of each person bring in calls.
    bad = laws.misfortune * delivery_shares(traits) @ BAD_SHARE
    cost_of_bad, cost_of_a_question = _service_costs(talks, life, traits, clock)
    value = expected_order(traits=traits, catalogue=frame.catalogue, clock=clock)
    question = cost_of_a_question * traits.demanding
    per_order = bad.sum(axis=1) * cost_of_bad + ASKS_AFTER_ORDER_SHARE * question
    truth = {
        "people_links": true_links(people=folk, records=records),
        "visitor_links": web.visitor_links,
        "visits": web.visits,
        "people": true_people(people=folk, traits=traits, life=life, clock=clock),
        "traits": true_traits(
            people=folk,
            traits=traits,
            value=value,
            service_cost_per_order=per_order,
            bad_per_order=bad @ EXPECTED_POINTS,
        ),
        "shocks": true_shocks(people=folk, life=life, clock=clock),
        "conversations": talks.truth,
        "life_events": true_life_events(milestones=milestones, people=folk, clock=clock),
        "expectations": true_expectations(
            people=folk,
            traits=traits,
            life=life,
            catalogue=frame.catalogue,
            service_cost_per_order=per_order,
            service_cost_per_year=ASKS_A_YEAR * question,
            plan=plan,
            laws=laws,
            clock=clock,
        ),
        "contacts": true_contacts_sent(people=folk, life=life, chunk=chunk),
        "uplift": true_uplift(people=folk, traits=traits, life=life, laws=laws, clock=clock),
        "orders": true_orders(people=folk, orders=orders, plan=plan),
        "campaigns": true_campaigns(life=life, orders=orders, plan=plan),
    }
    return soil(tables=tables, rng=rng["dirt"]), truth


def _delivered(life: Life) -> pd.DataFrame:
    events = life.events
    delivered = events.loc[events["event"] == DELIVERED, ["person", "campaign", "variant", "day"]]
    return delivered.rename(columns={"day": "arrived_on"})


def _open_offers(plan: Plan) -> pd.DataFrame:
    rows = [
        (c.number, variant, offer, OFFERS[c.offers[variant]][1], c.start, c.end)
        for c in plan.campaigns
        for variant, offer in enumerate(plan.offer_numbers(c))
        if offer >= 0
    ]
    names = ["campaign", "variant", "offer", "depth", "start", "end"]
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[:3], "int64"))


def _clicks(life: Life, plan: Plan) -> pd.DataFrame:
    """Visits to the site that follow a click in a message."""
    clicks = life.events[life.events["event"] == CLICKED]
    comes_from = np.array([REFERRERS.index(name) for name in COMES_FROM])
    channel = np.array([c.channel for c in plan.campaigns] or [0])
    return pd.DataFrame(
        {
            "person": clicks["person"].to_numpy(),
            "day": clicks["day"].to_numpy(),
            "minute": clicks["minute"].to_numpy() + 0.2,
            "referrer": comes_from[channel[clicks["campaign"].to_numpy()]],
        }
    )


def _service_costs(talks: Talks, life: Life, traits: Traits, clock: Clock) -> tuple[float, float]:
    """Cost of the conversations that a mishap brings, and of one that nothing caused."""
    cost = talks.conversations["cost"].to_numpy()
    complaint = talks.frame["complaint"].to_numpy(dtype=bool)
    mishaps = (life.orders["bad"] > 0).sum()
    start = np.clip(traits.join_day, 0, clock.days)
    years = np.clip(np.minimum(life.leave_day, clock.days) - start, 0, None) / 365.25
    orders = np.bincount(life.orders["person"].to_numpy(), minlength=len(years))
    asked = (traits.demanding * (ASKS_AFTER_ORDER_SHARE * orders + ASKS_A_YEAR * years)).sum()
    return (
        float(cost[complaint].sum() / max(mishaps, 1)),
        float(cost[~complaint].sum() / max(asked, 1.0)),
    )
