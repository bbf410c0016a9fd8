from __future__ import annotations

from datetime import date, timedelta

import duckdb
import narwhals as nw
import pandas as pd
import pytest

from customer360.features.days import day_number, day_of, known_by

DAYS = [
    date(1970, 1, 1),
    date(1969, 12, 31),
    date(1972, 2, 29),
    date(1900, 3, 1),
    date(2000, 2, 29),
    date(2000, 3, 1),
    date(2024, 12, 31),
    date(2025, 1, 1),
    date(2100, 3, 1),
]


def test_days_since_1970():
    assert day_of(date(1970, 1, 1)) == 0
    assert day_of(date(1970, 2, 1)) == 31
    assert day_of(date(1971, 1, 1)) == 365
    assert day_of(date(1969, 12, 31)) == -1


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP"])
def test_every_engine_counts_alike(engine, kind):
    values = ", ".join(f"({day_of(day)}, {kind} '{day}')" for day in DAYS)
    table = duckdb.sql(f"SELECT * FROM (VALUES {values}) AS t(expected, day)")
    data = table if engine == "duckdb" else table.df()
    counted = nw.from_native(data).with_columns(found=day_number("day")).to_native()
    counted = counted.df() if engine == "duckdb" else counted
    assert counted["found"].to_list() == counted["expected"].to_list()


def test_the_hour_does_not_matter():
    frame = pd.DataFrame({"at": pd.to_datetime(["2025-03-30 00:00:00", "2025-03-30 23:59:59"])})
    counted = nw.from_native(frame).select(day_number("at")).to_native()
    assert set(counted.iloc[:, 0]) == {day_of(date(2025, 3, 30))}


def test_a_whole_century_has_no_gap():
    first = date(1969, 1, 1)
    days = pd.DataFrame({"day": pd.date_range(first, periods=365 * 140, freq="D")})
    counted = nw.from_native(days).select(day_number("day")).to_native().iloc[:, 0]
    assert counted.iloc[0] == day_of(first)
    assert (counted.diff().iloc[1:] == 1).all()
    assert counted.iloc[-1] == day_of(first + timedelta(days=len(days) - 1))


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_the_whole_of_the_last_day_is_known(engine):
    times = ["2025-03-30 00:00:00", "2025-03-31 23:59:59", "2025-04-01 00:00:00"]
    frame = pd.DataFrame({"at": pd.to_datetime(times)})
    data = frame if engine == "pandas" else duckdb.from_df(frame)
    known = nw.from_native(data).select(known=known_by("at", as_of=date(2025, 3, 31))).to_native()
    assert (known if engine == "pandas" else known.df())["known"].tolist() == [True, True, False]
    dates = pd.DataFrame({"at": [date(2025, 3, 31), date(2025, 4, 1)]})
    found = nw.from_native(dates).select(known_by("at", as_of=date(2025, 3, 31))).to_native()
    assert found["at"].tolist() == [True, False]
