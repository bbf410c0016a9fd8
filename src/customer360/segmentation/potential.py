"""The five classes of potential: gros, cyclique, nouveau, inactif, ordinaire."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["CLASS_WORDS", "classify_potential"]

CLASS_WORDS = {
    "gros": "big: among those who brought most margin, and active",
    "cyclique": "cyclic: comes back at the same time of the year",
    "nouveau": "new: first purchase not long ago",
    "inactif": "inactive: silent for longer than its own rhythm explains",
    "ordinaire": "ordinary: active, none of the above",
}


def classify_potential(
    features: pd.DataFrame,
    cycles: pd.DataFrame,
    *,
    horizon_days: int,
    new_days: int,
    big_share: float,
    cycle_p_value: float,
    cycle_arc_days: int,
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
    cycle_p_value, cycle_arc_days : float, int
        A rhythm is real when chance explains it with a smaller probability and all its
        starts lie within so many days of the year.

    Returns
    -------
    pandas.DataFrame
        customer_id, potential_class, cycle_p_value, next_cycle_on (cyclic only).
    """
    table = features.merge(cycles, on="customer_id", how="left")
    rhythm = table["gap_mean_days"].fillna(0.0)
    silent = (table["recency_days"] > horizon_days) & (table["recency_days"] > 2 * rhythm)
    cyclic = (
        (table["cycle_p_value"] <= cycle_p_value)
        & (table["arc_days"] <= cycle_arc_days)
        & (table["missed_cycles"] == 0)
    )
    new = table["tenure_days"] <= new_days
    active_margin = table["margin"].where(~silent & ~new)
    big = active_margin > active_margin.quantile(1 - big_share)
    table["potential_class"] = np.select(
        [new, cyclic, silent, big], ["nouveau", "cyclique", "inactif", "gros"], "ordinaire"
    )
    table["next_cycle_on"] = table["next_cycle_on"].where(table["potential_class"] == "cyclique")
    return table[["customer_id", "potential_class", "cycle_p_value", "next_cycle_on"]]
