"""Figures of 07: what each is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num

from customer360.plots.canvas import dated, legend_below, new_axes
from customer360.plots.style import INK, MUTED, PALETTE, percent, thousands, use_style

__all__ = ["link_errors", "tracking", "use_style", "value_concentration"]


def tracking(track: pd.DataFrame, *, calibration_end: Any, cumulative: bool) -> Axes:
    """Repeat purchases week by week: expected by the model, and seen.

    Parameters
    ----------
    track : pandas.DataFrame
        From `clv.track_purchases`.
    """
    kind = "cumulative" if cumulative else "incremental"
    ax = new_axes()
    ax.plot(track["day"], track[f"actual_{kind}"], color=PALETTE[0], label="seen")
    ax.plot(
        track["day"],
        track[f"expected_{kind}"],
        color=PALETTE[1],
        linestyle="--",
        label="expected",
    )
    end = date2num(pd.Timestamp(calibration_end))
    ax.axvline(end, color=MUTED)
    ax.annotate(
        "holdout",
        (end, 0.04),
        xycoords=("data", "axes fraction"),
        xytext=(6, 0),
        textcoords="offset points",
        color=INK,
    )
    word = "in all" if cumulative else "a week"
    ax.set(
        ylabel=f"repeat purchases {word}",
        ylim=(0, None),
        title=f"Repeat purchases, {word}",
    )
    legend_below(dated(ax))
    return thousands(ax)


def value_concentration(clv: pd.Series) -> Axes:
    """Share of the whole value held by the customers worth most.

    Parameters
    ----------
    clv : pandas.Series
        Value of each customer, currency.
    """
    ordered = np.sort(clv.to_numpy(dtype=float))[::-1]
    total = ordered.sum()
    x = np.linspace(0, 1, 201)
    held = np.interp(x * len(ordered), np.arange(len(ordered) + 1), np.r_[0.0, np.cumsum(ordered)])
    ax = new_axes()
    ax.plot(x, held / total if total else held, color=PALETTE[0])
    ax.plot([0, 1], [0, 1], color=MUTED, linestyle="--")
    ax.set(
        xlabel="share of customers, most valuable first",
        ylabel="share of the value",
        title="Who holds the value",
        xlim=(0, 1),
    )
    return percent(percent(ax, axis="x"), axis="y")


def link_errors(costs: pd.DataFrame) -> Axes:
    """What wrong links do to value and lists, by their share.

    Parameters
    ----------
    costs : pandas.DataFrame
        From `customer360.link_errors.link_error_costs`.
    """
    ax = new_axes()
    measures = {"clv_change": "value of the base", "best_wrong": "wrong on the best tenth's list"}
    for colour, (column, words) in zip(PALETTE, measures.items(), strict=False):
        for error, style in (("false merges", "-"), ("false splits", "--")):
            rows = costs[costs["error"].isin(["none", error])]
            ax.plot(
                100 * rows["share"],
                100 * rows[column],
                style,
                color=colour,
                marker="o",
                label=f"{words}, {error}",
            )
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set(
        xlabel="customers with a wrong link (%)",
        ylabel="change, or share of the list (%)",
        title="What wrong links cost",
    )
    ax.legend()
    return ax
