"""Figures of 11: how good any model could be."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import counted, horizontal, legend_below, new_axes
from customer360.plots.style import INK, MUTED, PALETTE, money, percent, use_style

__all__ = ["best_and_reached", "pairs_by_reason", "qini_curves", "use_style", "value_by_decile"]


def best_and_reached(table: pd.DataFrame) -> Axes:
    """The best that is possible in each task, and how far the models are.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per task, the first on top: task, best (0 to 1), reached (empty where there
        is no model yet).
    """
    data = table.iloc[::-1]
    places = np.arange(len(data))
    ax = new_axes(height=0.5 * len(data) + 1.7)
    bars = ax.barh(places, data["best"], color=MUTED, height=0.55, label="best possible")
    ax.bar_label(bars, fmt="{:.2f}", padding=5, color=INK)
    known = data["reached"].notna().to_numpy()
    reached = data["reached"][known].to_numpy(float)
    if known.any():
        ax.plot(reached, places[known], "o", color=PALETTE[0], ms=9, label="reached")
    for at, value in zip(places[known], reached, strict=True):
        ax.annotate(
            f"{value:.2f}",
            (value, at),
            xytext=(-9, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=INK,
        )
    ax.set_yticks(places, data["task"].to_list())
    ax.set(xlim=(0, 1.1), xticks=np.linspace(0, 1, 6), title="What is possible, and what is done")
    return legend_below(horizontal(ax))


def pairs_by_reason(table: pd.DataFrame) -> Axes:
    """What joins the records of one person, or keeps them apart for good.

    Parameters
    ----------
    table : pandas.DataFrame
        From `oracle.linkage_ceiling`: reason, linkable, pairs.
    """
    data = table.iloc[::-1]
    ax = new_axes(height=0.36 * len(data) + 1.6)
    for linkable, colour, label in (
        (True, PALETTE[0], "can be found"),
        (False, PALETTE[3], "cannot"),
    ):
        part = (data["linkable"] == linkable).to_numpy()
        places = np.flatnonzero(part)
        bars = ax.barh(places, data["pairs"][part], color=colour, label=label)
        ax.bar_label(bars, fmt=counted, padding=4)
    ax.set_yticks(range(len(data)), data["reason"].to_list())
    ax.margins(x=0.12)
    ax.set(xlabel="pairs of records of one person", title="Which pairs could be found")
    ax.xaxis.set_major_formatter(lambda value, _: counted(value))
    return legend_below(horizontal(ax))


def value_by_decile(table: pd.DataFrame, *, currency: str) -> Axes:
    """Margin expected by the truth and really earned, by tenth of the customers.

    Parameters
    ----------
    table : pandas.DataFrame
        From `oracle.value_ceiling`: decile, expected_margin, margin.
    currency : str
        ISO 4217 code.
    """
    ax = new_axes()
    places = np.arange(len(table))
    ax.bar(places - 0.2, table["expected_margin"], 0.4, color=PALETTE[1], label="expected")
    ax.bar(places + 0.2, table["margin"], 0.4, color=PALETTE[0], label="earned")
    ax.set_xticks(places, [str(decile) for decile in table["decile"]])
    ax.set(
        xlabel="tenth of the customers, by what was expected of them",
        ylabel="margin a person",
        title="What the truth expects, and what came",
    )
    return legend_below(money(ax, currency=currency))


def qini_curves(table: pd.DataFrame) -> Axes:
    """Orders added by contacting those on whom the message works best.

    Parameters
    ----------
    table : pandas.DataFrame
        From `oracle.uplift_ceiling`: curve (measured, expected), contacted, gain.
    """
    ax = new_axes()
    shown = {"expected": (PALETTE[1], "expected"), "measured": (PALETTE[0], "by the hold-outs")}
    for name, (colour, label) in shown.items():
        curve = table[table["curve"] == name]
        ax.plot(curve["contacted"], 1000 * curve["gain"], color=colour, label=label)
    average = 1000 * table.loc[table["curve"] == "measured", "gain"].iloc[-1]
    ax.plot([0, 1], [0, average], color=MUTED, linestyle="--", label="at random")
    ax.set(
        xlabel="share contacted, largest true effect first",
        ylabel="orders added, per 1 000 ranked",
        title="What perfect targeting would add",
    )
    return legend_below(percent(ax, axis="x"))
