from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.cleaning.local_day import local_day


def days(
    moments: list[datetime],
    *,
    timezone: str,
    engine: str = "pandas",
    first_day: date = date(2024, 12, 1),
    last_day: date = date(2025, 12, 31),
) -> list[date]:
    frame = pd.DataFrame({"n": range(len(moments)), "at": pd.to_datetime(pd.Series(moments))})
    data = frame
    if engine == "duckdb":
        data = duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))
    expression = local_day("at", timezone=timezone, first_day=first_day, last_day=last_day)
    table = nw.from_native(data).with_columns(day=expression).to_native()
    table = table if engine == "pandas" else table.df()
    table = table.sort_values("n")
    assert (table["day"].dt.normalize() == table["day"]).all()
    return [moment.date() for moment in table["day"]]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
@pytest.mark.parametrize(
    ("timezone", "at", "day"),
    [
        # 21:30 in New York on the last day of February.
        ("America/New_York", datetime(2025, 3, 1, 2, 30), date(2025, 2, 28)),
        ("America/New_York", datetime(2025, 3, 1, 5, 0), date(2025, 3, 1)),
        # Paris is one hour ahead in winter, two in summer.
        ("Europe/Paris", datetime(2025, 1, 10, 22, 59), date(2025, 1, 10)),
        ("Europe/Paris", datetime(2025, 1, 10, 23, 0), date(2025, 1, 11)),
        ("Europe/Paris", datetime(2025, 7, 10, 21, 59), date(2025, 7, 10)),
        ("Europe/Paris", datetime(2025, 7, 10, 22, 0), date(2025, 7, 11)),
        # The evening before and the evening of the change to summer time (30 March, 01:00 UTC).
        ("Europe/Paris", datetime(2025, 3, 29, 22, 30), date(2025, 3, 29)),
        ("Europe/Paris", datetime(2025, 3, 29, 23, 30), date(2025, 3, 30)),
        ("Europe/Paris", datetime(2025, 3, 30, 21, 59), date(2025, 3, 30)),
        ("Europe/Paris", datetime(2025, 3, 30, 22, 0), date(2025, 3, 31)),
        # And back (26 October, 01:00 UTC).
        ("Europe/Paris", datetime(2025, 10, 26, 22, 30), date(2025, 10, 26)),
        ("Europe/Paris", datetime(2025, 10, 26, 23, 0), date(2025, 10, 27)),
        # Half an hour counts, and UTC has no change at all.
        ("Asia/Kolkata", datetime(2025, 5, 5, 18, 29), date(2025, 5, 5)),
        ("Asia/Kolkata", datetime(2025, 5, 5, 18, 30), date(2025, 5, 6)),
        ("UTC", datetime(2025, 5, 5, 23, 59), date(2025, 5, 5)),
    ],
)
def test_the_day_is_that_of_the_wall_calendar(engine, timezone, at, day):
    assert days([at], timezone=timezone, engine=engine) == [day]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
@pytest.mark.parametrize("timezone", ["America/New_York", "Europe/Paris", "Pacific/Auckland"])
def test_a_date_without_an_hour_keeps_its_day(engine, timezone):
    moments = [datetime(2025, 1, 1), datetime(2025, 7, 1), datetime(2025, 12, 31)]
    assert days(moments, timezone=timezone, engine=engine) == [m.date() for m in moments]


def test_a_time_outside_the_days_looked_at_still_gets_a_day():
    at = datetime(2031, 7, 1, 12)
    assert days([at], timezone="Europe/Paris") == [date(2031, 7, 1)]
    assert days([at], timezone="Europe/Paris", first_day=date(1990, 1, 1)) == [date(2031, 7, 1)]


@settings(max_examples=25, deadline=None)
@given(
    minutes=st.lists(st.integers(0, 365 * 24 * 60 - 1), min_size=1, max_size=20),
    timezone=st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_agrees_with_the_standard_library(minutes, timezone):
    moments = [datetime(2025, 1, 1) + timedelta(minutes=m) for m in minutes]
    moments = [m for m in moments if (m.hour, m.minute) != (0, 0)] or [datetime(2025, 1, 1, 12)]
    expected = [
        m.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(timezone)).date() for m in moments
    ]
    assert days(moments, timezone=timezone) == expected
