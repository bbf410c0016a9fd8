"""How long a silence means that a customer has left: read from the data.

Without a contract nobody announces that they leave. The usual answer is the silence
that few returning customers ever exceed: a high quantile of the days between two
purchases, each customer counting once however often it buys.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from customer360.periods import Calendar

__all__ = ["choose_horizon_days", "purchase_gaps"]

LONGEST_SHARE = 0.25
SHORTEST_DAYS = 14


def purchase_gaps(purchase_days: Any, *, until: date) -> pd.DataFrame:
    """Days between one purchase day and the next.

    Parameters
    ----------
    purchase_days : duckdb.DuckDBPyRelation
        Contract `purchase_days`.
    until : date
        Later purchases are not looked at.

    Returns
    -------
    pandas.DataFrame
        One row per distinct gap: gap_days, customers (each customer's gaps together
        weigh one), gaps (plain count).
    """
    known = purchase_days.filter(f"day <= DATE '{until}'")
    gaps = known.project(
        "customer_id, CAST(day AS DATE) - lag(CAST(day AS DATE)) "
        "OVER (PARTITION BY customer_id ORDER BY day) AS gap_days"
    ).filter("gap_days IS NOT NULL")
    weighed = gaps.project("gap_days, 1.0 / count(*) OVER (PARTITION BY customer_id) AS weight")
    table = weighed.aggregate(
        "gap_days, round(sum(weight), 6) AS customers, count(*) AS gaps", "gap_days"
    )
    return table.order("gap_days").df()


def choose_horizon_days(gaps: pd.DataFrame, *, calendar: Calendar, quantile: float) -> int:
    """Silence that only `1 - quantile` of returning customers' gaps exceed.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From `purchase_gaps`.
    calendar : Calendar
        Bounds the answer: learning, judging and history must fit, so a quarter of the
        observed days at the most, and two weeks at the least.
    quantile : float
        For example 0.9.

    Returns
    -------
    int
        Days, a whole number of weeks.
    """
    longest = max(SHORTEST_DAYS, int(calendar.observed_days * LONGEST_SHARE) // 7 * 7)
    if gaps.empty:
        return longest
    share = np.cumsum(gaps["customers"].to_numpy()) / gaps["customers"].sum()
    # Rounding may leave the last share a hair below one.
    at = min(int(np.searchsorted(share, quantile)), len(share) - 1)
    gap = int(gaps["gap_days"].to_numpy()[at])
    weeks = int(np.ceil(gap / 7)) * 7
    return int(np.clip(weeks, SHORTEST_DAYS, longest))
