"""Figures of attribution: what channels are credited with, and what is proven of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import colours, horizontal, legend_below, new_axes
from customer360.plots.style import INK, thousands, use_style

__all__ = ["credited_and_proven", "use_style"]


def credited_and_proven(reconciled: pd.DataFrame) -> Axes:
    """Orders that each rule credits to the tested channels, beside what hold-outs prove.

    Parameters
    ----------
    reconciled : pandas.DataFrame
        From `measurement.reconcile.reconcile`; channels without a hold-out are left out.
    """
    tested = reconciled[reconciled["proven"].notna()]
    proven = tested.drop_duplicates("channel").set_index("channel").sort_values("proven")
    rules = list(dict.fromkeys(tested["rule"]))
    ax = new_axes(height=1.6 + 0.7 * len(proven))
    place = np.arange(len(proven))
    ax.hlines(place, proven["proven_low"], proven["proven_high"], color=INK, linewidth=6, alpha=0.3)
    ax.plot(proven["proven"], place, "D", color=INK, label="proven, with 95 %")
    for number, (rule, colour) in enumerate(zip(rules, colours(len(rules)), strict=True)):
        rows = tested[tested["rule"] == rule].set_index("channel").loc[proven.index]
        # One above the other, so that equal credits can be told apart.
        lift = 0.3 * (number / max(len(rules) - 1, 1) - 0.5)
        ax.plot(rows["credited"], place + lift, "o", color=colour, label=rule, markersize=5)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(place, proven.index)
    ax.set(xlabel="orders", title="Credited by rules, proven by hold-outs")
    return thousands(legend_below(horizontal(ax)), axis="x")
