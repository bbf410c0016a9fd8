"""What else is known: loyalty points, events of life, representatives, postcodes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, LIFE_EVENTS, arrow_schema
from customer360.worlds.demo import pools
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.milestones import Milestones
from customer360.worlds.demo.people import People
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.text import concat, digits, pick, segment_positions
from customer360.worlds.demo.traits import CALLCENTRE, CRM, SALES_REP, TILL, WEB, Traits

__all__ = ["make_enrichment", "make_life_events", "make_loyalty", "make_sales_visits"]

POINTS_PER_VOUCHER = 200
BURN_SHARE = 0.6
LIFE_KINDS = ("birth", "move", "wedding", "retirement", "birthday")
# What each event is told as, and in which days from it, in the order of LIFE_EVENTS.
TOLD: dict[str, tuple[str, int, int]] = {
    "birth": ("birth", -60, 60),
    "move": ("move", 0, 20),
    "wedding": ("wedding", -60, 20),
    "retirement": ("retirement", 0, 60),
    "home_purchase": ("move", 0, 60),
}
OUTCOMES = ("order", "appointment", "refusal", "absent")
# Share of the fields that each representative fills in: a habit of its own.
DILIGENCE = np.array([0.32, 0.45, 0.50, 0.55, 0.58, 0.62, 0.65, 0.68, 0.71, 0.75, 0.80, 0.88])


def make_loyalty(
    *, orders: pd.DataFrame, records: Records, clock: Clock, rng: np.random.Generator
) -> pa.Table:
    """Points of those who have a till card, in the contract `raw.loyalty`.

    A point per euro; a voucher may be used each time 200 points have gathered.
    """
    person, day = orders["person"].to_numpy(), orders["day"].to_numpy()
    card = records.at(person, np.full(len(person), TILL), day)
    points = np.floor(orders["amount"].to_numpy())
    rows = np.flatnonzero((card >= 0) & (points > 0))
    rows = rows[np.lexsort((orders["minute"].to_numpy()[rows], day[rows], person[rows]))]
    who = person[rows]
    gathered = np.cumsum(points[rows])
    first = np.r_[True, who[1:] != who[:-1]] if len(who) else np.zeros(0, dtype=bool)
    before = np.where(first, gathered - points[rows], 0.0)
    total = gathered - np.maximum.accumulate(before)
    vouchers = np.floor(total / POINTS_PER_VOUCHER)
    previous = np.where(first, 0.0, np.r_[0.0, vouchers[:-1]])
    won = np.flatnonzero((vouchers > previous) & (rng.random(len(rows)) < BURN_SHARE))

    gifts = rows[rng.random(len(rows)) < 0.03]
    parts = [
        pd.DataFrame({"row": rows, "kind": 0, "points": points[rows], "later": 0.0}),
        pd.DataFrame(
            {"row": rows[won], "kind": 1, "points": -float(POINTS_PER_VOUCHER), "later": 1.0}
        ),
        pd.DataFrame(
            {"row": gifts, "kind": rng.choice([2, 3], len(gifts)), "points": 0.0, "later": 2.0}
        ),
    ]
    moves = pd.concat(parts, ignore_index=True)
    row = moves["row"].to_numpy()
    minute = np.minimum(orders["minute"].to_numpy()[row] + moves["later"].to_numpy(), 1435)
    moves = moves.assign(day=day[row], minute=minute, card=card[row])
    moves = moves.sort_values(["day", "minute", "card", "kind"], kind="stable")
    return pa.table(
        {
            "source": pick(("till",), np.zeros(len(moves), dtype=int)),
            "source_id": records.source_ids(moves["card"].to_numpy()),
            "at": clock.at(moves["day"].to_numpy(), moves["minute"].to_numpy()),
            "kind": pick(("earn", "burn", "coupon", "sample"), moves["kind"].to_numpy()),
            "points": moves["points"].to_numpy(),
        },
        schema=arrow_schema(CONTRACTS["raw.loyalty"]),
    )


def make_life_events(
    *,
    milestones: Milestones,
    people: People,
    traits: Traits,
    records: Records,
    clock: Clock,
    rng: np.random.Generator,
) -> pa.Table:
    """Events that people declared, and birthdays, in the contract `raw.life_events`.

    A home bought is told as a move, unless the move itself was told. People tell some
    weeks before or after the event.
    """
    told = milestones.declared & (milestones.day >= 0) & (milestones.day < clock.days)
    home, move = LIFE_EVENTS.index("home_purchase"), LIFE_EVENTS.index("move")
    told[:, home] &= ~told[:, move]
    who, event = np.nonzero(told)
    kind_of_event, first, last = np.array(
        [(LIFE_KINDS.index(kind), first, last) for kind, first, last in TOLD.values()]
    ).T
    told_on = milestones.day[who, event] + rng.integers(first[event], last[event])

    # Birthdays that were wished to members who gave their date.
    wished = np.flatnonzero(traits.member[:, TILL] & (rng.random(len(people)) < 0.10))
    last_year = clock.days - 365
    birthday = last_year + (_day_of_year(people.birth[wished])
                            - _day_of_year(clock.dates[last_year])) % 365  # fmt: skip

    person = np.concatenate([who, wished])
    day = np.clip(np.concatenate([told_on, birthday]), 0, clock.days - 1)
    kind = np.concatenate(
        [kind_of_event[event], np.full(len(wished), LIFE_KINDS.index("birthday"))]
    )
    record = records.any_at(person, (CRM, WEB, TILL, CALLCENTRE), day)
    order = np.lexsort((person, kind, day))
    order = order[record[order] >= 0]
    record = record[order]
    return pa.table(
        {
            "source": records.sources(record),
            "source_id": records.source_ids(record),
            "at": clock.at(day[order], 560 + 600 * rng.random(len(order))),
            "kind": pick(LIFE_KINDS, kind[order]),
        },
        schema=arrow_schema(CONTRACTS["raw.life_events"]),
    )


def _day_of_year(dates: np.ndarray) -> np.ndarray:
    return (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)


def make_sales_visits(*, records: Records, clock: Clock, rng: np.random.Generator) -> pa.Table:
    """Visits by representatives to those in their files, in `raw.sales_visits`."""
    known = np.flatnonzero(records.system == SALES_REP)
    visited, _ = segment_positions(1 + rng.poisson(1.4, len(known)))
    record = known[visited]
    representative = (record * 31) % len(DILIGENCE)
    created = np.clip(records.created_day[record], 0, clock.days - 1)
    day = created + (rng.random(len(record)) * (clock.days - created)).astype(int)
    day = clock.open_day[day]
    outcome = rng.choice(len(OUTCOMES), size=len(record), p=[0.18, 0.32, 0.28, 0.22])
    fields = rng.binomial(12, DILIGENCE[representative] * np.where(outcome == 3, 0.3, 1.0))
    minute = 540 + 510 * rng.random(len(record))
    order = np.lexsort((record, minute, day))
    return pa.table(
        {
            "rep_id": concat("REP", digits(representative[order] + 1, 2)),
            "source": records.sources(record[order]),
            "source_id": records.source_ids(record[order]),
            "at": clock.at(day[order], minute[order]),
            "outcome": pick(OUTCOMES, outcome[order]),
            "fields_completed": fields[order],
        },
        schema=arrow_schema(CONTRACTS["raw.sales_visits"]),
    )


def make_enrichment(*, rng: np.random.Generator) -> pa.Table:
    """Population, income and urbanity of each postcode, in `raw.enrichment`.

    Populations are of the order of the real ones, from memory; incomes are made up.
    """
    towns = pd.DataFrame(pools.TOWNS, columns=["town", "postcode", "thousands", "urbanity"])
    towns = towns.sort_values("postcode", ignore_index=True)
    level = towns["urbanity"].map({"urban": 22500, "suburban": 24000, "rural": 21500})
    income = level.to_numpy() * np.exp(rng.normal(0, 0.14, len(towns)))
    return pa.table(
        {
            "postcode": pa.array(towns["postcode"], pa.string()),
            "population": towns["thousands"].to_numpy() * 1000.0,
            "median_income": np.round(income, -1),
            "urbanity": pa.array(towns["urbanity"], pa.string()),
        },
        schema=arrow_schema(CONTRACTS["raw.enrichment"]),
    )
