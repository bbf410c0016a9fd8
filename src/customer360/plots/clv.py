"""Figures of 07: what each is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num

from customer360.plots.canvas import dated, legend_below, new_axes
from customer360.plots.style import INK, MUTED, PALETTE, percent, thousands, use_style

__all__ = [
    "cohort_calibration",
    "link_errors",
    "months_ahead",
    "tracking",
    "use_style",
    "value_concentration",
    "value_moves",
]


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


def cohort_calibration(cohorts: pd.DataFrame) -> Axes:
    """Value foretold and earned of a customer, by cohort of first purchase.

    Parameters
    ----------
    cohorts : pandas.DataFrame
        From `slices.judge_amounts`: group, predicted, observed.
    """
    ax = new_axes()
    at = np.arange(len(cohorts))
    bars = (("predicted", "foretold", -0.2), ("observed", "earned", 0.2))
    for colour, (column, label, shift) in zip(PALETTE, bars, strict=False):
        ax.bar(at + shift, cohorts[column], width=0.4, color=colour, label=label)
    ax.set_xticks(at, cohorts["group"].str.split(": ").str[-1])
    ax.set(
        xlabel="first purchase",
        ylabel="margin a customer",
        title="Value by cohort, foretold and earned",
    )
    legend_below(ax)
    return ax


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


def value_moves(history: pd.DataFrame, *, title: str = "What moved the value") -> Axes:
    """Parts of the moves at each month end, stacked, and the moves themselves.

    Parameters
    ----------
    history : pandas.DataFrame
        Contract `value_history`, of a customer or of all.
    """
    parts = [name for name in history.columns if name.startswith("part_")]
    sums = history.groupby("as_of")[[*parts, "move"]].sum().iloc[1:]
    ax = new_axes()
    days = pd.to_datetime(sums.index)
    above, below = np.zeros(len(sums)), np.zeros(len(sums))
    for colour, name in zip([*PALETTE, MUTED], parts, strict=False):
        values = sums[name].to_numpy(float)
        base = np.where(values >= 0, above, below)
        ax.bar(days, values, bottom=base, width=22, color=colour, label=name[5:])
        above, below = above + np.maximum(values, 0), below + np.minimum(values, 0)
    ax.plot(days, sums["move"], color=INK, marker="o", markersize=3, label="move")
    ax.axhline(0, color=MUTED, linewidth=0.8)
    ax.set(ylabel="change in a month", title=title)
    legend_below(dated(ax))
    return thousands(ax)


def months_ahead(purchase_days: pd.DataFrame, ahead: pd.DataFrame) -> Axes:
    """Purchases by month: seen, and foretold with their interval.

    Parameters
    ----------
    purchase_days : pandas.DataFrame
        Contract `purchase_days`.
    ahead : pandas.DataFrame
        Contract `forecast`, rows of all customers.
    """
    month = pd.to_datetime(purchase_days["day"]).dt.to_period("M").dt.to_timestamp()
    seen = month.value_counts().sort_index()
    ax = new_axes()
    ax.plot(seen.index, seen.to_numpy(), color=PALETTE[0], label="seen")
    months = pd.to_datetime(ahead["month"])
    ax.plot(months, ahead["transactions"], color=PALETTE[1], linestyle="--", label="expected")
    ends = ahead[["transactions_low", "transactions_high"]].astype(float)
    ax.fill_between(months, *ends.to_numpy().T, color=PALETTE[1], alpha=0.2, label="80 %")
    ax.set(ylabel="purchase days a month", ylim=(0, None), title="The months ahead")
    legend_below(dated(ax))
    return thousands(ax)
