"""The truth tables: what no brand can know, for scoring every stage against it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, SHOCKS, arrow_schema
from customer360.worlds.demo import goods
from customer360.worlds.demo.baskets import INFLATION, Catalogue, OrderValue, expected_order
from customer360.worlds.demo.chunk import Chunk
from customer360.worlds.demo.clock import Clock, clock_between
from customer360.worlds.demo.expectation import Standing, expect
from customer360.worlds.demo.experience import FADES_IN_DAYS
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.life import Life
from customer360.worlds.demo.messages import (
    CHANNEL_NAMES,
    CONTENTS,
    COST,
    FORCE,
    IMAGE_FORCE,
    IMAGES,
    OFFERS,
    PEOPLE_BELONG,
    RESPONSE_DAYS,
    THEME_HIT,
    THEME_MISS,
    THEMES,
    VARIANTS,
    Plan,
    offer_force,
)
from customer360.worlds.demo.people import NEVER, People, true_contacts
from customer360.worlds.demo.purchases import delivery_shares
from customer360.worlds.demo.reactions import contact_ids
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.text import concat, digits, pick, segment_positions
from customer360.worlds.demo.traits import CYCLES, RESPONSES, SYSTEMS, Traits

__all__ = [
    "HORIZON_DAYS",
    "add_campaigns",
    "true_campaigns",
    "true_contacts_sent",
    "true_expectations",
    "true_links",
    "true_orders",
    "true_people",
    "true_shocks",
    "true_traits",
    "true_uplift",
]

HORIZON_DAYS = 365
NEW_DAYS = 90
CLASSES = ("gros", "cyclique", "nouveau", "inactif", "ordinaire")
OFFER_NAMES = ("none", "gift", "percent_10", "percent_20", "percent_30")


def true_links(*, people: People, records: Records) -> pa.Table:
    """Record to person, in the contract `truth.people_links`."""
    return pa.table(
        {
            "source": records.table["source"],
            "source_id": records.table["source_id"],
            "person_id": people.ids.take(pa.array(records.person)),
        },
        schema=arrow_schema(CONTRACTS["truth.people_links"]),
    )


def true_people(*, people: People, traits: Traits, life: Life, clock: Clock) -> pa.Table:
    """Names, contact points, class, rate and leaving day. Non-buyers have no class."""
    left = traits.buyer & (life.leave_day < clock.days)
    columns = {
        "person_id": people.ids,
        "household_id": people.household_ids,
        "title": pick(("Mme", "M."), people.male.astype(int)),
        "first_name": people.first,
        "last_name": people.last,
        "birth_date": pa.array(people.birth.astype("datetime64[D]")),
        **true_contacts(people),
        "potential_class": pick(CLASSES, _classes(traits, life, clock)),
        "purchase_rate": traits.rate,
        "joined_on": _dates(traits.join_day, clock),
        "left_on": _dates(life.leave_day, clock, known=left),
    }
    return pa.table(columns, schema=arrow_schema(CONTRACTS["truth.people"]))


def _classes(traits: Traits, life: Life, clock: Clock) -> np.ndarray:
    """Number in `CLASSES`: whoever left is inactive; a cycle needs two years to be one."""
    n = len(traits.buyer)
    years = clock.dates.astype("datetime64[Y]").astype(int)
    seen = np.unique(
        life.orders["person"].to_numpy() * 10_000 + years[life.orders["day"].to_numpy()]
    )
    cycles_seen = np.bincount(seen // 10_000, minlength=n)
    return np.select(
        [
            ~traits.buyer,
            life.leave_day < clock.days,
            (traits.cycle >= 0) & (cycles_seen >= 2),
            traits.join_day >= clock.days - NEW_DAYS,
            traits.big,
        ],
        [-1, 3, 1, 2, 0],
        4,
    )


def _dates(day: np.ndarray, clock: Clock, known: np.ndarray | None = None) -> pa.Array:
    dates = clock.dates[0] + np.where(day < NEVER, day, 0).astype("timedelta64[D]")
    return pa.array(dates, mask=None if known is None else ~known)


def true_traits(
    *,
    people: People,
    traits: Traits,
    value: OrderValue,
    service_cost_per_order: np.ndarray,
    bad_per_order: np.ndarray,
) -> pa.Table:
    """What kind of customer each person is, in the contract `truth.traits`."""
    cyclic = traits.cycle >= 0
    columns = {
        "person_id": people.ids,
        "persona": pick(tuple(goods.PERSONAS), traits.persona),
        "cycle": pick(tuple(CYCLES), traits.cycle),
        "cycle_period": pa.array(np.full(len(cyclic), 365.25), mask=~cyclic),
        "leaving_hazard": traits.hazard,
        "spend_level": traits.spend,
        "promo_affinity": traits.promo,
        "price_elasticity": traits.elasticity,
        "store_share": traits.store,
        "theme": pick(THEMES, traits.theme),
        "response_kind": pick(RESPONSES, traits.response),
        "pull": traits.pull,
        "push": traits.push,
        "margin_per_order": value.margin,
        "cost_per_order": service_cost_per_order,
        "revenue_per_order": value.revenue,
        "bad_per_order": bad_per_order,
    }
    return pa.table(columns, schema=arrow_schema(CONTRACTS["truth.traits"]))


def true_shocks(*, people: People, life: Life, clock: Clock) -> pa.Table:
    """Every experience that moved somebody's dissatisfaction, and where it then stood."""
    felt = life.feelings
    before = np.r_[0.0, felt.level[:-1]]
    gap = np.diff(felt.day, prepend=0)
    same = np.r_[False, felt.person[1:] == felt.person[:-1]] if len(felt.person) else []
    before = np.where(same, before * np.exp(-np.maximum(gap, 0) / FADES_IN_DAYS), 0.0)
    return pa.table(
        {
            "person_id": people.ids.take(pa.array(felt.person)),
            "day": _dates(felt.day, clock),
            "kind": pick(SHOCKS, felt.kind),
            "change": felt.level - before,
            "dissatisfaction": felt.level,
        },
        schema=arrow_schema(CONTRACTS["truth.shocks"]),
    )


