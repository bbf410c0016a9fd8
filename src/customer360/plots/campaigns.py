"""Figures of 09: whom to contact, with what, when, for how much."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import colours, horizontal, legend_below, new_axes
from customer360.plots.style import MUTED, PALETTE, money, thousands, use_style

__all__ = ["against_plain_policies", "plan_by_week", "use_style"]


def plan_by_week(decisions: pd.DataFrame) -> Axes:
    """Messages of each week, by channel.

    Parameters
    ----------
    decisions : pandas.DataFrame
        Contract `decisions`.
    """
    counts = decisions.groupby(["slot", "channel"]).size().unstack(fill_value=0)
    counts = counts[counts.sum().sort_values(ascending=False, kind="stable").index]
    ax = new_axes()
    below = pd.Series(0, index=counts.index)
    for colour, channel in zip(colours(len(counts.columns)), counts, strict=True):
        ax.bar(counts.index, counts[channel], bottom=below, label=channel, color=colour)
        below = below + counts[channel]
    ax.set(xlabel="week of the plan", ylabel="messages", title="What goes out, and how")
    ax.set_xticks(list(counts.index))
    return thousands(legend_below(ax))


def against_plain_policies(margins: pd.Series, *, currency: str) -> Axes:
    """Margin that the plan and plain policies add for the same money.

    Parameters
    ----------
    margins : pandas.Series
        Margin added, by policy; the plan is called `plan`.
    currency : str
    """
    shown = margins.sort_values(kind="stable")
    ax = new_axes(height=0.5 * len(shown) + 1.2)
    colour = [PALETTE[0] if name == "plan" else MUTED for name in shown.index]
    ax.barh(shown.index, shown, color=colour)
    ax.set(xlabel="margin that the messages add, their cost deducted", ylabel="",
           title="The plan against plain policies")  # fmt: skip
    return money(horizontal(ax), axis="x", currency=currency)
