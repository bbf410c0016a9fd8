"""Months ahead: today's customers by the model, newcomers as they came lately.

The interval is empirical: the same forecast is made from past month ends, and the spread of
its errors, in logs, is that of the next one. Coverage is measured forward: an interval may
use only errors that were known when it would have been drawn.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from customer360.features.btyd_summary import summarise_purchases
from customer360.models.btyd import (
    BtydError,
    BtydModel,
    Honeymoon,
    ModelName,
    expected_cumulative,
    expected_purchases,
    fit_btyd,
)

__all__ = ["backtest", "forecast_coverage", "forecast_months", "with_interval"]

MEASURES = ("transactions", "revenue", "margin")
# How much of the fall of newcomers is left from one month to the next.
DAMPED = 0.9


def forecast_months(
    purchase_days: pd.DataFrame,
    *,
    as_of: date,
    months: int = 12,
    model: ModelName = "bg_nbd",
    clock: Honeymoon | None = None,
) -> pd.DataFrame:
    """Purchase days, revenue and margin of each month after `as_of`.

    Parameters
    ----------
    purchase_days : pandas.DataFrame
        Contract `purchase_days`; days after `as_of` are not looked at.
    as_of : date
        A month end.
    months : int
    model, clock : as in `fit_btyd`

    Returns
    -------
    pandas.DataFrame
        One row per month and group (today, newcomers, all): month (first day), customers,
        transactions, revenue, margin.
    """
    day = pd.to_datetime(purchase_days["day"])
    known = purchase_days.assign(day=day)[day <= pd.Timestamp(as_of)]
    summary = summarise_purchases(known, until=as_of)
    btyd = fit_btyd(summary, model=model, clock=clock)
    ends = pd.date_range(as_of, periods=months + 1, freq="ME")[1:]
    ahead = (ends - pd.Timestamp(as_of)).days.to_numpy()
    total = [expected_purchases(btyd, summary, horizon_days=float(h)).sum() for h in ahead]
    today = np.diff(total, prepend=0.0)
    # Each newcomer buys once, then as the model says.
    arriving = _arrivals(known, as_of=as_of, months=months) * np.diff(ahead, prepend=0)
    months_old = np.arange(months + 1) * 365.25 / 12
    one = pd.DataFrame({"frequency": [0.0], "recency_days": [0.0], "T_days": [0.0]})
    repeat = expected_cumulative(btyd, one, days_from_as_of=np.maximum(months_old - 15, 0))
    grown = np.diff(repeat)
    fresh = arriving + np.convolve(arriving, grown)[:months]
    season = _season(known, summary, btyd=btyd, as_of=as_of, months=ends.month.to_numpy())
    year = known[known["day"] > pd.Timestamp(as_of) - pd.Timedelta(days=365)]
    per_day = {"revenue": year["net_amount"].mean(), "margin": year["margin"].mean()}
    rows = []
    for name, counts in (("today", today), ("newcomers", fresh), ("all", today + fresh)):
        counts = counts * season
        rows.append(
            pd.DataFrame(
                {
                    "month": ends.to_period("M").to_timestamp().date,
                    "customers": name,
                    "transactions": counts,
                    **{m: counts * value for m, value in per_day.items()},
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def _arrivals(known: pd.DataFrame, *, as_of: date, months: int) -> np.ndarray:
    """Newcomers a day in each month ahead: as lately, fading where they have been fading.

    A panel filled at its start, or a shop that closes its doors, has fewer newcomers each
    quarter: the fall goes on, damped (Gardner and McKenzie 1985). A rise is not carried on.
    """
    days_ago = (pd.Timestamp(as_of) - known.groupby("customer_id")["day"].min()).dt.days
    lately, before = (days_ago < 91).sum(), ((days_ago >= 91) & (days_ago < 182)).sum()
    monthly = min(1.0, (lately / before) ** (1 / 3)) if before else 1.0
    # The mean of the quarter lies a month and a half back.
    steps = 1.5 + np.cumsum(DAMPED ** np.arange(1, months + 1))
    return lately / 91 * monthly**steps


def _season(
    known: pd.DataFrame,
    summary: pd.DataFrame,
    *,
    btyd: BtydModel,
    as_of: date,
    months: np.ndarray,
) -> np.ndarray:
    """Purchases of each month against an average one, from the last whole years; 1 without.

    A month is held against what the model expects of the customers known by then, each
    counted from its first purchase on: growth, and a cohort that ages, are no season.
    """
    years = ((pd.Timestamp(as_of) - known["day"].min()).days + 1) // 365
    if years < 1:
        return np.ones(len(months))
    ends = pd.date_range(end=pd.Timestamp(as_of), periods=12 * years + 1, freq="ME")
    ahead = (ends - pd.Timestamp(as_of)).days.to_numpy(float)
    expected = np.diff(expected_cumulative(btyd, summary, days_from_as_of=ahead))
    first = known.groupby("customer_id")["day"].transform("min")
    repeat = np.sort(known.loc[known["day"] > first, "day"].to_numpy())
    made = np.diff(np.searchsorted(repeat, ends.to_numpy(), side="right"))
    # Months that hardly anyone had to live through tell nothing.
    told = pd.DataFrame({"month": ends[1:].month, "made": made, "expected": expected})[
        expected > expected.mean() / 4
    ]
    sums = told.groupby("month")[["made", "expected"]].sum()
    shape = (sums["made"] / sums["expected"]).reindex(range(1, 13))
    shape = (shape / shape.mean()).fillna(1.0)
    # Half-way to 1 for a single year, which is as much chance as season.
    weight = years / (years + 1)
    return (1 + weight * (shape - 1)).clip(lower=0.1).reindex(months).to_numpy(float)


def backtest(
    purchase_days: pd.DataFrame,
    *,
    first: date,
    as_of: date,
    months: int = 12,
    origins: int = 12,
    model: ModelName = "bg_nbd",
    clock: Honeymoon | None = None,
) -> pd.DataFrame:
    """The forecast made from past month ends, and what then happened.

    Returns
    -------
    pandas.DataFrame
        One row per origin, month and measure: origin, month, lead (1, 2...), measure,
        expected, actual. Origins lie at least a third of the history after `first`.
    """
    days = purchase_days.assign(day=pd.to_datetime(purchase_days["day"]))
    ends = pd.date_range(first + timedelta(days=(as_of - first).days // 3), as_of, freq="ME")
    known = [end.date() for end in ends if end.date() < as_of][-origins:]
    month = days["day"].dt.to_period("M").dt.to_timestamp()
    real = days.groupby(month).agg(
        transactions=("day", "size"), revenue=("net_amount", "sum"), margin=("margin", "sum")
    )
    rows = []
    for origin in known:
        whole = (as_of.year - origin.year) * 12 + as_of.month - origin.month
        whole -= (as_of + timedelta(days=1)).day != 1
        if whole < 1:
            continue
        try:
            told = forecast_months(
                days, as_of=origin, months=min(months, whole), model=model, clock=clock
            )
        except BtydError:
            continue
        told = told[told["customers"] == "all"]
        actual = real.reindex(pd.to_datetime(told["month"])).fillna(0.0)
        rows += [
            pd.DataFrame(
                {
                    "origin": origin,
                    "month": told["month"].to_numpy(),
                    "lead": np.arange(1, len(told) + 1),
                    "measure": measure,
                    "expected": told[measure].to_numpy(float),
                    "actual": actual[measure].to_numpy(float),
                }
            )
            for measure in MEASURES
        ]
    columns = ["origin", "month", "lead", "measure", "expected", "actual"]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def forecast_coverage(tested: pd.DataFrame, *, level: float = 0.8) -> float:
    """Share of past months that their interval covered, drawn from earlier errors only.

    Parameters
    ----------
    tested : pandas.DataFrame
        From `backtest`.

    Returns
    -------
    float
        Not a number where no origin has enough earlier errors.
    """
    hits = []
    for origin in tested["origin"].unique():
        ended = pd.to_datetime(tested["month"]) + pd.offsets.MonthEnd(0)
        past = tested[ended <= pd.Timestamp(origin)]
        mine = tested[tested["origin"] == origin]
        drawn = with_interval(mine, errors=past, level=level)
        hits.append((drawn["low"] <= drawn["actual"]) & (drawn["actual"] <= drawn["high"]))
        hits[-1] = hits[-1][drawn["low"].notna()]
    found = pd.concat(hits) if hits else pd.Series(dtype=bool)
    return float(found.mean()) if len(found) else float("nan")


def with_interval(
    expected: pd.DataFrame, *, errors: pd.DataFrame, level: float = 0.8
) -> pd.DataFrame:
    """Add low and high: the expectation times the spread of past errors.

    Parameters
    ----------
    expected : pandas.DataFrame
        measure, expected.
    errors : pandas.DataFrame
        From `backtest`: of n past |log(actual / expected)| of the measure, the interval
        reaches as far as the ceil((n + 1) level)-th (split conformal, Vovk et al. 2005).
        Where n is too small to have one, four errors for 80 %, there is no interval.
    level : float
    """
    known = errors[(errors["expected"] > 0) & (errors["actual"] > 0)]
    ratio = known["actual"].astype(float) / known["expected"].astype(float)
    sizes = ratio.map(np.log).abs().groupby(known["measure"])
    reaches = {measure: _conformal(error.to_numpy(), level=level) for measure, error in sizes}
    reach = expected["measure"].map(reaches).to_numpy(float, na_value=np.nan)
    return expected.assign(
        low=expected["expected"] * np.exp(-reach), high=expected["expected"] * np.exp(reach)
    )


def _conformal(errors: np.ndarray, *, level: float) -> float:
    """The error that the next one stays below with probability `level`; nan if unknown."""
    # Off by less than a rounding error of the product: (4 + 1) x 0.8 is 4.
    rank = int(np.ceil((len(errors) + 1) * level - 1e-9))
    return float(np.sort(errors)[rank - 1]) if rank <= len(errors) else float("nan")
