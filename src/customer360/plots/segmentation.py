"""Figures of 05: kinds of customer."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import counted, heat_map, horizontal, legend_below, new_axes
from customer360.plots.style import MUTED, PALETTE, percent, use_style

__all__ = [
    "class_sizes",
    "rfm_map",
    "segment_profiles",
    "segment_stability",
    "use_style",
]


def rfm_map(segments: pd.DataFrame) -> Axes:
    """Customers by recency and frequency score.

    Parameters
    ----------
    segments : pandas.DataFrame
        Columns r_score, f_score.
    """
    data = pd.crosstab(segments["f_score"], segments["r_score"]).reindex(
        index=range(5, 0, -1), columns=range(1, 6), fill_value=0
    )
    ax = heat_map(data, height=4.6, cmap="Blues", annot=data.map(counted), fmt="")
    ax.set(
        xlabel="recency score (5: bought lately)",
        ylabel="frequency score (5: often)",
        title="Customers by recency and frequency",
    )
    return ax


def class_sizes(classes: pd.DataFrame) -> Axes:
    """Share of customers and of margin of each potential class.

    Parameters
    ----------
    classes : pandas.DataFrame
        Columns potential_class, customers_share, margin_share.
    """
    data = classes.set_index("potential_class")[["customers_share", "margin_share"]].iloc[::-1]
    ax = new_axes(height=0.62 * len(data) + 1.4)
    y = np.arange(len(data))
    for offset, column, label, colour in (
        (0.2, "customers_share", "of customers", PALETTE[4]),
        (-0.2, "margin_share", "of margin", PALETTE[0]),
    ):
        bars = ax.barh(y + offset, data[column], height=0.38, color=colour, label=label)
        ax.bar_label(bars, fmt=lambda v: f"{v:.0%}", padding=4)
    ax.set_yticks(y, data.index)
    ax.margins(x=0.12)
    legend_below(ax)
    ax.set(title="Who they are, and who brings the margin")
    return percent(horizontal(ax), axis="x")


def segment_stability(trials: pd.DataFrame, *, floor: float) -> Axes:
    """Agreement between resampled segmentations, by number of segments.

    Parameters
    ----------
    trials : pandas.DataFrame
        From `choose_segments`.
    """
    ax = new_axes()
    ax.plot(trials["segments"], trials["stability_ari"], marker="o", color=PALETTE[0])
    ax.axhline(floor, color=MUTED, linestyle="--", label="stability asked for")
    chosen = trials[trials["chosen"]]
    ax.plot(
        chosen["segments"],
        chosen["stability_ari"],
        "o",
        markersize=13,
        color=PALETTE[3],
        label="chosen",
    )
    ax.set_xticks(trials["segments"])
    ax.set(
        xlabel="number of segments",
        ylabel="agreement (adjusted Rand)",
        ylim=(0, 1.05),
        title="How many segments survive resampling",
    )
    ax.legend(loc="lower left")
    return ax


def segment_profiles(profile: pd.DataFrame) -> Axes:
    """What sets each segment apart: its average rank on each trait.

    Parameters
    ----------
    profile : pandas.DataFrame
        One row per segment (index: name), one column per trait, from −0.5 to +0.5.
    """
    data = profile.rename(columns=lambda c: c.replace("_", " "))
    data.index = ["\n".join(textwrap.wrap(str(i), 34)) for i in data.index]
    ax = heat_map(data, height=0.62 * len(data) + 2.0, turn=30, vmin=-0.5, vmax=0.5)
    ax.set(title="Traits of each segment (red: more than average)")
    ax.tick_params(axis="y", labelsize=10)
    return ax
