"""The five classes of potential: gros, cyclique, nouveau, inactif, ordinaire."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["CLASS_WORDS", "classify_potential"]

CLASS_WORDS = {
    "gros": "big: among those who brought most margin, and active",
    "cyclique": "cyclic: comes back at the same time of each year, half-year or quarter",
    "nouveau": "new: first purchase not long ago",
    "inactif": "inactive: silent for longer than its own rhythm explains",
    "ordinaire": "ordinary: active, none of the above",
}


CYCLE_COLUMNS = ("cycle_days", "next_cycle_on", "window_from", "window_until")


def classify_potential(
    features: pd.DataFrame,
    cycles: pd.DataFrame,
    *,
    horizon_days: int,
    new_days: int,
    big_share: float,
    cycle_p_value: float,
    cycle_arc_share: float,
) -> pd.DataFrame:
    """Give each customer one class; the first rule that holds decides.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer_id, contract `features`.
    cycles : pandas.DataFrame
        From `find_cycles`.
    horizon_days : int
        Silence that few returning customers exceed.
    new_days : int
        A first purchase within so many days makes a new customer.
    big_share : float
        Share of active customers called big, by margin.
    cycle_p_value, cycle_arc_share : float
        A rhythm is real when chance explains it with a smaller probability and all its
        starts lie within this share of the cycle.

    Returns
    -------
    pandas.DataFrame
        customer_id, potential_class, cycle_p_value; for cyclic customers only: cycle_days
        (length of the cycle), next_cycle_on, window_from and window_until (dates between
        which it is expected next).
    """
    table = features.merge(cycles, on="customer_id", how="left")
    rhythm = table["gap_mean_days"].fillna(0.0)
    silent = (table["recency_days"] > horizon_days) & (table["recency_days"] > 2 * rhythm)
    cyclic = (
        (table["cycle_p_value"] <= cycle_p_value)
        & (table["arc_days"] <= cycle_arc_share * table["period_days"])
        & (table["missed_cycles"] == 0)
    )
    new = table["tenure_days"] <= new_days
    active_margin = table["margin"].where(~silent & ~new)
    big = active_margin > active_margin.quantile(1 - big_share)
    table["potential_class"] = np.select(
        [new, cyclic, silent, big], ["nouveau", "cyclique", "inactif", "gros"], "ordinaire"
    )
    is_cyclic = table["potential_class"] == "cyclique"
    table["cycle_days"] = table["period_days"]
    for name in CYCLE_COLUMNS:
        table[name] = table[name].where(is_cyclic)
    return table[["customer_id", "potential_class", "cycle_p_value", *CYCLE_COLUMNS]]
