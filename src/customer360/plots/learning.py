"""Figures of 17: what results teach, and what learning earns."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import horizontal, legend_below, new_axes
from customer360.plots.style import INK, MUTED, PALETTE, money, use_style

__all__ = ["lessons_learnt", "use_style", "years"]


def lessons_learnt(lessons: pd.DataFrame) -> Axes:
    """Factor of each lesson on what a message adds.

    Parameters
    ----------
    lessons : pandas.DataFrame
        Contract `lessons`.
    """
    data = lessons.sort_values("factor", ignore_index=True)
    sure = (data["low"] > 1) | (data["high"] < 1)
    colours = np.where(sure, PALETTE[0], MUTED)
    ax = new_axes(height=0.24 * len(data) + 1.4)
    place = np.arange(len(data))
    ax.axvline(1, color=INK, linewidth=1)
    ax.hlines(place, data["low"], data["high"], color=colours)
    ax.scatter(data["factor"], place, color=colours, s=18, zorder=3)
    ax.set_yticks(place, data["lesson"].str.capitalize(), fontsize=8)
    ax.set(
        title="What multiplies the orders that a message adds",
        xlabel="1: as usual; with 95 % interval (blue: beyond chance)",
        ylim=(-1, len(data)),
    )
    return horizontal(ax)


def years(table: pd.DataFrame, *, currency: str, most: int = 3) -> Axes:
    """Margin earned so far in a simulated year, by policy: mean of the seeds.

    Parameters
    ----------
    table : pandas.DataFrame
        From `simulated_year.compare_policies`.
    currency : str
    most : int
        So many of the plain policies, the best ones.
    """
    wide = table.pivot_table(index="month", columns="policy", values="margin", aggfunc="mean")
    total = wide.sum().sort_values(ascending=False)
    plans = [name for name in total.index if name.startswith("plan")]
    plain = [name for name in total.index if name not in plans][:most]
    so_far = wide.cumsum()
    ax = new_axes()
    for number, name in enumerate([*plans, *plain]):
        colour, style = (PALETTE[number], "-") if name in plans else (MUTED, "-")
        style = style if name in plans else ("--", ":", "-.")[plain.index(name) % 3]
        ax.plot(so_far.index, so_far[name], color=colour, linestyle=style, label=name)
    ax.set(
        title="Margin truly added in a simulated year", xlabel="month of four weeks", xlim=(1, None)
    )
    return legend_below(money(ax, currency=currency))
