"""Value at each month end, and what moved it: parts that sum to the move exactly.

    value = DET(history) x margin a purchase x exp(-effect x claims) - cost a day x days alive

From one month end to the next the ingredients are exchanged one after the other, in a fixed
order; what each exchange changes is its part. The sum telescopes: nothing is left over.
The models are those of today throughout, so that customers move and not the parameters.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from customer360.features.experience import FADES_IN_DAYS
from customer360.models.btyd import (
    BtydModel,
    GammaGammaModel,
    discounted_days_alive,
    discounted_purchases,
)

__all__ = ["PARTS", "experience_effect", "month_ends", "retention_list", "value_history"]

PARTS = ("arrival", "recency", "purchases", "spend", "segment", "experience", "cost")
# Segments of frequency: repeat purchase days, upper ends.
LADDER = np.array([0, 2, 6, 14])
STEP_DAYS = 91.3125
LEAST_COST_DAYS = 90.0


def month_ends(*, first: date, as_of: date, months: int = 24) -> tuple[date, ...]:
    """Last days of the months up to `as_of`, at most `months` + 1 of them, oldest first.

    `as_of` itself closes the series when it is no month end.
    """
    ends, day = [as_of], as_of.replace(day=1) - timedelta(days=1)
    while len(ends) <= months and day > first:
        ends.append(day)
        day = day.replace(day=1) - timedelta(days=1)
    return tuple(reversed(ends))


def experience_effect(actual: Any, expected: Any, claims: Any) -> float:
    """By how much a claim lowers later purchases, in logs: Poisson with offset, never below 0.

    Parameters
    ----------
    actual, expected : array of float
        Purchases made in a period, and those the model expected of it.
    claims : array of float
        Claims known before the period, faded.
    """
    y, mu, d = (np.asarray(v, dtype=float) for v in (actual, expected, claims))
    if not (d > 0).any() or y.sum() == 0:
        return 0.0
    rows, beta = np.column_stack([np.ones_like(d), d]), np.zeros(2)
    for _ in range(25):
        mean = np.maximum(mu, 1e-9) * np.exp(np.clip(rows @ beta, -20, 20))
        information = (rows * mean[:, None]).T @ rows
        step = np.linalg.solve(information + 1e-9 * np.eye(2), rows.T @ (y - mean))
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    return float(max(-beta[1], 0.0))


def value_history(
    states: pd.DataFrame,
    *,
    btyd: BtydModel,
    gamma_gamma: GammaGammaModel,
    effect: float,
    horizon_days: float,
    annual_discount_rate: float,
) -> pd.DataFrame:
    """Value of every customer at every month end, and the parts of each move.

    Parameters
    ----------
    states : pandas.DataFrame
        One row per customer_id and as_of (month ends): frequency, recency_days, T_days,
        monetary_value, claims (faded), cost (currency, so far). A customer has rows from
        its first month end on, without a hole.
    btyd, gamma_gamma : fitted models
    effect : float
        From `experience_effect`.
    horizon_days, annual_discount_rate : float

    Returns
    -------
    pandas.DataFrame
        Contract `value_history`, by customer_id and as_of. At the first month end of the
        series the move is 0; of a customer who came later the first value is its arrival.
    """
    now = states.sort_values(["customer_id", "as_of"], ignore_index=True)
    customer = now["customer_id"]
    known = (customer == customer.shift()).to_numpy()
    before = now.shift().where(pd.Series(known), now).infer_objects()
    # The month has passed, and nothing was bought: the age moves, and old claims fade.
    passed = before.assign(T_days=now["T_days"])
    faded = np.exp(-(now["T_days"] - before["T_days"]).to_numpy(float) / FADES_IN_DAYS)
    passed["claims"] = before["claims"] * faded
    steps = {
        "horizon_days": horizon_days,
        "annual_discount_rate": annual_discount_rate,
        "step_days": STEP_DAYS,
    }
    everyone = pd.concat([now, passed], ignore_index=True)
    bought = discounted_purchases(btyd, everyone, **steps).to_numpy().reshape(2, -1)
    alive = discounted_days_alive(btyd, everyone, **steps).to_numpy().reshape(2, -1)
    old = np.where(known, np.arange(len(now)) - 1, np.arange(len(now)))
    means = _segment_means(now, gamma_gamma)
    rung, rung_old = _rung(now), _rung(before)
    margins = (
        _margin(before, gamma_gamma, means[rung_old]),
        _margin(now, gamma_gamma, means[rung_old]),
        _margin(now, gamma_gamma, means[rung]),
    )
    mood_old, mood_passed, mood = (
        np.exp(-effect * f["claims"].to_numpy(float)) for f in (before, passed, now)
    )
    cost_old, cost = (
        f["cost"].to_numpy(float) / np.maximum(f["T_days"].to_numpy(float), LEAST_COST_DAYS)
        for f in (before, now)
    )
    det = (bought[0][old], bought[1], bought[0])
    days = (alive[0][old], alive[1], alive[0])
    path = np.stack(
        [
            det[0] * margins[0] * mood_old - cost_old * days[0],
            det[1] * margins[0] * mood_passed - cost_old * days[1],
            det[2] * margins[0] * mood_passed - cost_old * days[2],
            det[2] * margins[1] * mood_passed - cost_old * days[2],
            det[2] * margins[2] * mood_passed - cost_old * days[2],
            det[2] * margins[2] * mood - cost_old * days[2],
            det[2] * margins[2] * mood - cost * days[2],
        ]
    )
    value = path[-1]
    new = ~known & (now["as_of"] != now["as_of"].min()).to_numpy()
    parts = np.where(known, np.diff(path, axis=0), 0.0)
    table = now[["customer_id", "as_of"]].assign(
        value=value,
        move=np.where(known, value - value[old], np.where(new, value, 0.0)),
        part_arrival=np.where(new, value, 0.0),
    )
    return table.assign(**{f"part_{n}": p for n, p in zip(PARTS[1:], parts, strict=True)})


def retention_list(history: pd.DataFrame, churn: pd.DataFrame, *, months: int = 3) -> pd.DataFrame:
    """Whom to keep first: value at stake x fall that can be undone x probability to leave.

    The value at stake is what the customer was worth before it fell; a fall can be undone
    while the customer is still one, hence with probability P(alive) only. Without it the
    list would be led by those who left long ago.

    Parameters
    ----------
    history : pandas.DataFrame
        Contract `value_history`.
    churn : pandas.DataFrame
        Contract `churn_scores`; who has no probability (silent already) is left out. Read
        are customer_id, churn_probability, palive (empty: taken for a customer).
    months : int
        How far back the fall is measured.

    Returns
    -------
    pandas.DataFrame
        Contract `retention_list`, highest priority first.
    """
    ends = sorted(history["as_of"].unique())
    start, last = ends[max(0, len(ends) - 1 - months)], ends[-1]
    before = history.loc[history["as_of"] == start].set_index("customer_id")["value"]
    now = history.loc[history["as_of"] == last].set_index("customer_id")["value"]
    moves = history[history["as_of"] > start].groupby("customer_id")
    parts = moves[[f"part_{name}" for name in PARTS[1:]]].sum()
    scores = churn.set_index("customer_id")
    risk, alive = scores["churn_probability"].dropna(), scores["palive"].astype(float).fillna(1.0)
    table = pd.DataFrame({"before": before, "now": now, "churn_probability": risk}).dropna()
    table = table[(table["before"] > 0) & (table["now"] < table["before"])]
    fall = 1 - table["now"].clip(lower=0) / table["before"]
    told, alive = parts.reindex(table.index), alive.reindex(table.index)
    table = pd.DataFrame(
        {
            "customer_id": table.index,
            "as_of": last,
            "value_at_stake": table["before"],
            "fall": fall,
            "churn_probability": table["churn_probability"],
            "palive": alive,
            "priority": table["before"] * fall * alive * table["churn_probability"],
            "reason": told.idxmin(axis=1).str.removeprefix("part_") if len(told) else None,
        }
    )
    order = ["priority", "customer_id"]
    table = table.reset_index(drop=True)
    return table.sort_values(order, ascending=[False, True], ignore_index=True)


def _rung(frame: pd.DataFrame) -> np.ndarray:
    return np.searchsorted(LADDER, frame["frequency"].to_numpy(float), side="left")


def _segment_means(states: pd.DataFrame, model: GammaGammaModel) -> np.ndarray:
    """Margin of a purchase in each segment today, by numbers of purchases; the population's
    where nobody is."""
    last = states[states["as_of"] == states["as_of"].max()]
    weight = last["frequency"].where(last["monetary_value"].notna(), 0).to_numpy(float)
    own = last["monetary_value"].fillna(0.0).to_numpy(float)
    rung, size = _rung(last), len(LADDER) + 1
    total = np.bincount(rung, weights=weight * own, minlength=size)
    count = np.bincount(rung, weights=weight, minlength=size)
    # A hundred purchases of the population: thin segments say little of their own.
    return (total + 100 * model.population_mean) / (count + 100)


def _margin(frame: pd.DataFrame, model: GammaGammaModel, mean: np.ndarray) -> np.ndarray:
    """Gamma-Gamma expectation, drawn towards the mean of the segment."""
    own = frame["monetary_value"].to_numpy(float, na_value=np.nan)
    x = np.where(np.isfinite(own), frame["frequency"].to_numpy(float), 0.0)
    weight = model.p * x / (model.p * x + model.q - 1)
    return weight * np.nan_to_num(own) + (1 - weight) * mean
