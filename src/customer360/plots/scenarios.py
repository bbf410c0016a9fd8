"""Figures of 15: what goes out by itself."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import heat_map
from customer360.plots.style import use_style

__all__ = ["messages_by_week", "use_style"]


def messages_by_week(actions: pd.DataFrame) -> Axes:
    """Messages that go, by scenario and week; a row is darkest in its busiest week.

    Parameters
    ----------
    actions : pandas.DataFrame
        Contract `scenario_actions`.
    """
    order = actions.sort_values("priority")["scenario"].drop_duplicates()
    goes = actions[actions["stopped_by"].isna()]
    day = pd.to_datetime(goes["day"])
    monday = day - pd.to_timedelta(day.dt.day_of_week, unit="D")
    counts = pd.crosstab(goes["scenario"], monday).reindex(order, fill_value=0)
    counts.index = [name.replace("_", " ") for name in counts.index]
    weeks = pd.DatetimeIndex(counts.columns)
    counts.columns = [f"{week.day} {week:%b}" for week in weeks]
    shade = counts.div(counts.max(axis=1).clip(lower=1), axis=0)
    ax = heat_map(
        shade, height=0.42 * len(counts) + 1.6, cmap="Blues", turn=45, vmin=0, vmax=1.4,
        annot=counts, fmt="d", annot_kws={"fontsize": 9},
    )  # fmt: skip
    ax.set(title="Messages that go, by week (first day of it)")
    return ax
