"""Is today's population still the one a model learnt from?"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["drift_by_month", "population_stability"]


def population_stability(before: pd.DataFrame, now: pd.DataFrame, *, bins: int = 10) -> pd.Series:
    """Population stability index of each column: how far its distribution has moved.

    Sum over bins of (q - p) log(q / p) (Siddiqi 2006); the bins are tenths of `before`, or
    the texts; empty values are a bin.

    Parameters
    ----------
    before, now : pandas.DataFrame
        The same columns: what was learnt from, and what is scored.
    bins : int
        Groups of equal size of a number in `before`.

    Returns
    -------
    pandas.Series
        Column name to index, the largest first: 0 for the same distribution; by custom below
        0.1 nothing has moved, above 0.25 the model must be looked at again. 0 when either
        side has no rows.
    """
    found = {name: _stability(before[name], now[name], bins) for name in before.columns}
    return pd.Series(found, dtype=float).sort_values(ascending=False, kind="stable")


def drift_by_month(before: pd.DataFrame, later: pd.DataFrame, *, day: pd.Series) -> pd.DataFrame:
    """`population_stability` of each month against what was learnt from.

    Parameters
    ----------
    before, later : pandas.DataFrame
        The same columns.
    day : pandas.Series
        Day of each row of `later`.

    Returns
    -------
    pandas.DataFrame
        One row per day and column: as_of, feature, stability_index.
    """
    parts = [
        population_stability(before, part)
        .rename("stability_index")
        .rename_axis("feature")
        .reset_index()
        .assign(as_of=pd.Timestamp(when).date())
        for when, part in later.groupby(day, sort=True)
    ]
    columns = ["as_of", "feature", "stability_index"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def _stability(before: pd.Series, now: pd.Series, bins: int) -> float:
    if before.empty or now.empty:
        return 0.0
    if pd.api.types.is_numeric_dtype(before):
        values = before.to_numpy(dtype=float, na_value=np.nan)
        known = values[~np.isnan(values)]
        edges = (
            np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
            if len(known)
            else known
        )
        before, now = (_binned(column, edges) for column in (before, now))
    counts = pd.DataFrame({i: c.fillna("").value_counts() for i, c in enumerate((before, now))})
    # Half a case a group: an empty one would be infinitely far.
    cases = counts.fillna(0.0).to_numpy(dtype=float) + 0.5
    p, q = (cases / cases.sum(axis=0)).T
    return float(((q - p) * np.log(q / p)).sum())


def _binned(column: pd.Series, edges: np.ndarray) -> pd.Series:
    x = column.to_numpy(dtype=float, na_value=np.nan)
    return pd.Series(np.where(np.isnan(x), -1, np.searchsorted(edges, x, side="right")))
