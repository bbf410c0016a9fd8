"""Candidates for the value of a customer: the model of purchases, trees, and their blend.

Buy-till-you-die x Gamma-Gamma knows attrition and chance, but only three numbers of a
customer. Trees read all its features, but know one period only. Each candidate is told as a
*factor* on the former's value, so that it holds for any horizon, and keeps its total: what is
learnt in one period moves value between customers, the level is that of attrition.

References
----------
Duan, Manning, Morris and Newhouse (1983), "A Comparison of Alternative Models for the Demand
for Medical Care", JBES 1 (2), on models in two parts. Clemen (1989), "Combining forecasts: a
review", Int. J. of Forecasting 5 (4), on plain means.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

import numpy as np
import pandas as pd
import xgboost as xgb

from customer360.features.btyd_summary import holdout_summary, summarise_purchases
from customer360.features.table import NUMERIC_FEATURES, TEXT_FEATURES
from customer360.models.btyd import (
    BtydError,
    Honeymoon,
    ModelName,
    expected_margin,
    expected_purchases,
    fit_btyd,
    fit_gamma_gamma,
    probability_alive,
)
from customer360.models.pace import fit_pace
from customer360.periods import Calendar

__all__ = [
    "CANDIDATES",
    "ValueTrees",
    "fit_value_trees",
    "value_origins",
    "value_rows",
]

CANDIDATES = ("btyd", "corrected", "two_part", "quantiles", "blend")
TOLD = ("palive", "expected_margin", "value_told")
# Sums since the beginning would name the day learnt from: they grow with the history.
GROWING = {
    "frequency",
    "tenure_days",
    "net_amount",
    "margin",
    "cost_to_serve",
    "cost_to_contact",
    "known_days",
    "known_before_days",
    "gap_max_days",
}
NUMBERS = tuple(name for name in NUMERIC_FEATURES if name not in GROWING)
# The middles of five equal parts: their mean is that of the whole law.
QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
PARAMETERS = {
    "eta": 0.05,
    "max_depth": 3,
    "min_child_weight": 30,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "lambda": 5.0,
    "tree_method": "hist",
    "nthread": 1,
}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "corrected": {"objective": "reg:tweedie", "tweedie_variance_power": 1.5},
    "buys": {"objective": "binary:logistic"},
    "spends": {"objective": "reg:gamma", "min_child_weight": 10},
    "quantiles": {"objective": "reg:quantileerror", "quantile_alpha": QUANTILES, "eta": 0.1},
}
STARTS_AT_TOLD = ("corrected", "spends")
ROUNDS = 100
# Fewer customers than this teach trees nothing that holds.
FEWEST = 500
# Of the mean value: a factor on less than that would be a factor on nothing.
LEAST = 0.01


def value_origins(calendar: Calendar) -> dict[str, tuple[date, int]]:
    """Days on which customers are looked at, and how many days ahead.

    Parameters
    ----------
    calendar : Calendar

    Returns
    -------
    dict
        Name to last day known and days ahead: the candidates learn on `learn` and are chosen
        on `choose`, the second and the last third of the calibration; they learn anew on
        `relearn`, its last half or as many days as the holdout has, are judged on `judge`
        and value customers on `latest`.
    """
    end, known = calendar.calibration_end, (calendar.calibration_end - calendar.first_day).days
    third, ahead = max(known // 3, 1), max(min(known // 2, calendar.holdout_days), 1)
    return {
        "learn": (end - timedelta(days=2 * third), third),
        "choose": (end - timedelta(days=third), third),
        "relearn": (end - timedelta(days=ahead), ahead),
        "judge": (end, ahead),
        "latest": (calendar.as_of, ahead),
    }


def value_rows(
    purchase_days: pd.DataFrame,
    features: pd.DataFrame,
    *,
    as_of: date,
    window_days: int,
    model: ModelName,
    clock: Honeymoon,
    seed: int,
    time_unit_days: float = 7.0,
    pace_window_days: int | None = None,
) -> pd.DataFrame:
    """What is known of each customer on a day, the value then told, and what came of it.

    Parameters
    ----------
    purchase_days : pandas.DataFrame
        Contract `purchase_days`.
    features : pandas.DataFrame
        Contract `features`, rows of `as_of`.
    as_of : date
        Last day that features and models know.
    window_days : int
        Days ahead.
    model, clock, time_unit_days : as in `fit_btyd`
    seed : int
    pace_window_days : int, optional
        Longest window the pace is learnt from; without it, no pace.

    Returns
    -------
    pandas.DataFrame
        One row per customer_id who bought by `as_of`, in order: the features;
        expected_margin (currency, of one purchase), palive,
        value_told (currency, purchases x margin) and pace_factor of the model; earned
        (currency, margin of the window; 0 where nothing, or nothing later is known). Empty
        when the history up to `as_of` cannot carry the model.
    """
    learnt: dict[str, Any] = {"model": model, "clock": clock, "time_unit_days": time_unit_days}
    summary = summarise_purchases(purchase_days, until=as_of)
    try:
        btyd, gamma = fit_btyd(summary, **learnt), fit_gamma_gamma(summary)
    except BtydError:
        names = [*NUMBERS, *TEXT_FEATURES, *TOLD, "pace_factor", "earned"]
        return summary.head(0).reindex(columns=["customer_id", *names])
    count = expected_purchases(btyd, summary, horizon_days=window_days).to_numpy(float)
    pace_factor = np.ones(len(summary))
    # The first months of a history teach no pace.
    if pace_window_days:
        with suppress(BtydError):
            learnt |= {"window_days": pace_window_days, "seed": seed}
            pace = fit_pace(purchase_days, until=as_of, **learnt)
            factor = pace.predict(purchase_days, btyd=btyd, as_of=as_of)
            pace_factor = factor.reindex(summary["customer_id"]).to_numpy(float)
    count = count * pace_factor
    margin = expected_margin(gamma, summary).to_numpy(float)
    after = holdout_summary(purchase_days, after=as_of, until=as_of + timedelta(days=window_days))
    earned = after.set_index("customer_id")["holdout_margin"]
    table = summary[["customer_id"]].merge(
        features[["customer_id", *NUMBERS, *TEXT_FEATURES]],
        on="customer_id",
        how="left",
        validate="one_to_one",
    )
    return table.assign(
        expected_margin=margin,
        palive=probability_alive(btyd, summary).to_numpy(float),
        value_told=count * margin,
        pace_factor=pace_factor,
        earned=earned.reindex(summary["customer_id"]).fillna(0.0).to_numpy(float),
    )


@dataclass(frozen=True)
class ValueTrees:
    """Fitted trees of the candidates.

    Attributes
    ----------
    boosters : dict
        Name to xgboost.Booster; empty when there were too few customers to learn from.
    mean : float
        Currency: margin of a customer in the window learnt from.
    categories : dict
        Text feature to the values known.
    """

    boosters: dict[str, Any]
    mean: float
    categories: dict[str, tuple[str, ...]]

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Factor of each candidate on the value told.

        Parameters
        ----------
        rows : pandas.DataFrame
            From `value_rows`, for a window as long as that learnt from.

        Returns
        -------
        pandas.DataFrame
            One column per candidate, indexed by customer_id. The mean of the factors,
            weighted by the value told, is 1.
        """
        index = pd.Index(rows["customer_id"].to_numpy(), name="customer_id")
        ones = np.ones(len(rows))
        if not self.boosters:
            return pd.DataFrame(dict.fromkeys(CANDIDATES, ones), index=index)
        told = self._told(rows)
        plain, offset = self._matrix(rows), self._matrix(rows, offset=told)
        corrected, buys, spends, quantiles = (
            self.boosters[name].predict(offset if name in STARTS_AT_TOLD else plain).astype(float)
            for name in OBJECTIVES
        )
        values = {
            "corrected": corrected,
            "two_part": buys * spends,
            "quantiles": np.maximum(quantiles.mean(axis=1), 0.0) * told,
        }
        total = told.sum()
        factors = {"btyd": ones}
        factors |= {name: v / told * (total / v.sum()) for name, v in values.items()}
        factors["blend"] = np.mean(list(factors.values()), axis=0)
        return pd.DataFrame(factors, index=index)[list(CANDIDATES)]

    def _told(self, rows: pd.DataFrame) -> np.ndarray:
        """Value told, in units of the mean, never nothing."""
        return np.maximum(rows["value_told"].to_numpy(float) / self.mean, LEAST)

    def _matrix(self, rows: pd.DataFrame, *, offset: Any = None, **labels: Any) -> xgb.DMatrix:
        text = {
            name: pd.Categorical(rows[name].where(rows[name].isin(known)), categories=list(known))
            for name, known in self.categories.items()
        }
        table = rows[[*NUMBERS, *TOLD]].astype(float).assign(**text)
        margin = None if offset is None else np.log(offset)
        return xgb.DMatrix(table, base_margin=margin, enable_categorical=True, **labels)

    def to_json(self) -> str:
        """JSON text; trees come back exactly."""
        boosters = {
            name: json.loads(bytes(booster.save_raw("json")))
            for name, booster in self.boosters.items()
        }
        fields = {"boosters": boosters, "mean": self.mean, "categories": self.categories}
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Inverse of `to_json`."""
        fields = json.loads(text)
        boosters = {}
        for name, raw in fields["boosters"].items():
            boosters[name] = xgb.Booster()
            boosters[name].load_model(bytearray(json.dumps(raw), "utf-8"))
        known = {name: tuple(values) for name, values in fields["categories"].items()}
        return cls(boosters=boosters, mean=fields["mean"], categories=known)


def fit_value_trees(rows: pd.DataFrame, *, seed: int) -> ValueTrees:
    """Learn from one past window what the features say beyond the model of purchases.

    Each starts from the value told, as trees do not go beyond what they have seen:

    - corrected: a Tweedie regression (a mass at nothing, then amounts), told as offset;
    - two_part: the chance to earn anything, times how much if so (Duan et al. 1983), told as
      offset of the latter;
    - quantiles: five quantiles of earned / told, weighted by told, and their mean;
    - blend: the mean of these and of the value told.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `value_rows`.
    seed : int

    Returns
    -------
    ValueTrees
        Without trees, so that every factor is 1, where fewer than 500 customers or nobody's
        margin can be learnt from.
    """
    earned = rows["earned"].to_numpy(float)
    mean = float(np.maximum(earned, 0).mean()) if len(rows) else 0.0
    values = {name: sorted(rows[name].dropna().astype(str).unique()) for name in TEXT_FEATURES}
    categories = {name: tuple(known) for name, known in values.items() if known}
    trees = ValueTrees(boosters={}, mean=mean or 1.0, categories=categories)
    bought = earned > 0
    if len(rows) < FEWEST or bought.all() or bought.sum() < FEWEST / 10:
        return trees
    share, told = np.maximum(earned, 0.0) / mean, trees._told(rows)
    data = {
        "corrected": trees._matrix(rows, offset=told, label=share),
        "buys": trees._matrix(rows, label=bought.astype(float)),
        "spends": trees._matrix(rows[bought], offset=told[bought], label=share[bought]),
        "quantiles": trees._matrix(rows, label=share / told, weight=told),
    }
    boosters = {
        name: xgb.train({**PARAMETERS, **OBJECTIVES[name], "seed": seed}, data[name], ROUNDS)
        for name in OBJECTIVES
    }
    return ValueTrees(boosters=boosters, mean=mean, categories=categories)
