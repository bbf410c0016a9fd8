"""How fast each customer buys lately: counts in recent weeks, pauses, amounts.

Written once with Narwhals: pandas, DuckDB or PySpark frames in, the same kind out.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw

from customer360.features.days import day_number, day_of

__all__ = ["PACE_WINDOWS_DAYS", "purchase_pace"]

PACE_WINDOWS_DAYS = (7, 14, 28, 56, 91)


def purchase_pace(purchase_days: Any, *, as_of: date) -> Any:
    """Recent counts, pauses and amounts of each customer, as known on a day.

    Parameters
    ----------
    purchase_days : frame
        Contract `purchase_days`.
    as_of : date
        Last day known, included.

    Returns
    -------
    frame
        One row per customer_id who bought by `as_of`, in order of customer_id: days_<n>
        (purchase days in the last n days, the first one included), since_days (since the
        last purchase), tenure_days (since the first), gap_mean_days, gap_std_days,
        gap_max_days (empty for who bought once), amount_mean (currency, of a purchase day).
    """
    now = day_of(as_of)
    day = nw.col("day_no")
    recent = {
        f"days_{n}": nw.when(day > now - n).then(1.0).otherwise(nw.lit(0.0))
        for n in PACE_WINDOWS_DAYS
    }
    days = (
        nw.from_native(purchase_days)
        .select("customer_id", day_no=day_number("day"), amount=nw.col("net_amount"))
        .filter(day <= now)
        .with_columns(
            gap=(day - day.shift(1).over("customer_id", order_by="day_no")).cast(nw.Float64),
            **recent,
        )
    )
    table = (
        days.group_by("customer_id")
        .agg(
            *(nw.col(name).sum() for name in recent),
            first=day.min(),
            last=day.max(),
            gap_mean_days=nw.col("gap").mean(),
            gap_std_days=nw.col("gap").std(),
            gap_max_days=nw.col("gap").max(),
            amount_mean=nw.col("amount").mean(),
        )
        .with_columns(
            since_days=(now - nw.col("last")).cast(nw.Float64),
            tenure_days=(now - nw.col("first")).cast(nw.Float64),
        )
        .drop("first", "last")
        .sort("customer_id")
    )
    return nw.maybe_reset_index(table).to_native()
