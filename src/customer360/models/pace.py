"""What buy-till-you-die models cannot see: a pace that changed lately.

They know how often and how long ago somebody bought, and take the rate for constant. Trees
learn, on several days of the past, by which factor recent weeks, pauses and amounts change
what the model expects (a Poisson regression with the expectation as offset). They move
purchases between customers; the total stays that of the model, which knows attrition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb

from customer360.features.btyd_summary import holdout_summary, summarise_purchases
from customer360.features.pace import PACE_WINDOWS_DAYS, purchase_pace
from customer360.models.btyd import (
    BtydError,
    BtydModel,
    Honeymoon,
    ModelName,
    expected_purchases,
    fit_btyd,
    probability_alive,
)

__all__ = ["PaceModel", "fit_clock", "fit_pace", "is_seasonal", "pace_days"]

PARAMETERS = {
    "objective": "count:poisson",
    "eta": 0.05,
    "max_depth": 3,
    "min_child_weight": 30,
    "subsample": 0.7,
    "colsample_bytree": 0.7,
    "lambda": 5.0,
    "max_delta_step": 0.7,
    "tree_method": "hist",
    "nthread": 1,
}
ROUNDS = 150
LEAST = 1e-6
# Clocks that are tried: days gained after the first purchase, and how fast the haste fades.
CLOCKS = (
    Honeymoon(),
    *(
        Honeymoon(extra, fades)
        for fades in (20.0, 40.0, 60.0, 90.0)
        for extra in (15.0, 30.0, 60.0)
    ),
)
# Busiest month against the quietest, from which on recent weeks tell the season.
SEASONAL_SWING = 1.5


@dataclass(frozen=True)
class PaceModel:
    """Factor by which a customer's recent pace changes what is expected of it.

    Attributes
    ----------
    booster : xgboost.Booster
    window_days : int
        Length of the period ahead the factor was learnt for; it is applied to any.
    days : tuple of date
        Days of the past it was learnt on.
    """

    booster: Any
    window_days: int
    days: tuple[date, ...]

    def predict(self, purchase_days: Any, *, btyd: BtydModel, as_of: date) -> pd.Series:
        """Factor of each customer who bought by `as_of`, by customer_id.

        The mean of the factors, weighted by the purchases expected, is 1.
        """
        summary = summarise_purchases(purchase_days, until=as_of)
        rows, mean = _rows(
            purchase_days, summary, btyd=btyd, as_of=as_of, window_days=self.window_days
        )
        offset = np.log(mean)
        told = self.booster.predict(xgb.DMatrix(rows, base_margin=offset)).astype(float)
        factor = told / mean * (mean.sum() / told.sum())
        return pd.Series(factor, index=summary["customer_id"].to_numpy(), name="pace_factor")


def fit_clock(purchase_days: pd.DataFrame, *, until: date) -> Honeymoon:
    """Choose the clock under which the purchases up to a day are most likely (BG/NBD).

    Times on a clock are a change of variable: the likelihood of days is that of the times
    on the clock, times the clock's speed at every repeat purchase.

    Parameters
    ----------
    purchase_days : pandas.DataFrame
        Contract `purchase_days`.
    until : date
        Later days are not looked at.

    Returns
    -------
    Honeymoon
        The plain calendar unless another one is more likely by a point for each of its two
        parameters (Akaike).
    """
    day = pd.to_datetime(purchase_days["day"])
    known = day <= pd.Timestamp(until)
    day, customer = day[known], purchase_days["customer_id"][known]
    age = (day - day.groupby(customer).transform("min")).dt.days.to_numpy(float)
    repeat = age[age > 0]
    summary = summarise_purchases(purchase_days, until=until)
    best, most = CLOCKS[0], -np.inf
    for clock in CLOCKS:
        try:
            fitted = fit_btyd(summary, model="bg_nbd", clock=clock)
        except BtydError:
            continue
        likely = fitted.log_likelihood + np.log(clock.speed(repeat)).sum()
        likely -= 2.0 if clock.extra_days else 0.0
        if likely > most:
            best, most = clock, likely
    return best


def is_seasonal(purchase_days: pd.DataFrame, *, until: date) -> bool:
    """Whether recent weeks tell the season rather than the customer's pace.

    True where a year is known and the busiest month of the last one has half as many
    purchases a day again as the quietest. Shorter histories cannot tell.

    Parameters
    ----------
    purchase_days : pandas.DataFrame
        Contract `purchase_days`.
    until : date
        Later days are not looked at.
    """
    day = pd.to_datetime(purchase_days["day"])
    day = day[day <= pd.Timestamp(until)]
    year = pd.date_range(end=until, periods=365)
    if day.empty or day.min() > year[0]:
        return False
    counts = day[day >= year[0]].dt.month.value_counts().reindex(range(1, 13), fill_value=0)
    rate = counts / year.month.value_counts().reindex(range(1, 13))
    return bool(rate.max() > SEASONAL_SWING * rate.min())


def pace_days(
    *, first: date, until: date, shares: Sequence[float] = (0.35, 0.45, 0.55, 0.65, 0.75, 0.85)
) -> tuple[date, ...]:
    """Days to learn from, spread over a period."""
    length = (until - first).days
    return tuple(first + timedelta(days=round(length * share)) for share in shares)


def fit_pace(
    purchase_days: pd.DataFrame,
    *,
    until: date,
    model: ModelName,
    clock: Honeymoon,
    window_days: int,
    seed: int,
    time_unit_days: float = 7.0,
) -> PaceModel:
    """Learn on several days of the past what recent pace adds to the model.

    On each day the model is fitted anew on what was known, and asked for the days up to
    `until` (at most `window_days`): nothing later is looked at.

    Parameters
    ----------
    purchase_days : pandas.DataFrame
        Contract `purchase_days`.
    until : date
        Last day known.
    model, clock : as in `fit_btyd`
    window_days : int
        Most days looked ahead.
    seed : int

    Returns
    -------
    PaceModel

    Raises
    ------
    BtydError
        When no day of the past can carry the model.
    """
    days = pd.to_datetime(purchase_days["day"])
    kept = purchase_days[days <= pd.Timestamp(until)]
    rows, counts, offsets, used = [], [], [], []
    for as_of in pace_days(first=days.min().date(), until=until):
        summary = summarise_purchases(kept, until=as_of)
        ahead = min(window_days, (until - as_of).days)
        try:
            btyd = fit_btyd(summary, model=model, clock=clock, time_unit_days=time_unit_days)
        except BtydError:
            continue
        part, mean = _rows(kept, summary, btyd=btyd, as_of=as_of, window_days=ahead)
        future = holdout_summary(kept, after=as_of, until=as_of + timedelta(days=ahead))
        future = future.set_index("customer_id")["holdout_transactions"]
        rows.append(part)
        counts.append(future.reindex(summary["customer_id"]).fillna(0).to_numpy(float))
        offsets.append(np.log(mean))
        used.append(as_of)
    if not rows:
        raise BtydError(f"no day before {until} has purchases enough to learn a pace from")
    data = xgb.DMatrix(
        pd.concat(rows, ignore_index=True),
        label=np.concatenate(counts),
        base_margin=np.concatenate(offsets),
    )
    booster = xgb.train({**PARAMETERS, "seed": seed}, data, ROUNDS)
    return PaceModel(booster=booster, window_days=int(window_days), days=tuple(used))


def _rows(
    purchase_days: Any, summary: pd.DataFrame, *, btyd: BtydModel, as_of: date, window_days: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """What the trees read of each customer, and the purchases expected of it."""
    expected = expected_purchases(btyd, summary, horizon_days=window_days).to_numpy(float)
    mean = np.maximum(expected, LEAST)
    pace = purchase_pace(purchase_days, as_of=as_of).set_index("customer_id")
    pace = pace.reindex(summary["customer_id"]).reset_index(drop=True)
    rate, gap = mean / window_days, pace["gap_mean_days"]
    # No age among them: it would name the day learnt from, and its season.
    # Counts against those expected: the same number whatever the length of the history.
    against = {
        f"against_{n}": np.log((pace[f"days_{n}"] + 0.5) / (rate * n + 0.5)).where(
            pace["tenure_days"] >= n
        )
        for n in PACE_WINDOWS_DAYS
    }
    rows = pace.drop(columns=["amount_mean", "tenure_days"]).assign(
        **against,
        frequency=np.log1p(summary["frequency"].to_numpy(float)),
        irregularity=pace["gap_std_days"] / gap,
        since_over_gap=pace["since_days"] / gap,
        since_over_longest=pace["since_days"] / pace["gap_max_days"],
        palive=probability_alive(btyd, summary).to_numpy(),
        rate=np.log(rate),
        amount=np.log1p(pace["amount_mean"].clip(lower=0)),
    )
    return rows.astype(float), mean
