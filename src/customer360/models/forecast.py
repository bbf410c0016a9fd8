"""Months ahead: today's customers by the model, newcomers by their recent number.

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
    Honeymoon,
    ModelName,
    expected_cumulative,
    expected_purchases,
    fit_btyd,
)

__all__ = ["backtest", "forecast_coverage", "forecast_months", "with_interval"]

MEASURES = ("transactions", "revenue", "margin")
LEAST_ERRORS = 3


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
    # Newcomers: as many a month as lately; each buys once, then as the model says.
    first = known.groupby("customer_id")["day"].min()
    lately = first > pd.Timestamp(as_of) - pd.Timedelta(days=91)
    arriving = lately.sum() / 91 * np.diff(ahead, prepend=0)
    months_old = np.arange(months + 1) * 365.25 / 12
    one = pd.DataFrame({"frequency": [0.0], "recency_days": [0.0], "T_days": [0.0]})
    repeat = expected_cumulative(btyd, one, days_from_as_of=np.maximum(months_old - 15, 0))
    grown = np.diff(repeat)
    fresh = arriving + np.convolve(arriving, grown)[:months]
    season = _season(known, as_of=as_of, months=ends.month.to_numpy())
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


def _season(known: pd.DataFrame, *, as_of: date, months: np.ndarray) -> np.ndarray:
    """Purchases of each month against an average one, from the last whole years; 1 without."""
    first = known["day"].min()
    years = ((pd.Timestamp(as_of) - first).days + 1) // 365
    if years < 1:
        return np.ones(len(months))
    index = []
    for year in range(years):
        end = pd.Timestamp(as_of) - pd.DateOffset(years=year)
        part = known.loc[(known["day"] <= end) & (known["day"] > end - pd.DateOffset(years=1))]
        number = part["day"].dt.month
        counts = number.value_counts().reindex(range(1, 13), fill_value=0)
        lengths = pd.date_range(end - pd.DateOffset(years=1) + pd.Timedelta(days=1), end)
        rate = counts / lengths.month.value_counts().reindex(range(1, 13))
        # Growth over the year is no season: divided out, the trend taken as a straight line.
        order = (np.arange(1, 13) - end.month - 1) % 12
        trend = np.polyval(np.polyfit(order, rate, 1), order)
        shape = rate / np.maximum(trend, 1e-9)
        index.append(shape / shape.mean())
    # Half-way to 1 for a single year, which is as much chance as season.
    mean = pd.concat(index, axis=1).mean(axis=1)
    weight = years / (years + 1)
    return (1 + weight * (mean - 1)).clip(lower=0.1).reindex(months).to_numpy(float)


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
        From `backtest`: the interval reaches as far as the share `level` of past
        |log(actual / expected)| of the measure (split conformal, Vovk et al. 2005); at least
        three errors are needed.
    level : float
    """
    known = errors[(errors["expected"] > 0) & (errors["actual"] > 0)]
    ratio = known["actual"].astype(float) / known["expected"].astype(float)
    group = ratio.map(np.log).abs().groupby(known["measure"])
    enough = group.size() >= LEAST_ERRORS
    reach = expected["measure"].map(group.quantile(level)[enough]).to_numpy(float, na_value=np.nan)
    return expected.assign(
        low=expected["expected"] * np.exp(-reach), high=expected["expected"] * np.exp(reach)
    )
