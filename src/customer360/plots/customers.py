"""Figures of 03: who each customer is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import colours, dated, horizontal, legend_below, new_axes
from customer360.plots.style import PALETTE, money, percent, thousands, use_style

__all__ = [
    "field_accuracy",
    "field_origins",
    "sales_by_month",
    "use_style",
    "ways_to_reach",
]


def field_origins(origins: pd.DataFrame) -> Axes:
    """Which source gives which field of the golden record.

    Parameters
    ----------
    origins : pandas.DataFrame
        Columns field, source, share.
    """
    data = origins.pivot(index="field", columns="source", values="share").fillna(0.0)
    data = data.iloc[::-1]
    ax = new_axes(height=0.3 * len(data) + 1.6)
    left = np.zeros(len(data))
    for colour, source in zip(colours(data.shape[1]), data.columns, strict=True):
        ax.barh(data.index, data[source], left=left, label=source, color=colour)
        left += data[source].to_numpy()
    ax.set(title="Where each field of the golden record comes from", xlim=(0, 1))
    legend_below(ax)
    return percent(horizontal(ax), axis="x")


def sales_by_month(months: pd.DataFrame, *, currency: str) -> Axes:
    """Net amount by month.

    Parameters
    ----------
    months : pandas.DataFrame
        Columns month (date), net_amount.
    """
    ax = new_axes()
    ax.plot(pd.to_datetime(months["month"]), months["net_amount"], color=PALETTE[0])
    ax.fill_between(
        pd.to_datetime(months["month"]),
        months["net_amount"],
        color=PALETTE[0],
        alpha=0.12,
    )
    ax.set(title="What customers brought in, by month", ylim=(0, None), ylabel="net amount")
    return money(dated(ax), axis="y", currency=currency)


def field_accuracy(accuracy: pd.DataFrame) -> Axes:
    """Share of right values by field: the golden record beside two plain rules.

    Parameters
    ----------
    accuracy : pandas.DataFrame
        From `evaluate_golden`: field, of, golden, most_recent, most_frequent.
    """
    data = accuracy[accuracy["of"] == "pure"].set_index("field").sort_values("golden")
    methods = {"most_recent": "most recent value", "most_frequent": "most frequent value",
               "golden": "golden record"}  # fmt: skip
    ax = new_axes(height=0.4 * len(data) + 1.6)
    place = np.arange(len(data))
    for colour, (method, label) in zip(colours(3)[::-1], methods.items(), strict=True):
        size = 70 if method == "golden" else 36
        ax.scatter(data[method], place, label=label, color=colour, s=size, zorder=3)
    ax.set_yticks(place, [field.replace("_", " ") for field in data.index])
    lowest = data[list(methods)].to_numpy().min()
    ax.set(title="How often each field is right", xlim=(lowest - 0.03, 1.005))
    legend_below(ax)
    return percent(horizontal(ax), axis="x")


def ways_to_reach(reachability: Any) -> Axes:
    """Customers by channel: who may be contacted, who could be, who is lost.

    Parameters
    ----------
    reachability : duckdb.DuckDBPyRelation
        Contract `reachability`.
    """
    told = (
        "CASE WHEN may_contact THEN 'reachable and agreed' WHEN reachable THEN 'no consent' "
        "WHEN state = 'hard' THEN 'messages came back' ELSE 'nothing usable known' END"
    )
    counts = reachability.aggregate(f"channel, {told} AS standing, count(*) AS n").df()
    data = counts.pivot(index="channel", columns="standing", values="n").fillna(0.0)
    order = ["reachable and agreed", "no consent", "messages came back", "nothing usable known"]
    data = data.reindex(columns=order, fill_value=0.0).sort_index(ascending=False)
    ax = new_axes(height=0.5 * len(data) + 1.6)
    left = np.zeros(len(data))
    for colour, standing in zip(colours(len(order)), order, strict=True):
        ax.barh(data.index, data[standing], left=left, label=standing, color=colour)
        left += data[standing].to_numpy()
    ax.set(title="By which channel customers can be reached", xlabel="customers")
    legend_below(ax)
    return thousands(horizontal(ax), axis="x")
