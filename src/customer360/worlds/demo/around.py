"""What else is known: loyalty points, events of life, representatives, postcodes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.demo import pools
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.people import NEVER, People
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.text import concat, digits, pick, segment_positions
from customer360.worlds.demo.traits import CALLCENTRE, CRM, SALES_REP, TILL, WEB, Traits

__all__ = ["make_enrichment", "make_life_events", "make_loyalty", "make_sales_visits"]

POINTS_PER_VOUCHER = 200
BURN_SHARE = 0.6
DECLARED_SHARE = 0.35
LIFE_KINDS = ("birth", "move", "wedding", "retirement", "birthday")
OUTCOMES = ("order", "appointment", "refusal", "absent")
REPRESENTATIVES = 12


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
    people: People,
    traits: Traits,
    records: Records,
    clock: Clock,
    rng: np.random.Generator,
) -> pa.Table:
    """Events that people declared, in the contract `raw.life_events`."""
    n = len(people)
    age = people.age
    years = clock.days / 365.25
    likely = {
        "birth": np.where((age > 24) & (age < 42), 0.055, 0.0) * years,
        "wedding": np.where((age > 23) & (age < 45), 0.025, 0.002) * years,
        "retirement": np.where((age > 62) & (age < 67), 0.25, 0.0) * years,
    }
    parts = []
    for name, chance in likely.items():
        who = np.flatnonzero(rng.random(n) < chance * DECLARED_SHARE)
        parts.append((name, who, rng.integers(0, clock.days, len(who))))
    movers = np.flatnonzero((people.moved_day < NEVER) & (rng.random(n) < DECLARED_SHARE))
    parts.append(("move", movers, people.moved_day[movers] + rng.integers(0, 20, len(movers))))
    # Birthdays that were wished to members who gave their date.
    day_of_year = (
        people.birth - people.birth.astype("datetime64[Y]").astype("datetime64[D]")
    ).astype(int)
    last_year = clock.days - 365
    who = np.flatnonzero(traits.member[:, TILL] & (rng.random(n) < 0.10))
    start_of_year = int((clock.dates[last_year] - clock.dates[last_year].astype("datetime64[Y]")
                         .astype("datetime64[D]")).astype(int))  # fmt: skip
    parts.append(("birthday", who, last_year + (day_of_year[who] - start_of_year) % 365))

    person = np.concatenate([who for _, who, _ in parts])
    day = np.clip(np.concatenate([days for *_, days in parts]), 0, clock.days - 1)
    kind = np.concatenate([np.full(len(w), LIFE_KINDS.index(name)) for name, w, _ in parts])
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


def make_sales_visits(*, records: Records, clock: Clock, rng: np.random.Generator) -> pa.Table:
    """Visits by representatives to those in their files, in `raw.sales_visits`.

    Each representative has a diligence of its own, seen in the fields it fills in.
    """
    known = np.flatnonzero(records.system == SALES_REP)
    visited, _ = segment_positions(1 + rng.poisson(1.4, len(known)))
    record = known[visited]
    representative = (record * 31) % REPRESENTATIVES
    diligence = rng.beta(3, 2, REPRESENTATIVES)
    created = np.clip(records.created_day[record], 0, clock.days - 1)
    day = created + (rng.random(len(record)) * (clock.days - created)).astype(int)
    day = clock.open_day[day]
    outcome = rng.choice(len(OUTCOMES), size=len(record), p=[0.18, 0.32, 0.28, 0.22])
    fields = rng.binomial(12, diligence[representative] * np.where(outcome == 3, 0.3, 1.0))
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

    Populations are rounded from real ones; incomes are made up.
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
