"""Figures of 06: who is leaving."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import horizontal, legend_below, new_axes
from customer360.plots.style import MUTED, PALETTE, percent, use_style

__all__ = ["feature_weights", "lift_curves", "reliability", "returns", "use_style"]


def lift_curves(curves: dict[str, pd.DataFrame]) -> Axes:
    """Leavers found by contacting the customers scored highest.

    Parameters
    ----------
    curves : dict of str to pandas.DataFrame
        Name of the score to `evaluation.lift_curve`.
    """
    ax = new_axes()
    for colour, (name, curve) in zip(PALETTE, curves.items(), strict=False):
        ax.plot(curve["contacted"], curve["found"], label=name, color=colour)
    ax.plot([0, 1], [0, 1], color=MUTED, linestyle="--", label="at random")
    ax.set(
        xlabel="share of customers contacted",
        ylabel="share of leavers found",
        title="Finding those who leave",
    )
    ax.legend(loc="lower right")
    return percent(percent(ax, axis="x"), axis="y")


def reliability(tables: dict[str, pd.DataFrame]) -> Axes:
    """Predicted against observed rate: on the diagonal, the probability can be trusted.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Name of the score to `evaluation.reliability_table`.
    """
    ax = new_axes()
    top = max(float(t[["predicted", "observed"]].max().max()) for t in tables.values())
    ax.plot([0, top], [0, top], color=MUTED, linestyle="--")
    for colour, (name, table) in zip(PALETTE, tables.items(), strict=False):
        ax.plot(table["predicted"], table["observed"], marker="o", label=name, color=colour)
    ax.set(
        xlabel="probability to leave that was predicted",
        ylabel="share that did leave",
        title="Can the probability be trusted?",
    )
    ax.legend(loc="upper left")
    return percent(percent(ax, axis="x"), axis="y")


def feature_weights(contributions: pd.DataFrame, *, most: int = 10) -> Axes:
    """Features that move the churn probability most, on average.

    Parameters
    ----------
    contributions : pandas.DataFrame
        From `ChurnModel.contributions`.
    """
    data = contributions.abs().mean().sort_values().tail(most)
    ax = new_axes(height=0.36 * len(data) + 1.2)
    ax.barh([n.replace("_", " ") for n in data.index], data, color=PALETTE[0])
    ax.set(
        xlabel="average effect on the log-odds",
        title="What tells that a customer leaves",
    )
    return horizontal(ax)


def returns(curves: pd.DataFrame) -> Axes:
    """Share of customers still silent, day by day, by risk foretold.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `models.churn.return_curves`.
    """
    ax = new_axes()
    for colour, (group, curve) in zip(PALETTE, curves.groupby("risk_group"), strict=False):
        ax.step(curve["day"], curve["silent"], where="post", color=colour, label=f"fifth {group}")
    ax.set(
        xlabel="days after the holdout day",
        ylabel="share not back yet",
        title="When customers come back, by risk (fifth 5: most at risk)",
        ylim=(0, 1),
    )
    legend_below(ax)
    return percent(ax, axis="y")
