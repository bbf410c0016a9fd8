"""A fictional French retailer of home, garden, culture and kids goods, with known truth.

The chain of causes: people and households (`people`) have habits (`traits`) and are
written down, badly, by several systems (`records`); they buy (`purchases`), things go
wrong and they leave sooner (`experience`); campaigns reach them and cause purchases
(`contacts`); they browse (`web`), call and answer surveys (`service`), gather points and
live their lives (`around`). `dirt` spoils a few rows. Every parameter is chosen and
stands as a constant at the top of its module.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.arrived import Arrived
from customer360.worlds.demo.around import (
    make_enrichment,
    make_life_events,
    make_loyalty,
    make_sales_visits,
)
from customer360.worlds.demo.clock import Clock, make_clock
from customer360.worlds.demo.contacts import make_campaigns, redeem
from customer360.worlds.demo.dirt import soil
from customer360.worlds.demo.experience import dissatisfaction, leaving_days
from customer360.worlds.demo.people import People, make_people
from customer360.worlds.demo.purchases import furnish, make_catalogue, make_lines, visit_days
from customer360.worlds.demo.records import Records, make_records
from customer360.worlds.demo.service import make_conversations, make_surveys
from customer360.worlds.demo.text import concat, digits, pick
from customer360.worlds.demo.traits import Traits, make_traits
from customer360.worlds.demo.web import make_social, make_web

__all__ = ["make"]

PARTS = (
    "people", "traits", "records", "catalogue", "visits", "orders", "leaving", "campaigns",
    "extra", "redeemed", "lines", "web", "social", "conversations", "surveys", "loyalty",
    "life_events", "sales_visits", "enrichment", "dirt",
)  # fmt: skip
NEW_DAYS = 90
LEAST_PEOPLE = 100
CLASSES = ("gros", "cyclique", "nouveau", "inactif", "ordinaire")


def make(*, people: int, seed: int, as_of: date, years: int = 3) -> Arrived:
    """Make the world.

    Parameters
    ----------
    people : int
        True people, at least 100.
    seed : int
        Same seed, same bytes. Each part draws from its own generator, so that
        changing one part leaves the draws of the others as they were.
    as_of : date
        Last day of the world, included.
    years : int
        Years of events up to that day. Records of people may be older.

    Returns
    -------
    Arrived
        Every raw table, and the truth: `people_links` (record to person),
        `visitor_links` (device to person) and `people`.

    Raises
    ------
    ValueError
        For fewer people or years than a world can be made of.
    """
    if people < LEAST_PEOPLE or not 2 <= years <= 20:
        raise ValueError(
            f"a demo world needs at least {LEAST_PEOPLE} people and 2 to 20 years; "
            f"found people: {people}, years: {years}"
        )
    streams = np.random.SeedSequence(seed).spawn(len(PARTS))
    rng = {name: np.random.default_rng(s) for name, s in zip(PARTS, streams, strict=True)}
    clock = make_clock(as_of=as_of, years=years)

    folk = make_people(people=people, clock=clock, rng=rng["people"])
    traits = make_traits(people=folk, clock=clock, rng=rng["traits"])
    records = make_records(people=folk, traits=traits, clock=clock, rng=rng["records"])
    catalogue = make_catalogue(rng=rng["catalogue"])

    visits = visit_days(traits=traits, clock=clock, rng=rng["visits"])
    orders = furnish(visits=visits, traits=traits, records=records, clock=clock, rng=rng["orders"])
    leave_day = leaving_days(orders=orders, traits=traits, rng=rng["leaving"])
    orders = orders[orders["day"] <= leave_day[orders["person"]]]
    campaigns = make_campaigns(
        traits=traits, records=records, leave_day=leave_day, clock=clock, rng=rng["campaigns"]
    )
    caused = furnish(
        visits=campaigns.extra, traits=traits, records=records, clock=clock, rng=rng["extra"]
    ).assign(
        bad=0, offer=campaigns.extra["offer"].to_numpy(), depth=campaigns.extra["depth"].to_numpy()
    )
    orders = redeem(orders=orders, open_offers=campaigns.open_offers, rng=rng["redeemed"])
    orders = pd.concat([orders, caused], ignore_index=True)
    orders = orders.sort_values(["day", "minute", "person"], kind="stable", ignore_index=True)

    bad = orders[orders["bad"] > 0]
    state = dissatisfaction(
        person=orders["person"].to_numpy(),
        day=orders["day"].to_numpy(),
        bad_person=bad["person"].to_numpy(),
        bad_day=bad["day"].to_numpy(),
    )
    orders, lines = make_lines(
        orders=orders,
        state=state,
        traits=traits,
        records=records,
        catalogue=catalogue,
        offer_ids=campaigns.offer_ids,
        clock=clock,
        rng=rng["lines"],
    )
    web = make_web(
        people=folk,
        traits=traits,
        records=records,
        orders=orders,
        clicks=campaigns.visits,
        leave_day=leave_day,
        clock=clock,
        rng=rng["web"],
    )
    talks, conversations = make_conversations(
        orders=orders,
        traits=traits,
        records=records,
        leave_day=leave_day,
        clock=clock,
        rng=rng["conversations"],
    )
    tables = {
        "people": records.table,
        "orders": lines,
        "products": catalogue.table,
        "campaigns": campaigns.campaigns,
        "contacts": campaigns.contacts,
        "offers": campaigns.offers,
        "web_events": web.events,
        "conversations": conversations,
        "surveys": make_surveys(
            talks=talks,
            orders=orders,
            traits=traits,
            records=records,
            leave_day=leave_day,
            clock=clock,
            rng=rng["surveys"],
        ),
        "social": make_social(
            people=folk, traits=traits, records=records, clock=clock, rng=rng["social"]
        ),
        "loyalty": make_loyalty(orders=orders, records=records, clock=clock, rng=rng["loyalty"]),
        "life_events": make_life_events(
            people=folk, traits=traits, records=records, clock=clock, rng=rng["life_events"]
        ),
        "enrichment": make_enrichment(rng=rng["enrichment"]),
        "sales_visits": make_sales_visits(records=records, clock=clock, rng=rng["sales_visits"]),
    }
    truth = {
        "people_links": _people_links(folk, records),
        "visitor_links": web.visitor_links,
        "people": _true_people(folk, traits, orders, leave_day, clock),
    }
    return Arrived(tables=soil(tables=tables, rng=rng["dirt"]), truth=truth)


def _people_links(people: People, records: Records) -> pa.Table:
    return pa.table(
        {
            "source": records.table["source"],
            "source_id": records.table["source_id"],
            "person_id": people.ids.take(pa.array(records.person)),
        },
        schema=arrow_schema(CONTRACTS["truth.people_links"]),
    )


def _true_people(
    people: People, traits: Traits, orders: pd.DataFrame, leave_day: np.ndarray, clock: Clock
) -> pa.Table:
    """Names, class, rate and leaving day. People who never bought have no class."""
    n = len(people)
    left = traits.buyer & (leave_day < clock.days)
    years = clock.dates.astype("datetime64[Y]").astype(int)
    buying_years = np.unique(
        np.column_stack([orders["person"], years[orders["day"].to_numpy()]]), axis=0
    )
    cycles_seen = np.bincount(buying_years[:, 0], minlength=n)
    # Whoever left is inactive, whatever it was; a cycle needs two years to be one.
    kind = np.select(
        [
            ~traits.buyer,
            left,
            (traits.cycle >= 0) & (cycles_seen >= 2),
            traits.join_day >= clock.days - NEW_DAYS,
            traits.big,
        ],
        [-1, 3, 1, 2, 0],
        4,
    )
    left_on = clock.dates[0] + leave_day.astype("timedelta64[D]")
    return pa.table(
        {
            "person_id": people.ids,
            "household_id": concat("H", digits(people.household + 1, 7)),
            "title": pick(("Mme", "M."), people.male.astype(int)),
            "first_name": people.first,
            "last_name": people.last,
            "birth_date": pa.array(people.birth.astype("datetime64[D]")),
            "potential_class": pick(CLASSES, kind),
            "purchase_rate": traits.rate,
            "left_on": pa.array(left_on, mask=~left),
        },
        schema=arrow_schema(CONTRACTS["truth.people"]),
    )
