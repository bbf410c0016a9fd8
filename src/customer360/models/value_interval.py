"""How far what customers bring lies from the value foretold: an interval read from errors made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["ValueInterval", "fit_interval", "with_value_interval"]

# Of the mean value: a smaller one is taken for this, as it cannot carry a ratio.
LEAST = 1e-3


@dataclass(frozen=True)
class ValueInterval:
    """How far what customers bring lies from the value foretold, by rank of that value.

    Attributes
    ----------
    low, high : tuple of float
        Ends as a share of the value foretold, for groups of equal size by rising value.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    def predict(self, value: pd.Series) -> pd.DataFrame:
        """Lower and upper end (currency) around each value foretold; columns low, high."""
        group = _groups(value.to_numpy(float), len(self.low))
        ends = {"low": np.asarray(self.low), "high": np.asarray(self.high)}
        return pd.DataFrame({k: v[group] * value for k, v in ends.items()}, index=value.index)


def fit_interval(
    value: pd.Series, earned: pd.Series, *, level: float = 0.8, groups: int = 10
) -> ValueInterval:
    """Read an interval from errors made: split conformal, by groups of the value foretold.

    Parameters
    ----------
    value : pandas.Series
        Foretold without knowing `earned`, currency.
    earned : pandas.Series
        Currency, in the same order.
    level : float
        Share of customers to lie inside.
    groups : int
        Groups of equal size by rising value; each gets its own ends.

    Returns
    -------
    ValueInterval
        From nothing to infinity where no error is known.

    References
    ----------
    Vovk, Lindsay, Nouretdinov and Gammerman (2003), "Mondrian Confidence Machine".
    """
    told, came = value.to_numpy(float), earned.to_numpy(float)
    if not len(told):
        return ValueInterval(low=(0.0,), high=(np.inf,))
    ratio = pd.Series(came / np.maximum(told, LEAST * max(float(told.mean()), LEAST)))
    group = _groups(told, min(groups, len(told)))
    # Rounded: (1 - 0.8) / 2 is a hair below a tenth.
    tail = round((1 - level) / 2, 9)
    # Outward to a ratio seen: also of few, at least the share asked lies inside.
    low = ratio.groupby(group).quantile(tail, interpolation="lower")
    high = ratio.groupby(group).quantile(1 - tail, interpolation="higher")
    # Where many bring nothing there is no lower tail to leave out: all of it is the upper one.
    low = low.clip(lower=0.0)
    below = (ratio < 0).groupby(group).mean()
    for name in low.index[low == 0]:
        upper = min(level + below[name], 1.0)
        high[name] = ratio[group == name].quantile(upper, interpolation="higher")
    return ValueInterval(low=tuple(low.tolist()), high=tuple(high.tolist()))


def with_value_interval(values: pd.DataFrame, interval: ValueInterval) -> pd.DataFrame:
    """Values with the interval read from errors made, instead of that of the model.

    Parameters
    ----------
    values : pandas.DataFrame
        Contract `clv_scores`. The cost to serve is taken for known.
    interval : ValueInterval

    Returns
    -------
    pandas.DataFrame
        `values` with clv_low and clv_high anew.
    """
    cost = values["cost_to_serve"].fillna(0.0)
    ends = interval.predict(values["clv"] + cost)
    return values.assign(clv_low=ends["low"] - cost, clv_high=ends["high"] - cost)


def _groups(value: np.ndarray, groups: int) -> np.ndarray:
    """Group of each value, of equal sizes, from 0 for the lowest."""
    rank = np.empty(len(value), dtype=int)
    rank[np.argsort(value, kind="stable")] = np.arange(len(value))
    return rank * groups // max(len(value), 1)
