from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from customer360.features.horizon import SHORTEST_DAYS, choose_horizon_days, purchase_gaps
from customer360.periods import Calendar

FIRST = date(2024, 1, 1)


def calendar(observed: int) -> Calendar:
    last = FIRST + timedelta(days=observed - 1)
    return Calendar(first_day=FIRST, calibration_end=FIRST, as_of=last)


def gaps_of(rows: list[tuple[str, int]], *, until: date = date(2030, 1, 1)) -> list[tuple]:
    frame = pd.DataFrame(rows, columns=["customer_id", "n"])
    frame["day"] = pd.Timestamp(FIRST) + pd.to_timedelta(frame.pop("n"), unit="D")
    days = duckdb.from_arrow(pa.Table.from_pandas(frame))
    return list(purchase_gaps(days, until=until).itertuples(index=False, name=None))


def gaps(*rows: tuple[int, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["gap_days", "customers"])


def test_each_customer_weighs_one_however_often_it_buys():
    rows = [("often", n) for n in (0, 10, 20, 30, 40)] + [("twice", 0), ("twice", 100), ("once", 0)]
    # Four gaps of ten days share one customer; "once" has no gap.
    assert gaps_of(rows) == [(10, 1.0, 4), (100, 1.0, 1)]
    assert gaps_of([("b", 0), ("b", 5), ("b", 25)]) == [(5, 0.5, 1), (20, 0.5, 1)]


def test_later_purchases_are_not_looked_at():
    rows = [("a", 0), ("a", 10), ("a", 50)]
    assert gaps_of(rows, until=FIRST + timedelta(days=49)) == [(10, 1.0, 1)]
    assert len(gaps_of(rows, until=FIRST + timedelta(days=50))) == 2


def test_the_horizon_is_the_quantile_in_whole_weeks():
    table = gaps((10, 50.0), (30, 40.0), (100, 10.0))
    assert choose_horizon_days(table, calendar=calendar(2000), quantile=0.9) == 35
    assert choose_horizon_days(table, calendar=calendar(2000), quantile=0.5) == 14
    assert choose_horizon_days(table, calendar=calendar(2000), quantile=0.95) == 105


def test_the_horizon_leaves_room_to_learn_and_to_judge():
    table = gaps((300, 1.0))
    # A quarter of 400 days, in whole weeks.
    assert choose_horizon_days(table, calendar=calendar(400), quantile=0.9) == 98
    assert choose_horizon_days(gaps((1, 1.0)), calendar=calendar(400), quantile=0.9) == 14
    assert choose_horizon_days(table, calendar=calendar(20), quantile=0.9) == SHORTEST_DAYS


def test_when_nobody_came_back_the_longest_horizon_is_taken():
    assert choose_horizon_days(gaps(), calendar=calendar(400), quantile=0.9) == 98


@pytest.mark.parametrize("quantile", [1.0, 0.999999])
def test_the_whole_of_the_gaps_is_a_quantile_too(quantile):
    """The running sum of many small weights may end a hair below one."""
    table = gaps(*((n, 0.1 + n / 1e6) for n in range(1, 300)))
    assert choose_horizon_days(table, calendar=calendar(4000), quantile=quantile) == 301
