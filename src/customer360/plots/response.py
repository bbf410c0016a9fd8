"""Figures of 08: who answers what, and because of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import counted, horizontal, legend_below, new_axes
from customer360.plots.style import MUTED, PALETTE, percent, use_style

__all__ = ["gained_orders", "quadrant_shares", "use_style"]

CONTACTS_SHOWN = 1000


def gained_orders(curves: Mapping[str, pd.DataFrame]) -> Axes:
    """Orders gained when the best-ranked share is contacted.

    Parameters
    ----------
    curves : dict of str to pandas.DataFrame
        Name of the ranking to `evaluation.qini_curve`.
    """
    ax = new_axes()
    last = 0.0
    for colour, (name, curve) in zip(PALETTE, curves.items(), strict=False):
        at = np.linspace(0, 1, 101)
        gain = np.interp(at, curve["contacted"], curve["gain"]) * CONTACTS_SHOWN
        ax.plot(at, gain, label=name, color=colour)
        last = float(gain[-1])
    ax.plot([0, 1], [0, last], linestyle="--", color=MUTED, label="at random")
    ax.set(
        xlabel="share contacted, best ranked first",
        ylabel=f"orders gained per {counted(CONTACTS_SHOWN)} customers ranked",
        title="What choosing whom to contact gains",
    )
    ax.legend(loc="lower right")
    return percent(ax, axis="x")


def quadrant_shares(shares: pd.DataFrame) -> Axes:
    """What a contact would be to customers, by channel.

    Parameters
    ----------
    shares : pandas.DataFrame
        One row per channel, one column per quadrant, shares that add up to 1.
    """
    ax = new_axes()
    left = np.zeros(len(shares))
    for colour, name in zip(PALETTE, shares.columns, strict=False):
        words = str(name).replace("_", " ")
        ax.barh(shares.index, shares[name], left=left, label=words, color=colour)
        left = left + shares[name].to_numpy()
    ax.set(xlabel="share of customers", title="What a contact would be to them")
    return percent(legend_below(horizontal(ax)), axis="x")
