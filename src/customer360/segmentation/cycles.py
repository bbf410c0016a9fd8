"""Customers who come back at the same time of each cycle: periodicity against chance.

A Christmas customer is silent for eleven months and is neither lost nor at risk. What
tells it from somebody who bought in three Decembers by luck is a test: how often would
as many purchases, thrown at random on the shop's own calendar, fall so close together
in the year and each in another year?
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from customer360.features.days import day_number, day_of

__all__ = ["PERIODS_DAYS", "find_cycles"]

YEAR_DAYS = 365.25
#: Rhythms that are looked for: the year, the half-year and the quarter.
PERIODS_DAYS = (YEAR_DAYS, YEAR_DAYS / 2, YEAR_DAYS / 4)
# Purchases closer than this share of the period belong to one visit of the season.
EPISODE_SHARE = 1 / 6
# So many purchases spread evenly are added to the crowd's, so that a small one misleads less.
EVEN_PURCHASES = 1000
COLUMNS = (
    "customer_id",
    "period_days",
    "episodes",
    "cycle_p_value",
    "arc_days",
    "arc_share",
    "next_cycle_on",
    "window_from",
    "window_until",
    "missed_cycles",
)


def find_cycles(
    purchase_days: Any,
    *,
    as_of: date,
    least_episodes: int = 3,
    periods_days: Sequence[float] = PERIODS_DAYS,
) -> pd.DataFrame:
    r"""Test each customer's purchase dates for a rhythm, against chance.

    Purchases less than a sixth of the period apart make one episode. Each start is placed
    on the circle of the period by the crowd's clock: the share of all purchases that fall
    before that day of the cycle. If the n starts of a customer fell on it at random over
    the C cycles since its first, the chance that they lie in an arc of a share w, each in
    another cycle, is

    .. math:: p = n\,w^{\,n-1} \prod_{i<n} \frac{C-i}{C}, \qquad w \le 1/2

    (the first factor after Stevens 1939). The best period is kept, its p-value multiplied
    by the number of periods tried (Bonferroni).

    Parameters
    ----------
    purchase_days : frame
        Contract `purchase_days`.
    as_of : date
        Last day known.
    least_episodes : int
        Customers with fewer episodes cannot be told apart from chance and are left out.
    periods_days : sequence of float
        Rhythms to try, days.

    Returns
    -------
    pandas.DataFrame
        One row per customer with enough episodes: customer_id, period_days, episodes,
        cycle_p_value (probability), arc_days (days of the cycle that hold all starts),
        arc_share (the same by the crowd's clock), next_cycle_on (middle of the next window),
        window_from and window_until (dates; the first may lie before `as_of` when the
        window is open), missed_cycles (windows that passed since the last purchase).

    References
    ----------
    Stevens, W. L. (1939). Solution to a geometrical problem in probability. Annals of
    Eugenics 9, 315-320.
    """
    now = day_of(as_of)
    known = (
        nw.from_native(purchase_days)
        .lazy()
        .with_columns(day_no=day_number("day"))
        .filter(nw.col("day_no") <= now)
        .select("customer_id", "day_no")
    )
    crowd = known.group_by("day_no").agg(n=nw.len()).collect("pandas").to_native()
    tried = [
        _one_period(known, crowd, now=now, period=float(period), least_episodes=least_episodes)
        for period in periods_days
    ]
    table = pd.concat(tried, ignore_index=True)
    # Equal chances: the longer period says the same in fewer words.
    table = table.sort_values(
        ["customer_id", "cycle_p_value", "period_days"], ascending=[True, True, False]
    ).drop_duplicates("customer_id", ignore_index=True)
    table["cycle_p_value"] = (table["cycle_p_value"] * len(tried)).clip(upper=1.0)
    for name in ("next_cycle_on", "window_from", "window_until"):
        table[name] = pd.to_datetime(table[name], unit="D").dt.date
    return table[list(COLUMNS)]


def _one_period(
    known: Any, crowd: pd.DataFrame, *, now: int, period: float, least_episodes: int
) -> pd.DataFrame:
    """The test for one period; days as numbers."""
    starts = _starts(known, period=period, least_episodes=least_episodes)
    starts["phase"] = starts["day_no"] % period
    starts = starts.sort_values(["customer_id", "phase", "day_no"], ignore_index=True)
    by = starts.groupby("customer_id", sort=True)
    size = by["phase"].transform("size").to_numpy()
    is_first = by.cumcount().to_numpy() == 0
    phase = starts["phase"].to_numpy(dtype=float)
    clock = _crowd_clock(crowd, period=period)(phase)
    gap = _gap_before(phase, size, is_first) + np.where(is_first, period, 0.0)
    share_gap = _gap_before(clock, size, is_first) + np.where(is_first, 1.0, 0.0)
    # The arc that holds all starts is the circle less the largest gap; it begins after it.
    order = np.lexsort((-gap, np.cumsum(is_first)))
    widest = order[is_first]
    n = size[widest].astype(float)
    arc = period - gap[widest]
    share = 1.0 - share_gap[widest]
    first = by["day_no"].min().to_numpy(dtype=float)
    last = by["day_no"].max().to_numpy(dtype=float)
    cycles = np.maximum(n, np.floor((now - first) / period) + 1)
    # Two starts in one cycle stand apart, so a narrow arc holds one a cycle.
    narrow = arc < EPISODE_SHARE * period
    chance = n * share ** (n - 1) * np.where(narrow, _all_different(n, cycles), 1.0)
    middle = (phase[widest] + arc / 2) % period
    # A few starts do not show the whole season: the range of n draws is (n-1)/(n+1) of it.
    half = np.maximum(arc / 2 * (n + 1) / (n - 1), period / 52)
    # Half a cycle of grace: an early or late start still belongs to its cycle.
    due = _next(middle, after=last + period / 2, period=period)
    missed = np.maximum(0, np.ceil((now - half - due) / period)).astype(int)
    upcoming = due + missed * period
    return pd.DataFrame(
        {
            "customer_id": starts["customer_id"].to_numpy()[widest],
            "period_days": period,
            "episodes": n.astype(int),
            "cycle_p_value": np.where(share <= 0.5, np.minimum(1.0, chance), 1.0),
            "arc_days": arc,
            "arc_share": share,
            "next_cycle_on": np.round(upcoming),
            "window_from": np.floor(upcoming - half),
            "window_until": np.ceil(upcoming + half),
            "missed_cycles": missed,
        }
    )


def _starts(known: Any, *, period: float, least_episodes: int) -> pd.DataFrame:
    """First days of the episodes of customers who have enough of them."""
    day = nw.col("day_no")
    return (
        known.with_columns(before=day.shift(1).over("customer_id", order_by="day_no"))
        .filter(nw.col("before").is_null() | (day - nw.col("before") >= EPISODE_SHARE * period))
        .select("customer_id", "day_no")
        .with_columns(n=day.count().over("customer_id"))
        .filter(nw.col("n") >= least_episodes)
        .select("customer_id", "day_no")
        .collect("pandas")
        .to_native()
    )


def _gap_before(value: np.ndarray, size: np.ndarray, is_first: np.ndarray) -> np.ndarray:
    """Distance to the value before on the circle; the first one's lacks a whole turn."""
    at = np.flatnonzero(is_first)
    before = np.arange(len(value)) - 1
    before[at] = at + size[at] - 1
    return value - value[before]


def _crowd_clock(crowd: pd.DataFrame, *, period: float) -> Any:
    """Share of the crowd's purchases up to a day of the cycle, as a function of it."""
    bins = max(1, int(np.floor(period)))
    edges = np.linspace(0.0, period, bins + 1)
    weight, _ = np.histogram(crowd["day_no"] % period, bins=edges, weights=crowd["n"])
    weight = weight + EVEN_PURCHASES / bins
    share = np.r_[0.0, np.cumsum(weight)] / weight.sum()
    return lambda phase: np.interp(phase, edges, share)


def _all_different(n: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """Chance that n starts fall in n different ones of so many cycles."""
    chance = np.ones(len(n))
    for i in range(int(n.max(initial=0))):
        chance *= np.where(i < n, np.maximum(cycles - i, 1) / cycles, 1.0)
    return chance


def _next(phase: np.ndarray, *, after: np.ndarray, period: float) -> np.ndarray:
    """First day later than `after` whose phase in the cycle is `phase`."""
    turns = np.floor((after - phase) / period) + 1
    return phase + turns * period
