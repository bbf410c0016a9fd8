from __future__ import annotations

import importlib.resources
import warnings
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from customer360.features.btyd_summary import (
    holdout_summary,
    month_ahead,
    summarise_purchases,
)
from customer360.features.days import day_number


def days_of(rows: list[tuple[str, str, float | None]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "margin"])
    frame["day"] = pd.to_datetime(frame["day"])
    return frame.assign(orders=1, net_amount=frame["margin"])


ROWS = [
    ("b", "2025-01-05", 7.0),
    ("a", "2025-01-01", 100.0),
    ("a", "2025-01-11", 10.0),
    ("a", "2025-01-31", 20.0),
    ("a", "2025-02-01", 999.0),
    ("c", "2025-02-01", 5.0),
]


def test_counts_repeat_days_and_leaves_the_first_out():
    summary = summarise_purchases(days_of(ROWS), until=date(2025, 1, 31))
    assert summary.to_dict("list") == {
        "customer_id": ["a", "b"],
        "frequency": [2, 0],
        "recency_days": [30.0, 0.0],
        "T_days": [30.0, 26.0],
        "monetary_value": [15.0, 0.0],
    }


def test_until_is_included_and_the_input_untouched():
    days = days_of(ROWS)
    before = days.copy(deep=True)
    summary = summarise_purchases(days, until=date(2025, 2, 1)).set_index("customer_id")
    assert summary.loc["a", "frequency"] == 3
    assert summary.loc["c", "T_days"] == 0
    pd.testing.assert_frame_equal(days, before)


def test_unknown_margins_stay_unknown_and_known_ones_count_alone():
    rows = [("a", "2025-01-01", 1.0), ("a", "2025-01-02", None)]
    summary = summarise_purchases(days_of(rows), until=date(2025, 2, 1))
    assert summary["monetary_value"].isna().all()
    rows.append(("a", "2025-01-03", 8.0))
    summary = summarise_purchases(days_of(rows), until=date(2025, 2, 1))
    assert summary["monetary_value"].to_list() == [8.0]


@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_duckdb_gives_what_pandas_gives(kind):
    days = days_of(ROWS)
    with duckdb.connect() as connection:
        connection.register("days", days)
        relation = connection.sql(f"select * replace (day::{kind} as day) from days")
        until = date(2025, 1, 31)
        summary = summarise_purchases(relation, until=until)
        holdout = holdout_summary(relation, after=until, until=date(2025, 2, 28))
        assert isinstance(summary, duckdb.DuckDBPyRelation)
        pd.testing.assert_frame_equal(
            summary.df(), summarise_purchases(days, until=until), check_dtype=False
        )
        pd.testing.assert_frame_equal(
            holdout.df(),
            holdout_summary(days, after=until, until=date(2025, 2, 28)),
            check_dtype=False,
        )
        del relation, summary, holdout


def test_python_dates_are_read_as_well():
    days = days_of(ROWS)
    as_dates = days.assign(day=days["day"].dt.date)
    until = date(2025, 1, 31)
    pd.testing.assert_frame_equal(
        summarise_purchases(as_dates, until=until), summarise_purchases(days, until=until)
    )


def test_holdout_counts_only_the_period():
    holdout = holdout_summary(days_of(ROWS), after=date(2025, 1, 11), until=date(2025, 1, 31))
    assert holdout.to_dict("list") == {
        "customer_id": ["a"],
        "holdout_transactions": [1],
        "holdout_margin": [20.0],
    }
    with pytest.raises(ValueError, match="must end after 2025-01-11"):
        holdout_summary(days_of(ROWS), after=date(2025, 1, 11), until=date(2025, 1, 11))


def test_no_purchase_gives_no_row():
    assert summarise_purchases(days_of(ROWS), until=date(2020, 1, 1)).empty


def test_day_numbers_are_right_through_leap_years():
    import narwhals as nw

    start = date(1896, 1, 1)
    dates = [start + timedelta(days=7 * i) for i in range(12_000)]
    frame = nw.from_native(pd.DataFrame({"day": pd.to_datetime(dates)}))
    numbers = frame.select(n=day_number("day"))["n"].to_list()
    assert numbers == [(day - date(1970, 1, 1)).days for day in dates]


def test_equals_lifetimes_on_the_cdnow_sample():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes.utils import summary_data_from_transaction_data

        path = importlib.resources.files("lifetimes") / "datasets" / "CDNOW_sample.txt"
        with path.open() as file:
            lines = pd.read_csv(
                file,
                sep=r"\s+",
                header=None,
                names=["master_id", "customer_id", "day", "cds", "margin"],
                dtype={"customer_id": str, "day": str},
            )
        lines["day"] = pd.to_datetime(lines["day"])
        expected = summary_data_from_transaction_data(
            lines, "customer_id", "day", "margin", observation_period_end="1997-09-30"
        ).sort_index()
    days = lines.groupby(["customer_id", "day"], as_index=False)["margin"].sum()
    ours = summarise_purchases(days, until=date(1997, 9, 30)).set_index("customer_id")
    assert len(ours) == 2357
    assert ours.index.to_list() == expected.index.to_list()
    for column, theirs in [
        ("frequency", "frequency"),
        ("recency_days", "recency"),
        ("T_days", "T"),
    ]:
        np.testing.assert_array_equal(ours[column], expected[theirs])
    np.testing.assert_allclose(ours["monetary_value"], expected["monetary_value"], atol=1e-8)


def test_the_month_after_each_month_end():
    days = days_of(ROWS)
    ends = (date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 15))
    states = pd.concat(summarise_purchases(days, until=end).assign(as_of=end) for end in ends)
    before = states.copy(deep=True)
    ahead = month_ahead(states, purchase_days=days, until=date(2025, 3, 31))
    told = ahead.set_index(["as_of", "customer_id"])[["actual", "days_ahead"]]
    january, february = pd.Timestamp(ends[0]), pd.Timestamp(ends[1])
    assert told.loc[january].to_dict("index") == {
        "a": {"actual": 1, "days_ahead": 28},
        "b": {"actual": 0, "days_ahead": 28},
    }
    assert told.loc[february, "actual"].to_dict() == {"a": 0, "b": 0, "c": 0}
    # A month that is not over yet tells nothing, nor does a day within one.
    assert set(month_ahead(states, purchase_days=days, until=date(2025, 3, 30))["as_of"]) == {
        january
    }
    pd.testing.assert_frame_equal(states, before)