def true_expectations(
    *,
    people: People,
    traits: Traits,
    life: Life,
    catalogue: Catalogue,
    service_cost_per_order: np.ndarray,
    service_cost_per_year: np.ndarray,
    plan: Plan,
    laws: Laws,
    clock: Clock,
) -> pa.Table:
    """The year ahead under the true parameters, from a year before the end and from the end.

    Messages sent in that year count with their true effects and costs; after the last day
    none is sent.
    """
    cost_of = np.array([COST[c.channel] for c in plan.campaigns] or [0.0])
    parts = []
    for day in (clock.days - 1 - HORIZON_DAYS, clock.days - 1):
        first = (clock.dates[0] + np.timedelta64(day + 1, "D")).astype(object)
        ahead = clock_between(
            first=first, last=first + timedelta(days=HORIZON_DAYS - 1), seasons=laws.seasons
        )
        everyone = np.arange(len(people))
        alive = traits.buyer & (traits.join_day <= day) & (life.leave_day > day)
        future = expect(
            standing=Standing(
                alive=alive,
                rate=traits.rate,
                hazard=traits.hazard,
                cycle=traits.cycle,
                discontent=life.feelings.at(everyone, np.full(len(people), day)),
                deliveries=delivery_shares(traits),
            ),
            clock=ahead,
            laws=laws,
        )
        sent = life.contacts
        sent = sent[(sent["day"] > day) & (sent["day"] <= day + HORIZON_DAYS)]
        sent = sent[~sent["held_out"].astype(bool)]
        who = sent["person"].to_numpy()
        week = np.minimum((sent["day"].to_numpy() - day) // 7, len(future.survival) - 1)
        effect = sent["potential"].to_numpy() * future.survival[week, who]
        n = len(people)
        added = np.bincount(who, weights=effect, minlength=n)
        messages = np.bincount(who, weights=cost_of[sent["campaign"].to_numpy()], minlength=n)
        transactions = np.maximum(future.transactions + added, 0.0)
        value = expected_order(
            traits=traits,
            catalogue=catalogue,
            clock=clock,
            trading_down=laws.trading_down * future.discontent,
        )
        # Prices are those of the middle of that year.
        prices = (1 + INFLATION) ** ((day + HORIZON_DAYS / 2 - clock.days + 1) / 365.25)
        parts.append(
            pa.table(
                {
                    "person_id": people.ids,
                    "as_of": _dates(np.full(n, day), clock),
                    "horizon": np.full(n, float(HORIZON_DAYS)),
                    "alive": alive,
                    "p_leave": future.p_leave,
                    # Nobody knows what a message will do: those added come at random.
                    "p_no_purchase": future.p_no_purchase * np.exp(-np.maximum(added, 0)),
                    "expected_transactions": transactions,
                    "expected_revenue": transactions * value.revenue * prices,
                    "expected_margin": transactions * value.margin * prices,
                    "expected_cost": transactions * service_cost_per_order
                    + future.years * service_cost_per_year
                    + messages,
                },
                schema=arrow_schema(CONTRACTS["truth.expectations"]),
            )
        )
    return pa.concat_tables(parts).combine_chunks()


def true_contacts_sent(*, people: People, life: Life, chunk: Chunk) -> pa.Table:
    """What each message does or would have done, in the contract `truth.contacts`."""
    sent = life.contacts
    campaign = sent["campaign"].to_numpy()
    return pa.table(
        {
            "contact_id": contact_ids(campaign=campaign, rank=sent["rank"].to_numpy(), chunk=chunk),
            "person_id": people.ids.take(pa.array(sent["person"].to_numpy())),
            "campaign_id": concat("CAMP", digits(campaign + 1, 2)),
            "potential": sent["potential"].to_numpy().astype(float),
            "effect": sent["effect"].to_numpy().astype(float),
            "fatigue": sent["fatigue"].to_numpy().astype(float),
        },
        schema=arrow_schema(CONTRACTS["truth.contacts"]),
    )


def content_appeal(liked: Sequence[str]) -> np.ndarray:
    """What each theme and picture does, beside what `true_uplift` tells.

    Parameters
    ----------
    liked : sequence of str
        The theme that appeals to each person.

    Returns
    -------
    numpy.ndarray, people x `messages.CONTENTS`
        Factor on the purchases that a message adds; 1 for the theme that appeals, with a
        picture of products.
    """
    told = np.asarray(liked, dtype=object)
    columns = []
    for theme, image in CONTENTS:
        factor = np.where(told == theme, 1.0, THEME_MISS / THEME_HIT)
        factor = factor * IMAGE_FORCE[IMAGES.index(image)]
        columns.append(factor * (PEOPLE_BELONG if (theme, image) == ("belonging", "people") else 1))
    return np.column_stack(columns)


def true_uplift(
    *, people: People, traits: Traits, life: Life, laws: Laws, clock: Clock
) -> pa.Table:
    """Purchases that one more message would add, by person, channel and offer.

    On the last day, for somebody who is not tired, with the theme that appeals to them, in
    a category of average interest, given that it arrives.
    """
    n = len(people)
    alive = traits.buyer & (traits.join_day < clock.days) & (life.leave_day >= clock.days)
    state = life.feelings.at(np.arange(n), np.full(n, clock.days - 1))
    coming = traits.rate * RESPONSE_DAYS / 365.25 * np.exp(-laws.thinning_effect * state)
    person, channel = segment_positions(np.full(n, len(CHANNEL_NAMES)))
    force = np.array(FORCE)[channel] * traits.ear[person, channel] * THEME_HIT
    taken = (traits.push * coming)[person] * (force > 0)
    columns = {}
    for name, (_, depth, _) in zip(OFFER_NAMES, OFFERS[: len(OFFER_NAMES)], strict=True):
        stronger = offer_force(depth=depth, promo=traits.promo)[person]
        added = np.clip(traits.pull[person] * force * stronger, 0, 0.9)
        columns[f"effect_{name}"] = np.where(alive[person], added - taken, 0.0)
    return pa.table(
        {
            "person_id": people.ids.take(pa.array(person)),
            "channel": pick(CHANNEL_NAMES, channel),
            **columns,
        },
        schema=arrow_schema(CONTRACTS["truth.uplift"]),
    )


def true_orders(*, people: People, orders: pd.DataFrame, plan: Plan) -> pa.Table:
    """Orders that a message caused, in the contract `truth.orders`."""
    caused = orders[orders["campaign"] >= 0]
    return pa.table(
        {
            "source": pick(SYSTEMS, caused["system"].to_numpy()),
            "order_id": pa.array(caused["order_id"], pa.string()),
            "person_id": people.ids.take(pa.array(caused["person"].to_numpy())),
            "campaign_id": concat("CAMP", digits(caused["campaign"].to_numpy() + 1, 2)),
        },
        schema=arrow_schema(CONTRACTS["truth.orders"]),
    )


def true_campaigns(*, life: Life, orders: pd.DataFrame, plan: Plan) -> pa.Table:
    """What each campaign and variant caused and cost; sums over chunks add up.

    A caused order counts for the variant its person received.
    """
    keys = [(c.number, v) for c in plan.campaigns for v in range(c.variants)]
    index = pd.MultiIndex.from_tuples(keys, names=["campaign", "variant"])
    sent = life.contacts
    to = sent.set_index(["campaign", "person"])["variant"]

    def of(frame: pd.DataFrame) -> pd.DataFrame:
        pairs = pd.MultiIndex.from_frame(frame[["campaign", "person"]])
        return frame.assign(variant=to.reindex(pairs).to_numpy())

    by = ["campaign", "variant"]
    caused = of(orders[orders["campaign"] >= 0]).groupby(by)
    held = sent["held_out"].astype(bool)
    table = pd.DataFrame(
        {
            "contacted": sent[~held].groupby(by).size(),
            "held_out": sent[held].groupby(by).size(),
            "caused_orders": caused.size(),
            "prevented_orders": of(life.prevented).groupby(by).size(),
            "caused_amount": caused["amount"].sum(),
            "caused_margin": caused["margin"].sum(),
        }
    )
    table = table.reindex(index).fillna(0.0).reset_index()
    number = table["campaign"].to_numpy(dtype=np.int64)
    channel = np.array([c.channel for c in plan.campaigns], dtype=np.int64)[number]
    counts = ("contacted", "held_out", "caused_orders", "prevented_orders")
    return pa.table(
        {
            "campaign_id": concat("CAMP", digits(number + 1, 2)),
            "variant": pick(tuple(VARIANTS), table["variant"].to_numpy(dtype=np.int64)),
            "channel": pick(CHANNEL_NAMES, channel),
            **{name: table[name].to_numpy().astype(np.int64) for name in counts},
            "caused_amount": table["caused_amount"].to_numpy(dtype=float),
            "caused_margin": table["caused_margin"].to_numpy(dtype=float),
            "cost": table["contacted"].to_numpy(dtype=float) * np.array(COST)[channel],
        },
        schema=arrow_schema(CONTRACTS["truth.campaigns"]),
    )


def add_campaigns(parts: list[pa.Table]) -> pa.Table:
    """Add up `truth.campaigns` of several chunks."""
    keys = ["campaign_id", "variant", "channel"]
    schema = arrow_schema(CONTRACTS["truth.campaigns"])
    sums = [(name, "sum") for name in schema.names if name not in keys]
    total = pa.concat_tables(parts).group_by(keys, use_threads=False).aggregate(sums)
    columns = {name: total[name if name in keys else f"{name}_sum"] for name in schema.names}
    table = pa.table(columns, schema=schema)
    return table.sort_by([("campaign_id", "ascending"), ("variant", "ascending")])
