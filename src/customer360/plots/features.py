"""Figures of 04: what was known on a day."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import new_axes
from customer360.plots.style import MUTED, PALETTE, percent, use_style

__all__ = ["pause_lengths", "use_style"]


def pause_lengths(gaps: pd.DataFrame, *, horizon_days: int, quantile: float) -> Axes:
    """How long returning customers pause, and the silence that means leaving.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From `purchase_gaps`: gap_days, customers.
    """
    ax = new_axes()
    share = gaps["customers"].cumsum() / gaps["customers"].sum()
    ax.step(gaps["gap_days"], share, where="post", color=PALETTE[0])
    ax.axvline(horizon_days, color=PALETTE[3], linestyle="--")
    ax.annotate(
        f"{horizon_days} days",
        (horizon_days, 0.08),
        xytext=(8, 0),
        textcoords="offset points",
        color=PALETTE[3],
        fontweight="bold",
    )
    ax.axhline(quantile, color=MUTED, linewidth=1)
    limit = max(horizon_days * 2.5, float(gaps["gap_days"].quantile(0.5)))
    ax.set(
        xlim=(0, limit),
        ylim=(0, 1.02),
        xlabel="days between two purchases",
        ylabel="share of pauses that are shorter",
        title="When does a pause become a farewell?",
    )
    return percent(ax, axis="y")
