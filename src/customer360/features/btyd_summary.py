"""Purchase days to the sufficient statistics of buy-till-you-die (BTYD) models.

Written once with Narwhals: the same lines run on a pandas frame, a DuckDB relation
or a PySpark DataFrame and give back what they were given.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw
import pandas as pd

from customer360.features.days import day_number, day_of

__all__ = ["holdout_summary", "month_ahead", "summarise_purchases"]


def summarise_purchases(purchase_days: Any, *, until: date) -> Any:
    """Frequency, recency, age and monetary value of each customer, as known on a day.

    The conventions are those of Fader, Hardie and Lee (2005) and of
    ``lifetimes.utils.summary_data_from_transaction_data``: the first purchase day makes
    a customer and is counted neither in `frequency` nor in `monetary_value`, and several
    orders on one day are one purchase.

    Parameters
    ----------
    purchase_days : frame
        Contract `purchase_days`: one row per customer_id and day; columns day (date),
        margin (currency, may be empty).
    until : date
        Last day of which everything is known, included.

    Returns
    -------
    frame
        One row per customer_id who bought by `until`, in order of customer_id:

        - frequency : int, days with a purchase after the first such day;
        - recency_days : float, days from the first to the last purchase, so the age *at*
          the last purchase (BTYD's recency, not "days since"); 0 for who bought once;
        - T_days : float, days from the first purchase to `until`;
        - monetary_value : float, currency, mean margin of the repeat purchase days; 0
          for who bought once, empty where no repeat day has a known margin.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.DataFrame({
    ...     "customer_id": ["c1", "c1", "c1"],
    ...     "day": pd.to_datetime(["2025-01-01", "2025-01-11", "2025-01-31"]),
    ...     "margin": [99.0, 10.0, 20.0],
    ... })
    >>> summary = summarise_purchases(days, until=date(2025, 3, 2))
    >>> summary.drop(columns="customer_id").to_dict("list")
    {'frequency': [2], 'recency_days': [30.0], 'T_days': [60.0], 'monetary_value': [15.0]}
    """
    end = day_of(until)
    first = nw.col("day").min().over("customer_id")
    summary = (
        nw.from_native(purchase_days)
        .select("customer_id", day=day_number("day"), margin=nw.col("margin").cast(nw.Float64))
        .filter(nw.col("day") <= end)
        .with_columns(is_repeat=nw.col("day") > first)
        .with_columns(repeat_margin=nw.when(nw.col("is_repeat")).then(nw.col("margin")))
        .group_by("customer_id")
        .agg(
            nw.len().alias("days"),
            nw.col("day").min().alias("first"),
            nw.col("day").max().alias("last"),
            nw.col("repeat_margin").mean().alias("mean_margin"),
        )
        .select(
            "customer_id",
            frequency=(nw.col("days") - 1).cast(nw.Int64),
            recency_days=(nw.col("last") - nw.col("first")).cast(nw.Float64),
            T_days=(end - nw.col("first")).cast(nw.Float64),
            # Rounded far below a cent: an engine adds in any order, the bytes must not show it.
            monetary_value=nw.when(nw.col("days") > 1)
            .then(nw.col("mean_margin").round(9))
            .otherwise(nw.lit(0.0)),
        )
        .sort("customer_id")
    )
    return nw.maybe_reset_index(summary).to_native()


def holdout_summary(purchase_days: Any, *, after: date, until: date) -> Any:
    """What each customer did in a holdout period.

    Parameters
    ----------
    purchase_days : frame
        Contract `purchase_days`.
    after : date
        Last day of the calibration, excluded.
    until : date
        Last day of the holdout, included.

    Returns
    -------
    frame
        One row per customer_id who bought in the period, in order of customer_id:
        holdout_transactions (int, purchase days) and holdout_margin (float, currency; a
        day without a known margin counts 0). A customer who did not buy has no row: join
        it to `summarise_purchases(until=after)` and fill with 0.

    Raises
    ------
    ValueError
        If the period is empty.
    """
    if until <= after:
        raise ValueError(f"the holdout must end after {after}, not on {until}")
    day = nw.col("day")
    holdout = (
        nw.from_native(purchase_days)
        .select("customer_id", day=day_number("day"), margin=nw.col("margin").cast(nw.Float64))
        .filter(day > day_of(after), day <= day_of(until))
        .group_by("customer_id")
        .agg(
            nw.len().alias("holdout_transactions"),
            nw.col("margin").sum().alias("holdout_margin"),
        )
        .select(
            "customer_id",
            holdout_transactions=nw.col("holdout_transactions").cast(nw.Int64),
            holdout_margin=nw.col("holdout_margin").fill_null(0.0).round(9),
        )
        .sort("customer_id")
    )
    return nw.maybe_reset_index(holdout).to_native()


def month_ahead(states: pd.DataFrame, *, purchase_days: pd.DataFrame, until: date) -> pd.DataFrame:
    """What each customer did in the calendar month after each month end.

    Parameters
    ----------
    states : pandas.DataFrame
        One row per customer_id and as_of, from `summarise_purchases`.
    purchase_days : pandas.DataFrame
        Contract `purchase_days`.
    until : date
        Last day of which everything is known, included.

    Returns
    -------
    pandas.DataFrame
        The rows of `states` whose next month is over by `until`, with as_of as time, actual
        (int, purchase days of that month) and days_ahead (int, its length).
    """
    known = states.assign(as_of=pd.to_datetime(states["as_of"]))
    known = known[known["as_of"].dt.is_month_end].reset_index(drop=True)
    month = (known["as_of"] + pd.Timedelta(days=1)).dt.to_period("M")
    over = (month.dt.end_time.dt.normalize() <= pd.Timestamp(until)).to_numpy(dtype=bool)
    known, month = known[over], month[over]
    day = pd.to_datetime(purchase_days["day"])
    bought = purchase_days.groupby(["customer_id", day.dt.to_period("M").rename("month")]).size()
    asked = pd.MultiIndex.from_arrays([known["customer_id"], month])
    return known.assign(
        actual=bought.reindex(asked, fill_value=0).to_numpy(),
        days_ahead=month.dt.days_in_month.to_numpy(),
    ).reset_index(drop=True)
