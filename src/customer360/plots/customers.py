"""Figures of 03: who each customer is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import colours, dated, horizontal, legend_below, new_axes
from customer360.plots.style import PALETTE, money, percent, use_style

__all__ = ["field_origins", "sales_by_month", "use_style"]


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
