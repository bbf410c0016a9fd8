from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from customer360.contracts import CONTRACTS, LIFE_EVENTS, validate_batch
from customer360.worlds.demo.around import (
    DILIGENCE,
    POINTS_PER_VOUCHER,
    make_enrichment,
    make_life_events,
    make_loyalty,
    make_sales_visits,
)
from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.milestones import Milestones, draw_milestones
from customer360.worlds.demo.people import NEVER, make_people
from customer360.worlds.demo.text import concat, digits

PEOPLE = 1_000
CRM, SALES_REP, SYSTEMS = 0, 5, 6


class FewRecords:
    """Everyone but each third person has one record, numbered as the person."""

    def __init__(self, system: int):
        self.system = np.full(PEOPLE, system)
        self.created_day = np.zeros(PEOPLE, dtype=int)

    def at(self, person, system, day):
        return np.where(person % 3 > 0, person, -1)

    def any_at(self, person, order, day):
        return self.at(person, order, day)

    def sources(self, row):
        return pa.array(["crm"] * len(row))

    def source_ids(self, row):
        numbers = concat("C", digits(np.arange(PEOPLE), 7))
        return numbers.take(pa.array(row, mask=np.asarray(row) < 0))


@pytest.fixture(scope="module")
def clock():
    return make_clock(as_of=date(2025, 12, 31), years=3)


@pytest.fixture(scope="module")
def people(clock):
    return make_people(people=PEOPLE, clock=clock, rng=np.random.default_rng(1))


def _declare(people, clock, milestones, *, members: bool) -> pa.Table:
    table = make_life_events(
        milestones=milestones,
        people=people,
        traits=SimpleNamespace(member=np.full((PEOPLE, SYSTEMS), members)),
        records=FewRecords(CRM),
        clock=clock,
        rng=np.random.default_rng(3),
    )
    validate_batch(CONTRACTS["raw.life_events"], table)
    return table


def test_only_declared_events_of_known_people_are_written(people, clock):
    drawn = draw_milestones(people=people, clock=clock, rng=np.random.default_rng(2))
    told = _declare(people, clock, drawn, members=False).to_pandas()
    inside = (drawn.day >= 0) & (drawn.day < clock.days) & drawn.declared
    inside[::3] = False
    home, move = LIFE_EVENTS.index("home_purchase"), LIFE_EVENTS.index("move")
    expected = inside.sum() - (inside[:, home] & inside[:, move]).sum()
    assert len(told) == expected > 30
    for row in told.itertuples():
        person = int(row.source_id[1:])
        kinds = [move, home] if row.kind == "move" else [LIFE_EVENTS.index(row.kind)]
        days = [drawn.day[person, kind] for kind in kinds if inside[person, kind]]
        seen = (row.at - datetime(2023, 1, 1)).days
        assert min(abs(seen - day) for day in days) <= 65


def test_a_home_bought_is_told_as_a_move(people, clock):
    day = np.full((PEOPLE, len(LIFE_EVENTS)), NEVER)
    day[1, LIFE_EVENTS.index("home_purchase")] = 300
    declared = day < NEVER
    told = _declare(people, clock, Milestones(day=day, declared=declared), members=False)
    assert told["kind"].to_pylist() == ["move"]
    assert told["source_id"].to_pylist() == ["C0000001"]


def test_birthdays_fall_on_the_birth_date(people, clock):
    nothing = np.full((PEOPLE, len(LIFE_EVENTS)), NEVER)
    quiet = Milestones(day=nothing, declared=np.zeros(nothing.shape, dtype=bool))
    told = _declare(people, clock, quiet, members=True).to_pandas()
    assert set(told["kind"]) == {"birthday"} and len(told) > 40
    born = pd.to_datetime(people.birth[told["source_id"].str[1:].astype(int)])
    # A leap year moves the day of the year by one.
    assert (np.abs(told["at"].dt.day_of_year - born.day_of_year) <= 1).all()


def test_points_are_whole_euros_and_vouchers_are_earned_first(clock):
    rng = np.random.default_rng(4)
    orders = pd.DataFrame(
        {
            "person": rng.integers(0, PEOPLE, 8_000),
            "day": np.sort(rng.integers(0, clock.days, 8_000)),
            "minute": 600 + 500 * rng.random(8_000),
            "amount": np.round(rng.gamma(2, 30, 8_000), 2),
        }
    )
    moves = make_loyalty(orders=orders, records=FewRecords(1), clock=clock, rng=rng)
    validate_batch(CONTRACTS["raw.loyalty"], moves)
    frame = moves.to_pandas().sort_values(["source_id", "at"], kind="stable")
    with_card = orders[orders["person"] % 3 > 0]
    assert frame.loc[frame["kind"] == "earn", "points"].sum() == np.floor(with_card["amount"]).sum()
    burnt = frame.loc[frame["kind"] == "burn", "points"]
    assert len(burnt) > 100 and (burnt == -POINTS_PER_VOUCHER).all()
    assert (frame.groupby("source_id")["points"].cumsum() >= 0).all()


def test_representatives_keep_their_habits_in_every_chunk(clock):
    visits = [
        make_sales_visits(
            records=FewRecords(SALES_REP), clock=clock, rng=np.random.default_rng(seed)
        )
        for seed in (5, 6)
    ]
    for table in visits:
        validate_batch(CONTRACTS["raw.sales_visits"], table)
    means = [
        table.filter(pc.not_equal(table["outcome"], "absent"))
        .to_pandas()
        .groupby("rep_id")["fields_completed"]
        .mean()
        for table in visits
    ]
    assert list(means[0].index) == list(means[1].index) and len(means[0]) == len(DILIGENCE)
    assert np.corrcoef(means[0], means[1])[0, 1] > 0.9


def test_events_lie_within_the_world(people, clock):
    drawn = draw_milestones(people=people, clock=clock, rng=np.random.default_rng(2))
    told = _declare(people, clock, drawn, members=True)
    bounds = pc.min_max(told["at"]).as_py()
    assert bounds["min"] >= datetime(2023, 1, 1)
    assert bounds["max"] < datetime(2026, 1, 1) - timedelta(hours=1)


def test_postcodes_depend_on_the_seed_only():
    first = make_enrichment(rng=np.random.default_rng(7))
    validate_batch(CONTRACTS["raw.enrichment"], first)
    assert first.equals(make_enrichment(rng=np.random.default_rng(7)))
    assert not first.equals(make_enrichment(rng=np.random.default_rng(8)))
