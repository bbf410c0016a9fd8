"""Customers who come back at the same time of the year: periodicity against chance."""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from customer360.features.days import day_number, day_of

__all__ = ["find_cycles"]

YEAR_DAYS = 365.25
EPISODE_GAP_DAYS = 60


def find_cycles(purchase_days: Any, *, as_of: date, least_episodes: int = 3) -> pd.DataFrame:
    """Test each customer's purchase seasons for a yearly rhythm.

    Purchases less than `EPISODE_GAP_DAYS` apart make one episode. If the starts of n
    episodes fell on the year at random, the chance that all lie in an arc of a share w
    of the year is n·w^(n−1) for w ≤ ½ (Stevens 1939): that is the p-value.

    Parameters
    ----------
    purchase_days : frame
        Contract `purchase_days`.
    as_of : date
        Last day known.
    least_episodes : int
        Customers with fewer episodes cannot be told apart from chance and are left out.

    Returns
    -------
    pandas.DataFrame
        One row per customer with enough episodes: customer_id, episodes,
        cycle_p_value (probability), arc_days (days of the year that hold all starts),
        next_cycle_on (date of the next expected start, after `as_of`),
        missed_cycles (expected starts since the last purchase).
    """
    now = day_of(as_of)
    day = nw.col("day_no")
    starts = (
        nw.from_native(purchase_days)
        .lazy()
        .with_columns(day_no=day_number("day"))
        .filter(day <= now)
        .with_columns(before=day.shift(1).over("customer_id", order_by="day_no"))
        .filter(nw.col("before").is_null() | (day - nw.col("before") >= EPISODE_GAP_DAYS))
        .select("customer_id", "day_no")
        .collect("pandas")
        .to_native()
    )
    counts = starts.groupby("customer_id")["day_no"].transform("size")
    starts = starts[counts >= least_episodes].copy()
    starts["phase"] = starts["day_no"] % YEAR_DAYS
    starts = starts.sort_values(["customer_id", "phase", "day_no"], ignore_index=True)
    by = starts.groupby("customer_id", sort=True)
    first, last = by["phase"].transform("min"), by["phase"].transform("max")
    starts["gap"] = (starts["phase"] - by["phase"].shift(1)).fillna(first - last + YEAR_DAYS)
    # The arc that holds all starts is the year less the largest gap; it begins after it.
    widest = starts.sort_values(["customer_id", "gap"]).groupby("customer_id").tail(1)
    widest = widest.set_index("customer_id").sort_index()
    episodes = by.size().to_numpy()
    arc_days = (YEAR_DAYS - widest["gap"]).to_numpy(dtype=float)
    share = arc_days / YEAR_DAYS
    p_value = np.where(share <= 0.5, np.minimum(1.0, episodes * share ** (episodes - 1)), 1.0)
    middle = (widest["phase"].to_numpy(dtype=float) + arc_days / 2) % YEAR_DAYS
    last_start = by["day_no"].max().to_numpy(dtype=float)
    # Half a year of grace: an early or late start still belongs to its cycle.
    next_day = _next(middle, after=last_start + YEAR_DAYS / 2)
    missed = np.maximum(0, np.ceil((now - arc_days / 2 - next_day) / YEAR_DAYS)).astype(int)
    upcoming = np.where(next_day > now, next_day, _next(middle, after=np.full_like(middle, now)))
    return pd.DataFrame(
        {
            "customer_id": widest.index.to_numpy(),
            "episodes": episodes,
            "cycle_p_value": p_value,
            "arc_days": arc_days,
            "next_cycle_on": pd.to_datetime(np.round(upcoming), unit="D").date
            if len(widest)
            else [],
            "missed_cycles": missed,
        }
    )


def _next(phase: np.ndarray, *, after: np.ndarray) -> np.ndarray:
    """First day later than `after` whose phase in the year is `phase`."""
    years = np.floor((after - phase) / YEAR_DAYS) + 1
    return phase + years * YEAR_DAYS
